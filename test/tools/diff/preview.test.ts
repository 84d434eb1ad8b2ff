import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parsePreview } from "../../../tools/diff/preview.ts";
import { commentLimit, report } from "../../../tools/diff/report.ts";
import { rulesOnResources } from "../../../tools/diff/rules.ts";

const urn = (types: string, name: string) => `urn:pulumi:staging::gke-microservices::${types}::${name}`;
const kind = (detail: Record<string, string>) =>
  Object.fromEntries(Object.entries(detail).map(([path, each]) => [path, { kind: each, inputDiff: false }]));
const canary = "canary-4f1c";

/** A preview in the CLI's format, with a resource for each operation. Its values are canaries. */
const digest = {
  config: { "gke-microservices:secrets": canary },
  steps: [
    { op: "same", urn: urn("pulumi:pulumi:Stack", "gke-microservices-staging"), detailedDiff: null },
    {
      op: "update",
      urn: urn("gke-microservices:index:NginxProxy$kubernetes:apps/v1:Deployment", "nginx-proxy-deployment"),
      newState: { type: "kubernetes:apps/v1:Deployment", inputs: { spec: { replicas: canary } } },
      detailedDiff: kind({ "spec.replicas": "update", "spec.template.spec.containers[0].image": "update", __x: "add" }),
    },
    {
      op: "replace",
      urn: urn("gke-microservices:index:GkeCluster$gcp:container/cluster:Cluster", "staging-cluster"),
      oldState: { inputs: { location: canary } },
      newState: {
        type: "gcp:container/cluster:Cluster",
        inputs: { location: "asia-northeast1", enableLegacyAbac: true, enableShieldedNodes: "[secret]" },
      },
      replaceReasons: ["location"],
      detailedDiff: kind({ location: "update-replace", description: "update" }),
    },
    {
      op: "replace",
      urn: urn("gke-microservices:index:NginxProxy$kubernetes:core/v1:ConfigMap", "nginx-proxy-routes"),
      replaceReasons: ["metadata.name", 'data["routes.conf"]'],
      detailedDiff: kind({ 'data["routes.conf"]': "update-replace", "metadata.name": "update-replace" }),
    },
    {
      op: "replace",
      urn: urn("kubernetes:core/v1:Secret", "in-place"),
      replaceReasons: ["data.KEY"],
      detailedDiff: kind({ "data.KEY": "update-replace" }),
    },
    {
      op: "replace",
      urn: urn("gke-microservices:index:Microservice$kubernetes:batch/v1:Job", "shop-release"),
      replaceReasons: ["metadata.name"],
    },
    { op: "create", urn: urn("kubernetes:core/v1:Service", "a::b"), newState: { inputs: {} } },
    { op: "read", urn: urn("a:b:C", "read") },
    { op: "delete", urn: urn("kubernetes:apps/v1:Deployment", "web-deployment"), oldState: { inputs: { a: canary } } },
  ],
  diagnostics: [{ message: `warning: ${canary}`, severity: "warning" }],
};

test("operations have the resource's type and name, and the names of properties", () => {
  const { planned, unchanged, failed } = parsePreview(JSON.stringify(digest)) ?? assert.fail();
  assert.deepEqual(planned, [
    {
      operation: "changed",
      resource: "kubernetes:apps/v1:Deployment nginx-proxy-deployment",
      because: ["spec.replicas", "spec.template.spec.containers[0].image"],
    },
    { operation: "replaced", resource: "gcp:container/cluster:Cluster staging-cluster", because: ["location"] },
    {
      operation: "renewed",
      resource: "kubernetes:core/v1:ConfigMap nginx-proxy-routes",
      because: ['data["routes.conf"]', "metadata.name"],
    },
    { operation: "replaced", resource: "kubernetes:core/v1:Secret in-place", because: ["data.KEY"] },
    { operation: "renewed", resource: "kubernetes:batch/v1:Job shop-release", because: [] },
    { operation: "created", resource: "kubernetes:core/v1:Service a::b", because: [] },
    { operation: "deleted", resource: "kubernetes:apps/v1:Deployment web-deployment", because: [] },
  ]);
  assert.equal(unchanged, 1);
  assert.deepEqual(failed, []);
});

test("several steps of a replacement count as one; older providers give reasons without details", () => {
  const of = urn("gcp:compute/network:Network", "staging-network");
  const steps = ["create-replacement", "replace", "delete-replaced"].map((op) => ({ op, urn: of, replaceReasons: ["name"] })); // prettier-ignore
  const update = { op: "update", urn: urn("a:b:C", "d"), diffReasons: ["x"], detailedDiff: {} };
  assert.deepEqual(parsePreview(JSON.stringify({ steps: [...steps, update] }))?.planned, [
    { operation: "replaced", resource: "gcp:compute/network:Network staging-network", because: ["name"] },
    { operation: "changed", resource: "a:b:C d", because: ["x"] },
  ]);
});

test("a failure has only the resource, not the message, which may contain values", () => {
  const error = { severity: "error", message: `error: ${canary}` };
  const diagnostics = [error, error, { ...error, urn: urn("a:b:C", "d") }];
  assert.deepEqual(parsePreview(JSON.stringify({ diagnostics }))?.failed, ["the program", "a:b:C d"]);
});

test("the rules check the planned resources: a secret or unknown value violates none", () => {
  const preview = parsePreview(JSON.stringify(digest)) ?? assert.fail();
  const violations = rulesOnResources(preview.resources);
  const abac = violations.find(({ id }) => id === "cluster-rbac-only");
  assert.deepEqual(abac, {
    id: "cluster-rbac-only",
    where: "gcp:container/cluster:Cluster staging-cluster",
    text: "enableLegacyAbac is true; set it to false",
    stops: true,
  });
  assert.ok(!violations.some(({ id }) => id === "cluster-shielded-nodes"));
  assert.ok(violations.some(({ id, stops }) => id === "cluster-deletion-protection" && !stops));
  assert.deepEqual(new Set(violations.map(({ where }) => where)), new Set([abac.where]));
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const later = JSON.stringify(digest).replace('"enableLegacyAbac":true', `"enableLegacyAbac":"${unknown}"`);
  assert.ok(
    !rulesOnResources(parsePreview(later)?.resources ?? assert.fail()).some(({ id }) => id === "cluster-rbac-only"),
  );
});

test("any other text is not a preview", () => {
  for (const text of ["", "error: no credentials", "null", "{", "[1]"])
    assert.equal(parsePreview(text), undefined, text);
  assert.deepEqual(parsePreview("npm notice\n{}\n")?.planned, []);
});

test("the report has no values of a preview", () => {
  const args = { stack: "staging", base: "main", commit: "0".repeat(40), notes: [], changes: [], objects: 0, consequences: [], secrets: [], warnings: [], limit: commentLimit }; // prettier-ignore
  const text = report({ ...args, rules: [], preview: parsePreview(JSON.stringify(digest)) ?? assert.fail() });
  assert.ok(text.includes("staging-cluster") && !text.includes(canary));
  const state = fc.record({ type: fc.constant("a:b:C"), inputs: fc.dictionary(fc.constantFrom("a", "b"), fc.constant(canary)) }); // prettier-ignore
  const step = fc.record(
    {
      op: fc.constantFrom("create", "update", "replace", "delete", "same", "refresh"),
      urn: fc.string().map((name) => urn("a:b:C", name)),
      oldState: state,
      newState: state,
      replaceReasons: fc.array(fc.string()),
      detailedDiff: fc.option(fc.dictionary(fc.string(), fc.constant({ kind: canary, inputDiff: false }))),
    },
    { requiredKeys: ["op", "urn"] },
  );
  const message = fc.constant(canary);
  const diagnostics = fc.array(fc.record({ severity: fc.constantFrom("error", "info"), message }));
  fc.assert(
    fc.property(fc.array(step), diagnostics, (steps, messages) => {
      const preview = parsePreview(JSON.stringify({ steps, diagnostics: messages })) ?? assert.fail();
      assert.ok(!report({ ...args, rules: rulesOnResources(preview.resources), preview }).includes(canary));
    }),
  );
});
