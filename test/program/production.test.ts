/** The production stack as the engine is told of it: what its config changes against staging's, and who may do what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { record } from "../../tools/testing/recorded.ts";

const { recording } = await record("production");
const production = recording;
const { recording: staging } = await record("staging");
const types = {
  cluster: "gcp:container/cluster:Cluster",
  pool: "gcp:container/nodePool:NodePool",
  image: "docker:index/image:Image",
  repository: "gcp:artifactregistry/repository:Repository",
  deployment: "kubernetes:apps/v1:Deployment",
  identity: "gke-microservices:index:WorkloadIdentity",
  account: "gcp:serviceaccount/account:Account",
  serviceAccount: "kubernetes:core/v1:ServiceAccount",
  grant: "gcp:projects/iAMMember:IAMMember",
};
type Tree = Record<string, unknown>;

test("the cluster cannot be deleted, and follows the slowest channel in one night of the week; staging's is free to go", () => {
  const { protect, inputs } = production.one(types.cluster);
  assert.equal(protect, true);
  assert.equal(inputs["deletionProtection"], true);
  assert.deepEqual(inputs["releaseChannel"], { channel: "STABLE" });
  assert.deepEqual((inputs["maintenancePolicy"] as Tree)["recurringWindow"], {
    startTime: "2026-01-03T17:00:00Z",
    endTime: "2026-01-03T21:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=SA",
  });
  const other = staging.one(types.cluster);
  assert.equal(other.protect, false);
  assert.equal(other.inputs["deletionProtection"], false);
});

test("nodes are in every zone of the region, larger and never spot; staging's are one small pool in one zone", () => {
  const nodes = (of: typeof production) => {
    const { inputs } = of.one(types.pool);
    const { machineType, spot } = inputs["nodeConfig"] as Tree;
    return { machineType, spot, autoscaling: inputs["autoscaling"], location: inputs["location"] };
  };
  assert.deepEqual(nodes(production), {
    machineType: "e2-standard-4",
    spot: false,
    autoscaling: { minNodeCount: 1, maxNodeCount: 6 },
    location: "asia-northeast1",
  });
  const zones = (of: typeof production) =>
    [of.one(types.cluster), of.one(types.pool)].flatMap(({ inputs }) => inputs["nodeLocations"] ?? []);
  assert.deepEqual(zones(production), []); // Google's choice: three zones of the region.
  assert.deepEqual([...new Set(zones(staging))], ["asia-northeast1-a"]);
  assert.equal(nodes(staging).machineType, "e2-standard-2");
  assert.equal(nodes(staging).spot, true);
});

test("services run the versions that the config names; the proxy alone is built here", () => {
  assert.deepEqual(
    production.all(types.image).map(({ name }) => name),
    ["production-nginx-proxy"],
  );
  for (const [name, image] of [
    ["hoge", "asia-northeast1-docker.pkg.dev/acme-production/apps/hoge:1.4.2"],
    ["web", "asia-northeast1-docker.pkg.dev/acme-production/apps/web:2.0.1"],
  ] as const)
    assert.match(
      JSON.stringify(production.one(types.deployment, `${name}-deployment`).inputs),
      new RegExp(`"${image}"`),
    );
});

test("a service with roles is somebody on Google, once the cluster is there and before its pods are", () => {
  const identity = production.one(types.identity);
  assert.equal(identity.name, "hoge-identity");
  const ours = production.resources.filter(({ parent }) => parent === identity.urn);
  assert.equal(ours.length, 4);
  // Children wait for what their parent waits for, and go before it: the provider, and by it the cluster.
  const provider = production.one("pulumi:providers:kubernetes");
  assert.deepEqual(identity.dependencies, [provider.urn]);
  assert.ok(provider.dependencies.includes(production.one(types.cluster).urn));
  assert.equal(production.one(types.account, "hoge-identity-account").inputs["accountId"], "production-svc-hoge");
  assert.deepEqual(
    production
      .all(types.grant)
      .map(({ inputs }) => inputs["role"])
      .sort(),
    ["roles/artifactregistry.reader", "roles/cloudtrace.agent", "roles/container.defaultNodeServiceAccount"],
  );
  const deployment = production.one(types.deployment, "hoge-deployment");
  assert.ok(deployment.dependencies.includes(production.one(types.serviceAccount).urn));
});

test("a service without roles is nobody: no account, no role, on either side", () => {
  assert.deepEqual(staging.all(types.identity), []);
  assert.deepEqual(staging.all(types.serviceAccount), []);
  assert.deepEqual(
    staging.all(types.account).map(({ name }) => name),
    ["staging-nodes"],
  );
  for (const { inputs, name } of staging.all(types.deployment))
    assert.doesNotMatch(JSON.stringify(inputs), /serviceAccountName/, name);
});
