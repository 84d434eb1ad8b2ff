/** Creates the certificates of the local Kubernetes, from a CA of its own (https://kubernetes.io/docs/setup/best-practices/certificates/). */
import "reflect-metadata"; // @peculiar/x509 needs it loaded first.
import * as x509 from "@peculiar/x509";
import { randomBytes, webcrypto } from "node:crypto";

x509.cryptoProvider.set(webcrypto as Crypto);

const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const rsa = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
} as const;
const algorithms = { ecdsa, rsa } as const;
const day = 24 * 60 * 60 * 1000;
/** Certificates are valid from a little before now, because clocks differ. Milliseconds. */
const skew = 10 * 60 * 1000;

/** PEM-encoded. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  /** Kubernetes reads these as the groups of the user that the common name denotes. @default - none */
  readonly organizations?: readonly string[];
  /** DNS names and addresses of a server. @default - a client certificate */
  readonly names?: readonly string[];
  /** @default 365 */
  readonly days?: number;
}

export interface Authority {
  readonly certificate: string;
  readonly key: string;
  issue(subject: Subject): Promise<Credentials>;
}

/**
 * @param algorithm RSA 2048 for browsers, which all accept it; otherwise P-256, which is fast to generate. @default
 * "ecdsa"
 * @param permitted DNS names for which alone clients accept its certificates, with all names below them, and loopback
 * addresses. @default - any name
 */
export async function createAuthority(
  commonName: string,
  algorithm: "ecdsa" | "rsa" = "ecdsa",
  days = 3650,
  permitted?: readonly string[],
): Promise<Authority> {
  const keyAlgorithm = algorithms[algorithm];
  const keys = await generate(keyAlgorithm);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: keyAlgorithm,
    ...validity(days),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(permitted === undefined
        ? []
        : [new x509.Extension(nameConstraints, true, Uint8Array.from(constraintsOf(permitted)))]),
    ],
  });
  return authority(certificate, keys.privateKey, algorithm);
}

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10 */
const nameConstraints = "2.5.29.30";
/** DER tags of that extension: a sequence, the permitted subtrees, a DNS name, an address with its mask. */
const tags = { sequence: 0x30, permitted: 0xa0, dnsName: 0x82, ipAddress: 0x87 } as const;

function constraintsOf(permitted: readonly string[]): Buffer {
  const bases = [
    ...permitted.map((name) => der(tags.dnsName, Buffer.from(name, "ascii"))),
    der(tags.ipAddress, Buffer.from([127, 0, 0, 0, 255, 0, 0, 0])),
  ];
  return der(tags.sequence, der(tags.permitted, ...bases.map((base) => der(tags.sequence, base))));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** The values in a DER value, one after another. */
function* parts(bytes: Buffer): Generator<{ readonly tag: number; readonly content: Buffer }> {
  for (let at = 0; at + 1 < bytes.length;) {
    const first = bytes.readUInt8(at + 1);
    const sizeBytes = first < 0x80 ? 0 : first - 0x80;
    const start = at + 2 + sizeBytes;
    const length = sizeBytes === 0 ? first : bytes.readUIntBE(at + 2, sizeBytes);
    yield { tag: bytes.readUInt8(at), content: bytes.subarray(start, start + length) };
    at = start + length;
  }
}
const inside = (bytes: Buffer, ...path: readonly number[]): Buffer[] =>
  path.reduce(
    (all, tag) => all.flatMap((each) => [...parts(each)].flatMap((part) => (part.tag === tag ? part.content : []))),
    [bytes],
  );

/** Whether clients accept certificates of an authority that `createAuthority` created, for all these names. */
export function permits(certificate: string, names: readonly string[]): boolean {
  const extension = new x509.X509Certificate(certificate).getExtension(nameConstraints);
  if (extension === null) return true;
  const { sequence, permitted, dnsName } = tags;
  const bases = inside(Buffer.from(extension.value), sequence, permitted, sequence, dnsName).map(String);
  return names.every((name) => bases.some((base) => name === base || name.endsWith(`.${base}`)));
}

/** Loads an authority that `createAuthority` created earlier. */
export async function openAuthority({ certificate, key }: Credentials, algorithm: "ecdsa" | "rsa"): Promise<Authority> {
  const der = x509.PemConverter.decodeFirst(key);
  const opened = await webcrypto.subtle.importKey("pkcs8", der, algorithms[algorithm], true, ["sign"]);
  return authority(new x509.X509Certificate(certificate), opened as CryptoKey, algorithm);
}

async function authority(
  certificate: x509.X509Certificate,
  key: CryptoKey,
  algorithm: "ecdsa" | "rsa",
): Promise<Authority> {
  const keyAlgorithm = algorithms[algorithm];
  return {
    certificate: certificate.toString("pem"),
    key: await pem(key),
    async issue({ commonName, organizations = [], names = [], days = 365 }) {
      const leaf = await generate(keyAlgorithm);
      const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
      const issued = await x509.X509CertificateGenerator.create({
        serialNumber: randomBytes(16).toString("hex"),
        subject: [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }],
        issuer: certificate.subject,
        publicKey: leaf.publicKey,
        signingKey: key,
        signingAlgorithm: keyAlgorithm,
        ...validity(days),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
          new x509.ExtendedKeyUsageExtension(names.length > 0 ? [serverAuth, clientAuth] : [clientAuth]),
          await x509.AuthorityKeyIdentifierExtension.create(await certificate.publicKey.export()),
          ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names.map(generalName))] : []),
        ],
      });
      return { certificate: issued.toString("pem"), key: await pem(leaf.privateKey) };
    },
  };
}

/** A self-signed certificate (P-256), for a server that no client verifies. */
export async function createSelfSigned(commonName: string, days: number): Promise<Credentials> {
  const keys = await generate(ecdsa);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: ecdsa,
    ...validity(days),
  });
  return { certificate: certificate.toString("pem"), key: await pem(keys.privateKey) };
}

/** A key pair without a certificate, to sign and verify service account tokens. */
export async function createSigningKey(): Promise<{ key: string; publicKey: string }> {
  const keys = await generate(ecdsa);
  const spki = await webcrypto.subtle.exportKey("spki", keys.publicKey);
  return { key: await pem(keys.privateKey), publicKey: x509.PemConverter.encode(spki, "PUBLIC KEY") };
}

function validity(days: number) {
  return { notBefore: new Date(Date.now() - skew), notAfter: new Date(Date.now() + days * day) };
}

function generalName(name: string): { type: "ip" | "dns"; value: string } {
  return { type: /^[\d.]+$|:/.test(name) ? "ip" : "dns", value: name };
}

async function generate(algorithm: typeof ecdsa | typeof rsa): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
}

async function pem(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
