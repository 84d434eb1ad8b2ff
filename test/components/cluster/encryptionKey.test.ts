/** The key of the cluster's secrets: GKE may use it before the cluster exists, and for ever. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { make } from "./gkeStaging.ts";

const encryptionKey = "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets";

test("with a key, GKE's service agent may use it before the cluster is made, and Pulumi never revokes that", async () => {
  const { recording, urn } = await make({ encryptionKey });
  const cluster = recording.one("gcp:container/cluster:Cluster");
  assert.deepEqual(cluster.inputs["databaseEncryption"], { state: "ENCRYPTED", keyName: encryptionKey });
  const grant = recording.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember");
  assert.equal(grant.name, "staging-key-user");
  assert.deepEqual(grant.inputs, {
    cryptoKeyId: encryptionKey,
    role: "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    member: "serviceAccount:service-123456789012@container-engine-robot.iam.gserviceaccount.com",
  });
  assert.equal(grant.parent, urn);
  assert.equal(grant.retainOnDelete, true);
  assert.ok(cluster.dependencies.includes(grant.urn));
  const kms = recording
    .all("gcp:projects/service:Service")
    .find(({ inputs }) => inputs["service"] === "cloudkms.googleapis.com");
  assert.ok(kms !== undefined && grant.dependencies.includes(kms.urn));
});

test("the program does not create the service agent, which takes a right that no role of the deployer has", async () => {
  const { recording } = await make({ encryptionKey });
  assert.deepEqual(recording.all("gcp:projects/serviceIdentity:ServiceIdentity"), []);
});

test("without a key there is neither the grant nor its API, and nothing else is retained", async () => {
  const { recording } = await make();
  assert.deepEqual(recording.all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"), []);
  for (const { inputs } of recording.all("gcp:projects/service:Service"))
    assert.notEqual(inputs["service"], "cloudkms.googleapis.com");
  for (const { name, retainOnDelete } of recording.resources) assert.equal(retainOnDelete, false, name);
});
