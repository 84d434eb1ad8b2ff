import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compare } from "../../../tools/diff/compare.ts";
import { parseObjects, textOf } from "../../../tools/diff/objects.ts";
import { unifiedDiffs } from "../../../tools/diff/unified.ts";
import type { KubernetesObject } from "../../../tools/stack/evaluate.ts";

const object = (kind: string, name: string, rest: object = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: "apps" },
  ...rest,
});
const changesOf = (base: KubernetesObject[], head: KubernetesObject[]) =>
  compare(base, head).map(({ operation, object: name, because }) => [operation, name, ...because].join(" "));

test("deleted objects come first, then the others in the order of the new rendering", () => {
  const [web, hoge, shop] = ["web", "hoge", "shop"].map((name) => object("Service", name, { spec: { a: 1 } }));
  assert.ok(web && hoge && shop);
  assert.deepEqual(changesOf([web, hoge], [shop, { ...hoge, spec: { a: 2 } }]), [
    "deleted Service apps/web",
    "created Service apps/shop",
    "changed Service apps/hoge",
  ]);
  const cluster = { ...object("Namespace", "apps"), metadata: { name: "apps" } };
  assert.deepEqual(changesOf([], [cluster]), ["created Namespace apps"]);
});

test("the order of keys makes no difference", () => {
  const one = object("Service", "web", { spec: { a: 1, b: [{ c: 1, d: 2 }] } });
  const same = { spec: { b: [{ d: 2, c: 1 }], a: 1 }, metadata: one.metadata, kind: "Service", apiVersion: "v1" };
  assert.deepEqual(compare([one], [same]), []);
});

test("an object whose name contains a hash of its content is one changed object", () => {
  const routes = (hash: string, text: string) =>
    object("ConfigMap", `nginx-proxy-routes-${hash}`, { immutable: true, data: { "routes.conf": text } });
  const [change, ...more] = compare([routes("0123456789", "a\nb\n")], [routes("abcdef0123", "a\nc\n")]);
  assert.deepEqual(more, []);
  assert.equal(change?.operation, "changed");
  assert.equal(change.object, "ConfigMap apps/nginx-proxy-routes");
  assert.deepEqual(unifiedDiffs([[change.before, change.after]]), [
    [
      "@@ -1,10 +1,10 @@",
      " apiVersion: v1",
      " kind: ConfigMap",
      " metadata:",
      "-  name: nginx-proxy-routes-0123456789",
      "+  name: nginx-proxy-routes-abcdef0123",
      "   namespace: apps",
      " data:",
      "   routes.conf: |",
      "     a",
      "-    b",
      "+    c",
      " immutable: true",
      "",
    ].join("\n"),
  ]);
  // If two have the same name without the hash, the full names are used. The name of a Service never has a hash.
  const two = [routes("0123456789", "a"), routes("abcdef0123", "b")];
  assert.deepEqual(changesOf(two, [routes("0123456789", "a")]), [
    "deleted ConfigMap apps/nginx-proxy-routes-abcdef0123",
  ]);
  assert.deepEqual(changesOf([object("Service", "a-0123456789")], [object("Service", "a-abcdef0123")]), [
    "deleted Service apps/a-0123456789",
    "created Service apps/a-abcdef0123",
  ]);
});

test("the job of a release is one changed object: its name contains a hash of all that it runs", () => {
  const job = (hash: string, args: string) =>
    object("Job", `shop-release-${hash}`, { spec: { template: { spec: { containers: [{ args: [args] }] } } } });
  assert.deepEqual(changesOf([job("0123456789", "one")], [job("abcdef0123", "two")]), [
    "changed Job apps/shop-release",
  ]);
  const changed = job("0123456789", "two");
  assert.deepEqual(changesOf([job("0123456789", "one")], [changed]), ["replaced Job apps/shop-release spec.template"]);
  assert.deepEqual(changesOf([job("0123456789", "one")], []), ["deleted Job apps/shop-release"]);
});

test("a change of an immutable property is a replacement", () => {
  const pairs: [string, string, object, object, string][] = [
    ["Deployment", "web", { spec: { selector: { a: 1 } } }, { spec: { selector: { a: 2 } } }, "spec.selector"],
    ["Service", "web", { spec: { ports: [] } }, { spec: { ports: [], clusterIP: "None" } }, "spec.clusterIP"],
    ["Secret", "web", { type: "Opaque" }, { type: "kubernetes.io/tls" }, "type"],
    ["ConfigMap", "web", { data: { a: "1" } }, { data: { a: "2" } }, "data"],
  ];
  for (const [kind, name, before, after, because] of pairs) {
    const [old, now] = [object(kind, name, before), object(kind, name, after)];
    assert.deepEqual(changesOf([old], [now]), [`replaced ${kind} apps/${name} ${because}`]);
    assert.deepEqual(changesOf([old], [{ ...old, metadata: { ...old.metadata, labels: { a: "b" } } }]), [
      `changed ${kind} apps/${name}`,
    ]);
  }
});

test("values of Secrets are redacted, whatever the program printed", () => {
  const yaml = `apiVersion: v1
kind: Secret
metadata: { name: a }
data: { key: Y2FuYXJ5 }
stringData: { other: canary }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data: { key: plain }
`;
  const [secret, configMap] = parseObjects(yaml);
  assert.ok(secret && configMap);
  assert.deepEqual(secret["data"], { key: "(secret data.key not shown)" });
  assert.deepEqual(secret["stringData"], { other: "(secret stringData.other not shown)" });
  assert.match(textOf(configMap), /key: plain/);
  assert.deepEqual(parseObjects(""), []);
});

test("each pair of texts has git's diff", () => {
  const line = fc.constantFrom(
    "a",
    "b",
    "diff --git a/before/0.yaml b/after/0.yaml",
    "@@ -1 +1 @@",
    "--- a",
    "+++ b",
    "",
  );
  const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.map((each) => `${each}\n`).join(""));
  const pairs = fc.sample(fc.tuple(text, text), { numRuns: 300, seed: 7 });
  const differences = unifiedDiffs(pairs);
  for (const [index, [before, after]] of pairs.entries()) {
    const hunks = differences[index] ?? assert.fail();
    assert.equal(hunks === "", before === after);
    const lines = hunks.split("\n").slice(0, -1).filter((each) => !/^@@ -\d+(,\d+)? \+\d+(,\d+)? @@/.test(each)); // prettier-ignore
    const side = (signs: string) => lines.filter((each) => signs.includes(each[0] ?? "?")).map((each) => each.slice(1));
    // Short texts have all their lines as context.
    if (before !== after && before.length > 0 && before.split("\n").length < 5) assert.deepEqual(side(" -"), before.split("\n").slice(0, -1)); // prettier-ignore
    for (const added of side("+")) assert.ok(after.split("\n").includes(added));
    for (const taken of side("-")) assert.ok(before.split("\n").includes(taken));
  }
});
