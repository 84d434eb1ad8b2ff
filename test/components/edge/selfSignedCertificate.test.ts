import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import {
  SelfSignedCertificate,
  type SelfSignedCertificateArgs,
} from "../../../components/edge/selfSignedCertificate.ts";
import { createAuthority } from "../../../tools/cli/pki.ts";
import { mockPulumi, settled, valueOf, type MockOptions } from "../../../tools/testing/mocks.ts";

const types = {
  key: "tls:index/privateKey:PrivateKey",
  ca: "tls:index/selfSignedCert:SelfSignedCert",
  request: "tls:index/certRequest:CertRequest",
  leaf: "tls:index/locallySignedCert:LocallySignedCert",
};
const names = ["shop.example.com", "hoge.shop.example.com"];

async function make(change: Partial<SelfSignedCertificateArgs> = {}, outputs: MockOptions["outputs"] = {}) {
  const recording = await mockPulumi({
    outputs: {
      [types.key]: (name) => ({ privateKeyPem: `${name} canary\n` }),
      [types.ca]: () => ({ certPem: "the CA\n" }),
      [types.request]: () => ({ certRequestPem: "the request\n" }),
      [types.leaf]: () => ({ certPem: "the leaf\n" }),
      ...outputs,
    },
  });
  const certificate = new SelfSignedCertificate("tls", { domain: "shop.example.com", names, ...change });
  await settled();
  return { recording, certificate, urn: await valueOf(certificate.urn) };
}

test("the stack's own CA signs the leaf", async () => {
  const { recording, urn } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:SelfSignedCertificate::tls");
  assert.deepEqual(
    recording.all(types.key).map(({ name, inputs }) => [name, inputs]),
    [
      ["tls-ca-key", { algorithm: "RSA", rsaBits: 2048 }],
      ["tls-key", { algorithm: "RSA", rsaBits: 2048 }],
    ],
  );
  assert.deepEqual(recording.one(types.ca).inputs, {
    privateKeyPem: "tls-ca-key canary\n",
    isCaCertificate: true,
    subject: { commonName: "shop.example.com CA" },
    validityPeriodHours: 3650 * 24,
    allowedUses: ["cert_signing", "crl_signing"],
  });
  // Exact, to prove that no address is set.
  assert.deepEqual(recording.one(types.request).inputs, {
    privateKeyPem: "tls-key canary\n",
    subject: { commonName: "shop.example.com" },
    dnsNames: names,
  });
  // Not a CA: isCaCertificate is absent. 825 days is the maximum that clients accept.
  assert.deepEqual(recording.one(types.leaf).inputs, {
    certRequestPem: "the request\n",
    caPrivateKeyPem: "tls-ca-key canary\n",
    caCertPem: "the CA\n",
    validityPeriodHours: 825 * 24,
    earlyRenewalHours: 30 * 24,
    allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
  });
  const children = recording.resources.filter(({ type }) => type.startsWith("tls:"));
  assert.equal(children.length, 5);
  for (const child of children) assert.equal(child.parent, urn, child.name);
});

test("a new domain keeps the CA that clients trust, and renews the leaf", async () => {
  const { recording } = await make({ domain: "store.example.com", names: ["store.example.com"] });
  assert.deepEqual(recording.one(types.ca).ignoreChanges, ["subject"]);
  const request = recording.one(types.request);
  assert.deepEqual(request.inputs["subject"], { commonName: "store.example.com" });
  assert.deepEqual(request.ignoreChanges, []);
  assert.deepEqual(recording.one(types.leaf).ignoreChanges, []);
});

test("an address, if given, is in the certificate", async () => {
  const { recording } = await make({ address: pulumi.output("203.0.113.7") });
  assert.deepEqual(recording.one(types.request).inputs["ipAddresses"], ["203.0.113.7"]);
});

test("the chain has the leaf first, and the key is secret", async () => {
  const { certificate } = await make();
  assert.equal(await valueOf(certificate.crt), "the leaf\nthe CA\n");
  assert.equal(await valueOf(certificate.caCrt), "the CA\n");
  assert.equal(await valueOf(certificate.key), "tls-key canary\n");
  assert.equal(await pulumi.isSecret(certificate.key), true);
  // Clients must be able to read it.
  assert.equal(await pulumi.isSecret(certificate.caCrt), false);
});

test("every key stays secret in other resources", async () => {
  const { recording } = await make();
  assert.deepEqual(recording.one(types.ca).secrets, ["privateKeyPem"]);
  assert.deepEqual(recording.one(types.request).secrets, ["privateKeyPem"]);
  assert.deepEqual(recording.one(types.leaf).secrets, ["caPrivateKeyPem"]);
});

test("the CLI warns about a CA in its last 30 days, with the fix; not about the leaf, which is renewed", async (context) => {
  const warnings: string[] = [];
  context.mock.method(pulumi.log, "warn", (message: string) => warnings.push(message));
  const [soon, later] = [await createAuthority("soon", "ecdsa", 20.5), await createAuthority("later", "ecdsa", 31)];
  const { certificate: leaf } = await later.issue({ commonName: "leaf", names, days: 5 });
  const outputsOf = (certPem: string) => ({ [types.ca]: () => ({ certPem }), [types.leaf]: () => ({ certPem: leaf }) });
  await make({}, outputsOf(later.certificate));
  assert.deepEqual(warnings, []);
  await make({}, outputsOf(soon.certificate));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings.join(),
    /^the CA of the stack expires on \S+, in 20 days: let clients know of another, made by npx pulumi up --replace 'urn:pulumi:\S+::tls-ca'$/,
  );
});

test("a domain too long for a common name leaves its first labels out", async () => {
  const common = async (domain: string) => {
    const { recording } = await make({ domain });
    return [recording.one(types.ca).inputs["subject"], recording.one(types.request).inputs["subject"]];
  };
  const longest = `${"a".repeat(52)}.example.com`; // 64 characters
  assert.deepEqual(await common(longest), [{ commonName: "example.com CA" }, { commonName: longest }]);
  assert.deepEqual(await common(`a.${longest}`), [{ commonName: "example.com CA" }, { commonName: longest }]);
  const short = `${"a".repeat(49)}.example.com`; // 61 characters
  assert.deepEqual(await common(short), [{ commonName: `${short} CA` }, { commonName: short }]);
});
