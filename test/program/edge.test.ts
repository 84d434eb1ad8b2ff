/** Staging with every feature of Google's load balancer, in the program and in `npm run render`. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { parse, stringify } from "yaml";
import { valueOf } from "../../tools/testing/mocks.ts";
import { record } from "../../tools/testing/recorded.ts";
import { objectsOf, stacksDir, type Rendered } from "./rendered.ts";

const edge = {
  kind: "gce",
  timeoutSeconds: 120,
  drainSeconds: 40,
  armor: { rateLimit: { requests: 600 }, allow: ["203.0.113.0/24"] },
};
const iap = { members: ["group:team@example.com"] };
const changes = { edge: { ...edge, iap }, tls: { mode: "managed" }, dns: { create: true, wildcard: true } };
const hosts = ["staging.example.com", "hoge.staging.example.com"];

test("each feature creates its Google resources exactly once", async () => {
  const { recording, outputs } = await record("staging", changes);
  const count = (type: string) => recording.all(type).length;
  assert.equal(count("gcp:compute/managedSslCertificate:ManagedSslCertificate"), hosts.length);
  assert.equal(count("gcp:dns/recordSet:RecordSet"), hosts.length + 1);
  for (const type of [
    "gcp:compute/globalAddress:GlobalAddress",
    "gcp:compute/securityPolicy:SecurityPolicy",
    "gcp:compute/sSLPolicy:SSLPolicy",
    "gcp:dns/managedZone:ManagedZone",
    "gcp:iap/webTypeComputeIamMember:WebTypeComputeIamMember",
  ])
    assert.equal(count(type), 1, type);
  for (const { inputs } of recording.all("gcp:dns/recordSet:RecordSet"))
    assert.deepEqual(inputs["rrdatas"], ["203.0.113.7"]);
  // The fallback until Google has issued the certificates.
  assert.equal(count("gcp:compute/sSLCertificate:SSLCertificate"), 1);
  const known: Record<string, unknown> = await valueOf(pulumi.output(outputs));
  assert.equal(known["url"], "https://staging.example.com/");
  assert.deepEqual(Object.keys(known["certificates"] as object), hosts);
  assert.deepEqual(known["hostsElsewhere"], []);
});

test("without a fallback, managed certificates need no keys in the stack", async () => {
  const { recording } = await record("staging", { ...changes, tls: { mode: "managed", fallback: "none" } });
  const keys = /^tls:|sSLCertificate/;
  assert.deepEqual(
    recording.resources.filter(({ type }) => keys.test(type)).map(({ urn }) => urn),
    [],
  );
});

/** The output of `npm run render` for staging with other settings. */
async function rendered(settings: Record<string, object>) {
  const stack = `test-${process.pid}-edge`;
  const path = join(stacksDir, `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(join(stacksDir, "Pulumi.staging.yaml"), "utf8")) as { config: object };
  writeFileSync(path, stringify({ config: { ...config, ...settings } }));
  try {
    return await objectsOf(stack);
  } finally {
    rmSync(path);
  }
}
const specOf = (object: Rendered) => (object as unknown as { spec: Record<string, unknown> }).spec;

test("the rendered objects match", async () => {
  const objects = await rendered(changes);
  const { healthCheck, ...backend } = specOf(objects.named("BackendConfig", "nginx-proxy"));
  assert.deepEqual(Object.keys(healthCheck as object).length, 7);
  assert.deepEqual(backend, {
    connectionDraining: { drainingTimeoutSec: 40 },
    timeoutSec: 120,
    securityPolicy: { name: "(ingress-armor-policy name not shown)" },
    cdn: { enabled: false },
    iap: { enabled: true },
  });
  assert.deepEqual(specOf(objects.named("FrontendConfig", "ingress")), {
    sslPolicy: "(ingress-ssl-policy name not shown)",
    redirectToHttps: { enabled: true, responseCodeName: "MOVED_PERMANENTLY_DEFAULT" },
  });
  const { metadata, spec } = objects.named("Ingress", "ingress");
  assert.match(
    metadata.annotations?.["ingress.gcp.kubernetes.io/pre-shared-cert"] ?? "",
    /^test-\d+-edge-staging-example-com-[0-9a-f]{6},test-\d+-edge-hoge-staging-example-com-[0-9a-f]{6}$/,
  );
  assert.equal(spec.tls, undefined);
  assert.deepEqual(objects.of("Secret"), []);
});

test("Cloud CDN instead of Identity-Aware Proxy", async () => {
  const objects = await rendered({ ...changes, edge: { ...edge, cdn: {} } });
  const { cdn, ...others } = specOf(objects.named("BackendConfig", "nginx-proxy"));
  assert.deepEqual(cdn, {
    enabled: true,
    cacheMode: "USE_ORIGIN_HEADERS",
    cachePolicy: { includeHost: true, includeProtocol: true, includeQueryString: true },
  });
  assert.ok(!("iap" in others));
});
