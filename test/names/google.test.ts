import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { googleName, labelsOf, serviceAccountEmail } from "../../names/google.ts";

test("a valid name stays as it is", () => {
  assert.equal(googleName("staging-images", 63), "staging-images");
});

test("an invalid name keeps its prefix and gets a hash", () => {
  assert.match(googleName("Team_A.staging", 63), /^team-a-staging-[0-9a-f]{6}$/);
  assert.match(googleName("42", 63), /^x-[0-9a-f]{6}$/);
  assert.match(googleName("a".repeat(40), 30), /^a{23}-[0-9a-f]{6}$/);
  assert.notEqual(googleName("a_b", 30), googleName("a.b", 30));
});

test("property: every name is valid, short enough and stable", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 8, max: 63 }), (text, max) => {
      const name = googleName(text, max);
      assert.match(name, /^[a-z]([a-z0-9-]*[a-z0-9])?$/);
      assert.ok(name.length <= max);
      assert.equal(googleName(name, max), name);
    }),
  );
});

test("labels name the project and the stack", () => {
  assert.deepEqual(labelsOf("gke-microservices", "staging"), { project: "gke-microservices", stack: "staging" });
});

test("the domain of a domain-scoped project comes last in the address of a service account", () => {
  assert.equal(serviceAccountEmail("a-nodes", "acme-staging"), "a-nodes@acme-staging.iam.gserviceaccount.com");
  assert.equal(serviceAccountEmail("a-nodes", "example.com:shop"), "a-nodes@shop.example.com.iam.gserviceaccount.com");
});
