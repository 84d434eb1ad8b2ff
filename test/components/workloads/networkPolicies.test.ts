import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { NetworkPolicies, networkPolicies, type Flows } from "../../../components/workloads/networkPolicies.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const service = { ports: [8080], routed: false, calls: [], egress: [], hasRoles: false };
const flows: Flows = {
  namespace: "apps",
  dns: [],
  proxy: { ports: [8080], from: ["35.191.0.0/16"], fromPods: false, wildcards: [] },
  services: { hoge: { ...service, routed: true }, job: { ...service, calls: ["hoge"] } },
};

test("each policy is a child in the stack's namespace, named after its purpose", async () => {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const policies = new NetworkPolicies("network-policies", { namespace: "apps", flows }, { provider });
  const counts = { "nginx-proxy": 3, hoge: 4, job: 4 };
  for (const [name, count] of Object.entries(counts)) assert.equal(policies.before(name).length, count, name);
  policies.before("hoge"); // It already exists.
  await settled();
  const urn = await valueOf(policies.urn);
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:NetworkPolicies::network-policies");
  const children = recording.all("kubernetes:networking.k8s.io/v1:NetworkPolicy");
  assert.deepEqual(
    children.map(({ name }) => name).sort(),
    ["default-deny", "default-dns", "hoge.from.job", "hoge.from.nginx-proxy", "job.to.hoge", "nginx-proxy"].map(
      (n) => `network-policies-${n}`,
    ),
  );
  for (const child of children) {
    assert.equal(child.parent, urn, child.name);
    assert.equal(child.provider, await valueOf(provider.urn), child.name);
  }
  assert.deepEqual(recording.one(children[0]?.type ?? "", "network-policies-default-deny").inputs, {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: "default-deny",
      namespace: "apps",
      labels: {
        "app.kubernetes.io/name": "network-policies",
        "app.kubernetes.io/part-of": "gke-microservices",
      },
    },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  });
});

test("each flow has a policy of its own, so that one that ends can be deleted after the pods that used it", () => {
  const egress = [{ cidr: "10.1.0.0/16", ports: [5432] }];
  const shop = { ...service, routed: true, calls: ["stock", "till"], egress, hasRoles: true };
  const names = (services: Flows["services"]) => Object.keys(networkPolicies({ ...flows, services })).sort();
  const [stock, till] = [service, { ...service, ports: [9000] }];
  const before = names({ shop, stock, till });
  const after = names({ shop: { ...shop, routed: false, calls: ["till"], egress: [], hasRoles: false }, stock, till });
  assert.deepEqual(
    after.filter((name) => !before.includes(name)),
    [],
  );
  const ended = before.filter((name) => !after.includes(name));
  const [outside = ""] = ended.filter((name) => /^shop\.egress\.[0-9a-f]{10}$/.test(name));
  assert.deepEqual(ended, [outside, "shop.from.nginx-proxy", "shop.google-apis", "shop.to.stock", "stock.from.shop"]);
  // Those that stay do not change.
  const specs = (services: Flows["services"]) => networkPolicies({ ...flows, services }) as Record<string, object>;
  const [was, is] = [specs({ shop, stock, till }), specs({ shop: { ...shop, calls: ["till"] }, stock, till })];
  for (const name of Object.keys(is)) assert.deepEqual(is[name], was[name], name);
});

test("services cannot take a policy's name from the namespace or from each other", () => {
  const names = ["default", "default-deny", "dns", "default-dns", "wildcard", "wildcard-path", "from", "to", "egress"];
  const specs = networkPolicies({
    ...flows,
    services: Object.fromEntries(
      names.map((name) => [name, { ...service, routed: true, calls: names.filter((other) => other !== name) }]),
    ),
    proxy: { ...flows.proxy, wildcards: [{ by: "path", port: 8080, services: [] }] },
  });
  assert.equal(Object.keys(specs).length, 4 + names.length + 2 * names.length * (names.length - 1));
  // https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
  assert.ok(Object.keys(specs).every((name) => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)));
});
