import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { NetworkPolicies, networkPolicies, type Flows } from "../../../components/workloads/networkPolicies.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const service = { port: 8080, routed: false, calls: [], egress: [], hasRoles: false };
const flows: Flows = {
  namespace: "apps",
  dns: [],
  proxy: { ports: [8080], from: ["35.191.0.0/16"], fromPods: false, wildcards: [] },
  services: { hoge: { ...service, routed: true }, job: service },
};

test("each policy is a child in the stack's namespace, named after its purpose", async () => {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const policies = new NetworkPolicies("network-policies", { namespace: "apps", flows }, { provider });
  for (const name of ["nginx-proxy", ...Object.keys(flows.services)])
    assert.equal(policies.before(name).length, 3, name);
  policies.before("hoge"); // It already exists.
  await settled();
  const urn = await valueOf(policies.urn);
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:NetworkPolicies::network-policies");
  const children = recording.all("kubernetes:networking.k8s.io/v1:NetworkPolicy");
  assert.deepEqual(
    children.map(({ name }) => name).sort(),
    ["default-deny", "default-dns", "hoge-flows", "job-flows", "nginx-proxy-flows"].map((n) => `network-policies-${n}`),
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

test("a service without callers has no rule, which would allow everybody", () => {
  const specs: Record<string, object> = networkPolicies(flows);
  assert.deepEqual(specs["job-flows"], {
    podSelector: { matchLabels: { "app.kubernetes.io/name": "job" } },
    policyTypes: ["Ingress", "Egress"],
    ingress: [],
    egress: [],
  });
});

test("services cannot take a policy's name from the namespace or from each other", () => {
  const names = ["default", "default-deny", "dns", "default-dns", "wildcard", "wildcard-path", "hoge", "hoge-flows"];
  const specs = networkPolicies({
    ...flows,
    services: Object.fromEntries(names.map((name) => [name, service])),
    proxy: { ...flows.proxy, wildcards: [{ by: "path", port: 8080, services: [] }] },
  });
  assert.equal(Object.keys(specs).length, names.length + 4);
  assert.ok(Object.keys(specs).every((name) => /^[a-z0-9-]{1,63}$/.test(name)));
});
