/** Every resource of every stack passes all mandatory rules of the policy pack. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { appliesTo, type Rule } from "../../policy/rule.ts";
import { allRules, findings } from "../../policy/allRules.ts";
import { record } from "../../tools/testing/recorded.ts";
import { stacksDir } from "./rendered.ts";

const stacks = readdirSync(stacksDir).flatMap(
  (file) => /^Pulumi\.(local|staging|production)\.yaml$/.exec(file)?.[1] ?? [],
);
assert.equal(stacks.length, 3);

/** Settings that no stack of the project uses. */
const variants: Record<string, Readonly<Record<string, object>>> = {
  "in Autopilot": { cluster: { kind: "gke", mode: "autopilot" } },
  "with an IP endpoint": {
    cluster: { kind: "gke", endpoint: { kind: "ip", authorizedNetworks: { office: "203.0.113.0/24" } } },
  },
  "with two pools": { cluster: { kind: "gke", nodePools: { main: {}, batch: { spot: true, minPerZone: 0 } } } },
  "with restrictive Cloud Armor rules": {
    edge: { kind: "gce", armor: { log4j: false, allow: ["203.0.113.0/24"] } },
  },
  "with a gRPC route": {
    services: { orders: { image: "example.com/orders:1", routes: [{ host: "grpc", protocol: "grpc" }] } },
  },
  "with jobs": {
    services: {
      shop: { image: "example.com/shop:1", release: { args: ["migrate"] } },
      nightly: { like: "shop", args: ["cleanup"], schedule: "@daily" },
    },
  },
  "with all metrics": { proxy: { metrics: { byService: true } } },
  "behind a Gateway of Google's": { edge: { kind: "gateway", armor: {} }, tls: { mode: "managed" } },
};
/** The settings that avoid every warning. */
const closed = {
  cluster: {
    kind: "gke",
    securityGroup: "gke-security-groups@example.com",
    encryptionKey: "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets",
  },
  tls: { mode: "managed" },
  dns: { create: true },
  edge: { kind: "gce", armor: { rateLimit: { requests: 100 } }, iap: { members: ["group:team@example.com"] } },
  services: {
    hoge: { build: { context: "./services/sample" }, routes: [{ path: "/" }], roles: ["roles/pubsub.publisher"] },
  },
};

const seen = new Set<string>();
async function findingsOf(stack: string, changes: Readonly<Record<string, object>>, rules?: readonly Rule[]) {
  const { resources } = (await record(stack, changes)).recording;
  assert.ok(resources.length > 12);
  for (const { type } of resources) seen.add(type);
  return resources.flatMap(({ type, name, inputs }) =>
    findings(type, inputs, rules).map((finding) => ({ name, ...finding })),
  );
}

for (const stack of stacks)
  test(`stack ${stack} breaks no mandatory rule`, async () => {
    assert.deepEqual(await findingsOf(stack, {}), []);
  });

for (const [what, changes] of Object.entries(variants))
  test(`staging ${what} breaks no mandatory rule`, async () => {
    assert.deepEqual(await findingsOf("staging", changes), []);
  });

test("a stack can pass all rules", async () => {
  assert.deepEqual(await findingsOf("staging", closed, allRules), []);
});

test("stacks get warnings for their choices; production's remaining ones need the team's own resources", async () => {
  const warningsOf = async (stack: string) => {
    const found = await findingsOf(stack, {}, allRules);
    return [...new Set(found.map(({ id }) => id))].sort();
  };
  const own = ["cluster-google-groups", "cluster-secrets-own-key"];
  assert.deepEqual(await warningsOf("production"), own);
  assert.deepEqual(await warningsOf("staging"), [
    "cluster-deletion-protection",
    ...own,
    "edge-armor",
    "edge-managed-certificate",
  ]);
});

test("the rules apply to resources of the stacks", () => {
  const idle = allRules.filter(({ resource }) => ![...seen].some((type) => appliesTo(resource, type)));
  // Resources that no stack should ever have.
  assert.deepEqual(
    idle.map(({ id }) => id),
    ["iam-no-account-keys"],
  );
});
