/** Each rule passes the valid example, finds what breaks it, and never reports an unknown value. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { appliesTo, at, unknown, type Properties } from "../../policy/rule.ts";
import { allRules, describe, findings } from "../../policy/allRules.ts";
import { examples } from "./examples.ts";

const keys = (path: string) => [...path.matchAll(/"([^"]+)"|([^.[\]"]+)/g)].map(([, a, b]) => a ?? b ?? "");

/** A copy with the value at the path; undefined removes it. */
function changed(props: Properties, path: readonly string[], value: unknown): Properties {
  const [key = "", ...rest] = path;
  const copy = (Array.isArray(props) ? [...(props as unknown[])] : { ...props }) as Record<string, unknown>;
  if (rest.length > 0) copy[key] = changed((copy[key] ?? {}) as Properties, rest, value);
  else if (value === undefined) Reflect.deleteProperty(copy, key);
  else copy[key] = value;
  return copy;
}

/** The paths of all values, containers included. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

for (const { type, good, broken } of examples)
  suite(type, () => {
    test("the valid example passes every rule", () => {
      assert.deepEqual(findings(type, good, allRules), []);
    });

    for (const [id, breaks] of Object.entries(broken))
      for (const [path, value, property = path] of breaks)
        test(`${id} finds ${path} ${value === undefined ? "missing" : JSON.stringify(value)}`, () => {
          const bad = changed(good, keys(path), value);
          const found = findings(type, bad, allRules);
          assert.deepEqual(
            found.map((each) => [each.id, each.property]),
            [[id, property]],
          );
          assert.ok(found[0] !== undefined && found[0].fix.length > 5);
          if (property === path) assert.deepEqual(found[0].value, value);
          // As in a preview: the same path with an unknown value.
          assert.deepEqual(findings(type, changed(bad, keys(path), unknown), allRules), []);
        });

    test("an unknown value is never a violation, at any path", () => {
      for (const path of pathsOf(good))
        assert.deepEqual(findings(type, changed(good, path, unknown), allRules), [], path.join("."));
    });
  });

test("each rule has an example or a test below, and each example has a rule", () => {
  const shown = examples.flatMap(({ broken }) => Object.keys(broken));
  const ids = allRules.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...new Set([...shown, "cluster-own-account", "iam-no-account-keys"])].sort(), [...ids].sort());
  for (const { type, broken } of examples)
    for (const id of Object.keys(broken)) {
      const rule = allRules.find((each) => each.id === id);
      assert.ok(rule !== undefined && appliesTo(rule.resource, type), `${id} on ${type}`);
    }
});

test("a service account key is always a violation", () => {
  const found = findings("gcp:serviceaccount/key:Key", { serviceAccountId: "nodes" });
  assert.deepEqual(found, [
    { id: "iam-no-account-keys", property: "serviceAccountId", value: "nodes", fix: "use workload identity" },
  ]);
  assert.deepEqual(findings("gcp:serviceaccount/account:Account", { accountId: "nodes" }), []);
});

test("without an IP endpoint no allow list is required", () => {
  const cluster = examples[0]?.good ?? assert.fail();
  const closed = changed(cluster, keys("controlPlaneEndpointsConfig.ipEndpointsConfig.enabled"), false);
  const bare = changed(closed, ["masterAuthorizedNetworksConfig"], undefined);
  assert.deepEqual(findings("gcp:container/cluster:Cluster", bare), []);
  const open = changed(bare, ["controlPlaneEndpointsConfig"], undefined);
  assert.deepEqual(
    findings("gcp:container/cluster:Cluster", open).map(({ property }) => property),
    ["masterAuthorizedNetworksConfig.cidrBlocks", "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled"],
  );
});

test("a firewall rule that denies, or is for outgoing traffic, may be for every address", () => {
  const type = "gcp:compute/firewall:Firewall";
  const { good } = examples.find((each) => each.type === type) ?? assert.fail();
  const all = { ...good, sourceRanges: ["0.0.0.0/0"] };
  assert.deepEqual(findings(type, { ...all, allows: undefined, denies: [{ protocol: "all" }] }), []);
  assert.deepEqual(findings(type, { ...all, direction: "EGRESS" }), []);
});

test("only Google's Ingress needs a Google-managed certificate", () => {
  const type = "kubernetes:networking.k8s.io/v1:Ingress";
  assert.deepEqual(findings(type, { metadata: { namespace: "apps" } }, allRules), []);
});

test("Autopilot's fixed settings are not required there, the others are", () => {
  const good = examples[0]?.good ?? assert.fail();
  const fixed = [
    "removeDefaultNodePool",
    "datapathProvider",
    "enableIntranodeVisibility",
    "enableShieldedNodes",
    "nodePoolDefaults",
  ];
  const type = "gcp:container/cluster:Cluster";
  const created = changed(good, ["nodeConfig"], undefined);
  assert.deepEqual(findings(type, created, allRules), [], "a cluster whose default pool is long gone");
  const bare = fixed.reduce((props, key) => changed(props, [key], undefined), created);
  assert.equal(findings(type, bare, allRules).length, fixed.length);
  const autopilot = {
    ...bare,
    enableAutopilot: true,
    clusterAutoscaling: { autoProvisioningDefaults: { serviceAccount: "nodes@acme.iam.gserviceaccount.com" } },
    nodePoolAutoConfig: { nodeKubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
  };
  assert.deepEqual(findings(type, autopilot, allRules), []);
  assert.deepEqual(
    findings(type, { ...autopilot, nodeConfig: good["nodeConfig"] }).map(({ id, property }) => [id, property]),
    [["cluster-pools-apart", "nodeConfig"]],
  );
  assert.deepEqual(findings(type, { ...bare, enableAutopilot: unknown }, allRules), []);
  const without = { ...autopilot, clusterAutoscaling: undefined, nodePoolAutoConfig: {}, privateClusterConfig: {} };
  assert.deepEqual(
    findings(type, without).map(({ id, property }) => [id, property]),
    [
      ["cluster-private-nodes", "privateClusterConfig.enablePrivateNodes"],
      ["cluster-kubelet-port", "nodePoolAutoConfig.nodeKubeletConfig.insecureKubeletReadonlyPortEnabled"],
      ["cluster-own-account", "clusterAutoscaling.autoProvisioningDefaults.serviceAccount"],
    ],
  );
});

test("init containers are checked too", () => {
  const type = "kubernetes:apps/v1:Deployment";
  const { good } = examples.find((each) => each.type === type) ?? assert.fail();
  const path = keys("spec.template.spec.initContainers");
  const found = findings(type, changed(good, path, [{ image: "busybox" }]));
  assert.ok(found.length >= 7);
  assert.ok(found.every(({ property }) => property.startsWith("spec.template.spec.initContainers[0].")));
});

test("a path supports keys with dots and indexes, and stops at an unknown value", () => {
  const props = { a: [{ "b.c": 1 }], d: unknown, e: null };
  assert.equal(at(props, 'a[0]["b.c"]'), 1);
  assert.equal(at(props, "a[1].x"), undefined);
  assert.equal(at(props, "d.any.thing"), unknown);
  assert.equal(at(props, "e.f"), undefined);
  assert.equal(at(props, "e"), undefined);
});

test("a violation shows the property, its value and the fix, at a limited length", () => {
  const violation = { property: "a.b", value: false, fix: "set it to true" };
  assert.equal(describe(violation), "a.b is false; set it to true");
  assert.equal(describe({ ...violation, value: undefined }), "a.b is not set; set it to true");
  assert.equal(describe({ ...violation, value: { c: unknown } }), 'a.b is {"c":"(not known yet)"}; set it to true');
  assert.ok(describe({ ...violation, value: "x".repeat(5000) }).length < 300);
});

test("rules without a choice are mandatory, the others warn with a reason", () => {
  for (const { id, choice, severity, title, required, benchmark } of allRules) {
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)+$/);
    assert.ok(choice === undefined || severity !== "critical", id);
    assert.ok(choice === undefined || choice.length > 10, id);
    assert.doesNotMatch(`${title}${required}`, /undefined|\.$/, id);
    for (const name of benchmark) assert.match(name, /^(CIS GKE \d+\.\d+\.\d+|CKV2?_(GCP|K8S)_\d+)$/, id);
  }
});
