/** A domain-scoped project, such as example.com:shop: everything that is derived from its ID has the right form. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { bootstrapScript } from "../../tools/bootstrap/script.ts";
import { checkConfig } from "../../config/config.ts";
import { fullKey } from "../../names/project.ts";
import { readStackFile, stackFile } from "../../tools/stack/stackFile.ts";
import { recordConfig } from "../../tools/testing/recorded.ts";
import { valueOf } from "../../tools/testing/mocks.ts";
import { projectDir } from "./rendered.ts";

const project = "example.com:shop";
const encryptionKey = `projects/${project}/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets`;
const role = `projects/${project}/roles/orders`;
const config = {
  ...readStackFile(stackFile("staging")),
  "gcp:project": project,
  [fullKey("cluster")]: JSON.stringify({ kind: "gke", encryptionKey }),
  [fullKey("edge")]: JSON.stringify({ kind: "gateway", armor: {} }),
  [fullKey("tls")]: JSON.stringify({ mode: "managed" }),
  [fullKey("dns")]: JSON.stringify({ create: true }),
  [fullKey("services")]: JSON.stringify({
    orders: { build: { context: "./services/sample" }, roles: [role], routes: [{ path: "/" }] },
    web: { image: "asia-northeast1-docker.pkg.dev/example.com/shop/apps/web:1", routes: [{ path: "/web/" }] },
  }),
};

/** Every text in a value. */
const textsIn = (value: unknown): string[] =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

test("resources name the project in the form of each service", async () => {
  const { recording, outputs } = await recordConfig("staging", config);
  const found = new Set<string>();
  for (const { type, name, inputs } of recording.resources) {
    if (type.startsWith("gcp:") && "project" in inputs) assert.equal(inputs["project"], project, name);
    if (type === "pulumi:providers:kubernetes") continue; // Its kubeconfig is below.
    for (const text of textsIn(inputs)) if (/example\.com.{1,2}shop/.test(text)) found.add(text);
  }
  const tags = /:[0-9a-f]{12,}$/;
  assert.deepEqual([...found].map((text) => text.replace(tags, ":TAG")).sort(), [
    "asia-northeast1-docker.pkg.dev/example.com/shop/apps/web:1",
    "asia-northeast1-docker.pkg.dev/example.com/shop/staging-images/nginx-proxy:TAG",
    "asia-northeast1-docker.pkg.dev/example.com/shop/staging-images/orders:TAG",
    project,
    `${project}.svc.id.goog`,
    encryptionKey,
    role,
    `serviceAccount:${project}.svc.id.goog[apps/orders]`,
  ]);

  const known: Record<string, unknown> = await valueOf(pulumi.output(outputs));
  const kubeconfig = parse(String(known["kubeconfig"])) as { "current-context": string };
  assert.equal(kubeconfig["current-context"], `gke_${project}_asia-northeast1_staging-cluster-0000000`);
  assert.match(String(known["consoleUrl"]), /\?project=example\.com:shop$/);
  assert.equal(new URL(String(known["consoleUrl"])).searchParams.get("project"), project);
  assert.equal(new URL(String(known["workloadsUrl"])).searchParams.get("project"), project);
});

test("bootstrap names accounts after the domain, and a bucket without dots and colons", () => {
  const script = bootstrapScript({
    ...{ stack: "staging", project, region: "asia-northeast1", bucket: "b", grants: [role], encryptionKey },
    ...{ scan: false, dns: false, certificateManager: false, iap: false, requestMetrics: false },
    ...{ repository: "acme/shop", branch: "main", pulumiProject: "gke-microservices", keyName: "gke-microservices" },
  });
  assert.doesNotMatch(script, /@example\.com:shop/);
  for (const text of [
    "--member=serviceAccount:pulumi-deployer@shop.example.com.iam.gserviceaccount.com",
    "STAGING_PREVIEWER --repo acme/shop --body pulumi-previewer@shop.example.com.iam.gserviceaccount.com",
    "gcloud projects describe example.com:shop ",
    "--role=projects/example.com:shop/roles/pulumiSecretsReader",
    "--role=projects/example.com:shop/roles/pulumiKeyLender",
    "gcpkms://projects/example.com:shop/locations/asia-northeast1/keyRings/pulumi/cryptoKeys/gke-microservices",
    `kms keys add-iam-policy-binding ${encryptionKey} `,
  ])
    assert.ok(script.includes(text), text);
});

test("only a domain with a dot may stand before the colon", () => {
  const accepts = (id: string) => {
    try {
      checkConfig({ ...readStackFile(stackFile("staging")), "gcp:project": id }, "staging", projectDir);
      return true;
    } catch (error) {
      assert.match(String(error), /gcp:project\n.*is not a Google Cloud project; set one such as acme-staging/);
      return false;
    }
  };
  for (const id of ["example.com:shop", "a-b.example.co.jp:acme-staging", "acme-staging"])
    assert.equal(accepts(id), true, id);
  for (const id of [
    "example:shop-1",
    "Example.com:shop-1",
    "example.com:",
    "example.com:shop-",
    ".com:shop-1",
    "a.b:c:d-efgh",
  ])
    assert.equal(accepts(id), false, id);
});
