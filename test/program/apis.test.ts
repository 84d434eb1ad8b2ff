/** Google APIs: each resource waits for the API that it is made with, and no stack ever disables one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { googleApis, serviceOf, type GoogleApi } from "../../names/googleApis.ts";
import { record } from "../../tools/testing/recorded.ts";
import type { Recorded } from "../../tools/testing/mocks.ts";

const image = "registry.example.com/apps/a:1";
const encryptionKey = "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets";
const iap = { members: ["group:developers@example.com"] };
const services = { web: { image, routes: [{ path: "/" }], roles: ["roles/pubsub.publisher"] } };
const stacks = {
  staging: () => record("staging"),
  production: () => record("production"),
  "a Gateway": () =>
    record("staging", {
      cluster: { kind: "gke", encryptionKey },
      edge: { kind: "gateway", armor: {} },
      tls: { mode: "managed" },
      dns: { create: true },
      proxy: { metrics: { byService: true } },
      services,
    }),
  "an Ingress with IAP": () => record("staging", { edge: { kind: "gce", armor: {}, iap }, services }),
};

/** By module of the provider. */
const apiOf: Readonly<Record<string, GoogleApi>> = {
  artifactregistry: "artifactregistry",
  certificatemanager: "certificatemanager",
  compute: "compute",
  container: "container",
  dns: "dns",
  iap: "iap",
  kms: "cloudkms",
  logging: "logging",
  projects: "cloudresourcemanager",
  serviceaccount: "iam",
};
const moduleOf = ({ type }: Recorded) => type.split(/[:/]/)[1] ?? "";
const serviceType = "gcp:projects/service:Service";

test("every resource on Google waits for an API, which stays enabled when the stack is destroyed", async () => {
  const modules = new Set<string>();
  const enabled = new Set<unknown>();
  for (const [stack, evaluated] of Object.entries(stacks)) {
    const { recording } = await evaluated();
    const byUrn = new Map(recording.resources.map((resource) => [resource.urn, resource]));
    const before = (resource: Recorded, seen = new Set<Recorded>()): Set<Recorded> => {
      for (const urn of [...resource.dependencies, resource.parent, resource.provider]) {
        const next = byUrn.get(urn);
        if (next === undefined || seen.has(next)) continue;
        seen.add(next);
        before(next, seen);
      }
      return seen;
    };
    for (const { inputs, name } of recording.all(serviceType)) {
      assert.equal(inputs["disableOnDestroy"], false, `${stack}: ${name}`);
      enabled.add(inputs["service"]);
    }
    for (const resource of recording.resources) {
      if (!resource.type.startsWith("gcp:") || resource.type === serviceType) continue;
      const api = apiOf[moduleOf(resource)];
      assert.ok(api, resource.type);
      modules.add(moduleOf(resource));
      const services = [...before(resource)].filter(({ type }) => type === serviceType);
      assert.ok(
        services.some(({ inputs }) => inputs["service"] === serviceOf(api)),
        `${stack}: ${resource.name} does not wait for the API ${api}`,
      );
    }
  }
  assert.deepEqual([...modules].sort(), Object.keys(apiOf).sort());
  const bootstrapOnly: readonly GoogleApi[] = ["serviceusage", "sts", "storage"];
  assert.deepEqual(
    [...enabled].sort(),
    (Object.keys(googleApis) as GoogleApi[])
      .filter((api) => !bootstrapOnly.includes(api))
      .map(serviceOf)
      .sort(),
  );
});
