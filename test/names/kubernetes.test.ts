import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { commonLabels, contentHash, selectorLabels } from "../../names/kubernetes.ts";

test("a content hash never changes: a new one would replace every ConfigMap and Secret of every stack", () => {
  assert.equal(contentHash({ "routes.conf": "server {}\n" }), "c5855bf2e2");
});

test("the order of keys does not matter", () => {
  const data = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(data, (one) => {
      const reversed = Object.fromEntries(Object.entries(one).reverse());
      assert.equal(contentHash(reversed), contentHash(one));
      assert.match(contentHash(one), /^[0-9a-f]{10}$/);
    }),
  );
});

test("different content gets a different name", () => {
  const data = fc.dictionary(fc.string(), fc.string());
  const sorted = (one: Record<string, string>) => JSON.stringify(Object.entries(one).sort());
  fc.assert(
    fc.property(data, data, (one, other) => {
      assert.equal(contentHash(one) === contentHash(other), sorted(one) === sorted(other));
    }),
  );
  // The boundary between key and value counts too.
  assert.notEqual(contentHash({ ab: "c" }), contentHash({ a: "bc" }));
});

test("selectors contain only immutable labels, labels contain more", () => {
  assert.deepEqual(selectorLabels("hoge"), { "app.kubernetes.io/name": "hoge" });
  assert.deepEqual(commonLabels("hoge"), {
    "app.kubernetes.io/name": "hoge",
    "app.kubernetes.io/part-of": "gke-microservices",
  });
});
