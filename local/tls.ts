/** The local CA, and the certificate that it signs for the stack's host names: what `tls.mode: supplied` of the local stack names. */
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { certificateProblems } from "../config/certificate.ts";
import { tlsDir } from "./paths.ts";

const algorithm = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const day = 24 * 3600_000;
const renewBefore = 30 * day;

/** The CA's certificate, for clients to trust. */
export const caFile = join(tlsDir, "ca.crt");
const files = { caKey: join(tlsDir, "ca.key"), crt: join(tlsDir, "tls.crt"), key: join(tlsDir, "tls.key") };

/** Makes the CA where there is none, and a certificate where there is none that serves all names for another 30 days. */
export async function ensureCertificate(names: readonly string[]): Promise<void> {
  mkdirSync(tlsDir, { recursive: true, mode: 0o700 });
  const later = new Date(Date.now() + renewBefore);
  if (existsSync(caFile) && existsSync(files.crt)) {
    const crt = readFileSync(files.crt, "utf8");
    const signed = new X509Certificate(crt).checkIssued(new X509Certificate(readFileSync(caFile)));
    if (signed && certificateProblems(crt, readFileSync(files.key, "utf8"), names, later).length === 0) return;
  }
  const ca = existsSync(caFile) ? await readCa() : await makeCa();
  await makeLeaf(ca, names);
}

interface Ca {
  readonly certificate: x509.X509Certificate;
  readonly key: CryptoKey;
}

async function readCa(): Promise<Ca> {
  const der = x509.PemConverter.decodeFirst(readFileSync(files.caKey, "utf8"));
  return {
    certificate: new x509.X509Certificate(readFileSync(caFile, "utf8")),
    key: await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]),
  };
}

async function makeCa(): Promise<Ca> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=gke-microservices local CA",
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 3600_000),
    notAfter: new Date(Date.now() + 3650 * day),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeKey(files.caKey, keys.privateKey);
  writeFileSync(caFile, certificate.toString("pem"));
  return { certificate, key: keys.privateKey };
}

async function makeLeaf(ca: Ca, names: readonly string[]): Promise<void> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const leaf = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0] ?? "localhost"}`,
    issuer: ca.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: ca.key,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 3600_000),
    notAfter: new Date(Date.now() + 825 * day), // clients accept no more: https://support.apple.com/en-us/103769
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: "dns" as const, value })),
        { type: "ip" as const, value: "127.0.0.1" },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate),
    ],
  });
  await writeKey(files.key, keys.privateKey);
  writeFileSync(files.crt, `${leaf.toString("pem")}\n${ca.certificate.toString("pem")}\n`);
}

async function writeKey(file: string, key: CryptoKey): Promise<void> {
  const der = await crypto.subtle.exportKey("pkcs8", key);
  writeFileSync(file, `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`, { mode: 0o600 });
}
