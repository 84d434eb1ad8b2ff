/** The production stack in the engine: its differences from staging, and its permissions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { record } from "../../tools/testing/recorded.ts";
import type { PodTemplate } from "../podTemplate.ts";

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

test("the cluster is protected, and upgrades on the slowest channel one night a week; staging's is not protected", () => {
  const { protect, inputs } = production.one(types.cluster);
  assert.equal(protect, true);
  assert.equal(inputs["deletionProtection"], true);
  assert.deepEqual(inputs["releaseChannel"], { channel: "STABLE" });
  assert.deepEqual((inputs["maintenancePolicy"] as Tree)["recurringWindow"], {
    startTime: "2026-01-02T15:00:00Z",
    endTime: "2026-01-02T23:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=FR,SA",
  });
  const other = staging.one(types.cluster);
  assert.equal(other.protect, false);
  assert.equal(other.inputs["deletionProtection"], false);
});

test("nodes are in several zones, larger and never spot; staging has one small pool in one zone", () => {
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

test("Google's load balancers reach the proxy's three ports; with another controller nothing is opened", async () => {
  const firewalls = (of: typeof production) => of.all("gcp:compute/firewall:Firewall").map(({ inputs }) => inputs);
  const [rule, ...more] = firewalls(production);
  assert.deepEqual(more, []);
  assert.deepEqual(rule?.["allows"], [{ protocol: "tcp", ports: ["8080", "8443", "8081"] }]);
  const gateway = await record("staging", { edge: { kind: "gateway" } });
  assert.deepEqual(firewalls(gateway.recording)[0]?.["allows"], rule["allows"]);
  const ingress = { kind: "ingress", className: "contour", trustedProxies: ["10.4.0.0/14"] };
  assert.deepEqual(firewalls((await record("staging", { edge: ingress })).recording), []);
});

test("on Autopilot it finds nothing to change: every container asks for all the disk that it may use", async () => {
  const { recording } = await record("production", { cluster: { kind: "gke", mode: "autopilot" } });
  const containers = recording.all(types.deployment).flatMap(({ inputs }) => {
    const { template } = inputs["spec"] as { template: PodTemplate };
    return [...template.spec.containers, ...(template.spec.initContainers ?? [])];
  });
  const storage = containers.map(({ name, resources }) => {
    const { requests, limits } = resources;
    assert.equal(requests["ephemeral-storage"], limits["ephemeral-storage"], name);
    assert.equal(requests["memory"], limits["memory"], name);
    return [name, requests["cpu"], requests["memory"], requests["ephemeral-storage"]];
  });
  assert.deepEqual(storage.sort(), [
    ["hoge", "250m", "256Mi", "768Mi"],
    ["metrics", "50m", "64Mi", "512Mi"],
    ["nginx", "100m", "128Mi", "1536Mi"],
    ["web", "250m", "256Mi", "768Mi"],
  ]);
});

test("services run the configured images; only the proxy is built", () => {
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

test("a service with roles has a Google identity, created after the cluster and before its pods", () => {
  const identity = production.one(types.identity);
  assert.equal(identity.name, "hoge-identity");
  const ours = production.resources.filter(({ parent }) => parent === identity.urn);
  assert.equal(ours.length, 4);
  // Children wait for their parent's dependencies, and are deleted before them: the provider, and so the cluster.
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

test("a service without roles has no accounts and no roles", () => {
  assert.deepEqual(staging.all(types.identity), []);
  assert.deepEqual(staging.all(types.serviceAccount), []);
  assert.deepEqual(
    staging.all(types.account).map(({ name }) => name),
    ["staging-nodes"],
  );
  for (const { inputs, name } of staging.all(types.deployment))
    assert.doesNotMatch(JSON.stringify(inputs), /serviceAccountName/, name);
});
