/** The staging stack's resources in the engine: names, parents, and the order of deletion. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { valueOf, type Recorded } from "../../tools/testing/mocks.ts";
import { record } from "../../tools/testing/recorded.ts";

const { recording, outputs } = await record("staging");
const { resources } = recording;
const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));

const isComponent = ({ type }: Recorded) => type.startsWith("gke-microservices:");
const of = (type: string, name?: string) => recording.one(type, name);
const types = {
  cluster: "gcp:container/cluster:Cluster",
  pool: "gcp:container/nodePool:NodePool",
  address: "gcp:compute/globalAddress:GlobalAddress",
  vpc: "gcp:compute/network:Network",
  deployment: "kubernetes:apps/v1:Deployment",
  service: "kubernetes:core/v1:Service",
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
};

/**
 * All resources that a resource waits for, and that the engine deletes only after it. The engine follows dependencies,
 * parents and providers (https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/#creation-and-deletion-order).
 */
function waitsFor(resource: Recorded, seen = new Set<string>()): Set<string> {
  for (const urn of [...resource.dependencies, resource.parent, resource.provider]) {
    const next = byUrn.get(urn);
    if (next === undefined || seen.has(urn)) continue;
    seen.add(urn);
    waitsFor(next, seen);
  }
  return seen;
}

function assertAfter(later: Recorded, earlier: Recorded): void {
  assert.ok(waitsFor(later).has(earlier.urn), `${later.name} does not wait for ${earlier.name}`);
  assert.ok(!waitsFor(earlier).has(later.urn), `${earlier.name} waits for ${later.name} as well`);
}

test("no two resources of a kind share a name", () => {
  const seen = resources.map(({ type, name }) => `${type} ${name}`);
  assert.deepEqual(
    seen.filter((name, index) => seen.indexOf(name) !== index),
    [],
  );
  assert.ok(seen.length > 40);
});

test("each child is named after its component; only the namespace has none", () => {
  for (const resource of resources.filter((each) => !isComponent(each) && each.type !== "pulumi:pulumi:Stack")) {
    const parent = byUrn.get(resource.parent);
    if (parent === undefined || !isComponent(parent))
      assert.equal(resource.type, "kubernetes:core/v1:Namespace", resource.name);
    else assert.ok(resource.name.startsWith(`${parent.name}-`), `${resource.name} is a child of ${parent.name}`);
  }
});

test("every Kubernetes object is on the stack's own cluster", () => {
  const provider = of("pulumi:providers:kubernetes");
  const objects = resources.filter(({ type }) => type.startsWith("kubernetes:"));
  assert.ok(objects.length > 12);
  for (const object of objects) {
    assert.equal(object.provider, provider.urn, object.name);
    assertAfter(object, of(types.cluster));
    assertAfter(object, of(types.pool));
  }
});

test("deletion order: ingress before proxy and address, all before the cluster and its network", () => {
  const ingress = of(types.ingress);
  assertAfter(ingress, of(types.deployment, "nginx-proxy-deployment"));
  assertAfter(ingress, of(types.service, "nginx-proxy-service"));
  assertAfter(ingress, of(types.address));
  assertAfter(ingress, of("kubernetes:core/v1:Namespace"));
  assertAfter(of(types.pool), of(types.cluster));
  assertAfter(of(types.cluster), of(types.vpc));
  // Its deletion waits for the endpoint groups, which would block deleting the network.
  assert.equal(of("kubernetes:core/v1:Namespace").customTimeouts?.delete, "30m");
  for (const policy of recording.all("gcp:compute/sSLPolicy:SSLPolicy")) assertAfter(ingress, policy);
});

test("the proxy is created after the Services that it resolves", () => {
  for (const service of ["hoge", "web"])
    assertAfter(of(types.deployment, "nginx-proxy-deployment"), of(types.service, `${service}-pods`));
});

test("the cluster has its NAT, its nodes' roles and its APIs during its whole life", () => {
  const cluster = of(types.cluster);
  const within = byUrn.get(cluster.parent);
  const grants = recording.all("gcp:projects/iAMMember:IAMMember").filter(({ parent }) => parent === within?.urn);
  assert.equal(grants.length, 2);
  for (const grant of grants) assertAfter(cluster, grant);
  for (const type of ["routerNat:RouterNat", "router:Router", "subnetwork:Subnetwork", "network:Network"])
    assertAfter(cluster, of(`gcp:compute/${type}`));
  const apis = recording.all("gcp:projects/service:Service").filter(({ parent }) => parent === within?.urn);
  assert.ok(apis.length >= 5);
  for (const api of apis) assertAfter(cluster, api);
});

test("every object in the namespace waits for it", () => {
  const namespace = of("kubernetes:core/v1:Namespace");
  const objects = resources.filter(({ type }) => type.startsWith("kubernetes:") && type !== namespace.type);
  for (const object of objects) assertAfter(object, namespace);
});

test("pods run the built images, by digest", () => {
  for (const name of ["hoge", "web", "nginx-proxy"]) {
    const deployment = of(types.deployment, `${name}-deployment`);
    assertAfter(deployment, of("docker:index/image:Image", `staging-${name}`));
    assert.match(
      JSON.stringify(deployment.inputs),
      new RegExp(`"registry\\.example\\.com/staging-${name}@sha256:0{64}"`),
    );
  }
});

test("keys and tokens are only in inputs marked as secret", () => {
  const holders = resources.filter(({ inputs }) => JSON.stringify(inputs).includes("canary"));
  assert.ok(holders.length >= 4);
  for (const { name, inputs, secrets } of holders) {
    const open = Object.entries(inputs).filter(([key]) => !secrets.includes(key));
    assert.doesNotMatch(JSON.stringify(open), /canary/, name);
  }
});

test("the outputs are complete, and the kubeconfig is a secret", async () => {
  assert.deepEqual(Object.keys(outputs).sort(), [
    "address",
    "caCertificate",
    "certificates",
    "clusterName",
    "consoleUrl",
    "images",
    "kubeconfig",
    "routes",
    "url",
    "workloadsUrl",
  ]);
  const known: Record<string, unknown> = await valueOf(pulumi.output(outputs));
  assert.equal(known["url"], "https://staging.example.com/");
  assert.equal(known["address"], "203.0.113.7");
  assert.deepEqual(known["routes"], {
    "hoge.staging.example.com/": "hoge",
    "staging.example.com/": "web",
    "staging.example.com/hoge/": "hoge",
  });
  for (const [name, output] of Object.entries(outputs)) {
    assert.equal(await pulumi.isSecret(pulumi.output(output)), name === "kubeconfig", name);
    if (name !== "kubeconfig") assert.doesNotMatch(JSON.stringify(known[name] ?? null), /canary|gke\.goog/, name);
  }
});
