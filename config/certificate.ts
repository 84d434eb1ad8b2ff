/** Checks a supplied certificate before anything changes. */
import { createPrivateKey, type X509Certificate } from "node:crypto";
import { certificateBlock, certificatesOf, usualBlock } from "../names/certificates.ts";
import {
  holds,
  issuerProblems,
  keyProblems,
  subjectOf,
  type CertificateProblem,
  type ServedBy,
} from "./certificateKeys.ts";

/** Certificates in a chain that Google's load balancers take. https://cloud.google.com/compute/docs/reference/rest/v1/sslCertificates */
const longestChain = 5;

/**
 * Checks a PEM chain (leaf first) and its PEM key against the host names of the stack.
 * @param servedBy what takes it
 * @returns the problems; none contains key material
 */
export function certificateProblems(
  crt: string,
  key: string,
  names: readonly string[],
  now = new Date(),
  servedBy: ServedBy = "other",
): CertificateProblem[] {
  const chain = chainOf(crt);
  const [leaf] = chain;
  if (leaf === undefined)
    return [
      {
        of: "crt",
        found: "is not a certificate as PEM text",
        fix: "supply the chain, the leaf first: -----BEGIN CERTIFICATE-----",
      },
    ];
  const problems: CertificateProblem[] = [];
  if (privateKey.test(crt))
    problems.push({
      of: "crt",
      found: "holds a private key as well",
      fix: "supply the key apart from the certificate",
    });
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(alone(key, everyKey))))
      problems.push({
        of: "key",
        found: "does not belong to the certificate",
        fix: "supply the pair that was issued together",
      });
  } catch {
    problems.push({
      of: "key",
      found: "is not a private key as PEM text without a passphrase",
      fix: "supply one that starts with -----BEGIN PRIVATE KEY-----",
    });
  }
  problems.push(...chain.flatMap((certificate, index) => timeProblems(certificate, index, now)));
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      problems.push({
        of: "crt",
        found: `${holds(certificate, index)}was not signed by the certificate that follows it, ${subjectOf(issuer)}`,
        fix: "put the leaf first, then the certificate that signed it, and so on",
      });
  }
  if (servedBy !== "other" && chain.length > longestChain)
    problems.push({
      of: "crt",
      found: `holds ${chain.length} certificates, and Google takes ${longestChain}`,
      fix: "leave out the root, and what is not between it and the leaf",
    });
  problems.push(
    ...keyProblems(leaf, servedBy),
    ...chain.flatMap(issuerProblems),
    ...useProblems(leaf),
    ...chain.flatMap(signatureProblems),
  );
  // Clients no longer read the subject's common name (https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4).
  // Nor do they take a star within a label (https://www.rfc-editor.org/rfc/rfc9525#section-6.3).
  const how = { subject: "never", partialWildcards: false } as const;
  const missing = names.filter((name) => leaf.checkHost(name.replace("*", "any"), how) === undefined);
  if (missing.length > 0) {
    problems.push({
      of: "crt",
      found: `is for ${leaf.subjectAltName ?? "no name"}, not for ${missing.join(", ")}`,
      fix: "supply one for all hosts of the stack",
    });
  }
  return problems;
}

/** Whether it signed itself: such a certificate is its own root. */
const isRoot = (certificate: X509Certificate) => certificate.checkIssued(certificate);

const privateKey = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^]*?-----END (?:[A-Z]+ )*PRIVATE KEY-----/;

/**
 * A pair without what is around its PEM blocks: a byte order mark, which breaks the readers of Go, or the bag attributes that
 * openssl writes. Text without a block stays as it is, to be refused.
 */
export const pemBlocks = <Pair extends { readonly crt: string; readonly key: string }>(pair: Pair): Pair => ({
  ...pair,
  crt: alone(pair.crt, certificateBlock),
  key: alone(pair.key, everyKey),
});

const everyKey = new RegExp(privateKey, "g");

/** PEM blocks that every reader takes: each line at its beginning, with nothing between the blocks. */
const usualText =
  /^(?:-----BEGIN [A-Z ]+-----[ \t]*\r?\n(?:[A-Za-z0-9+/=]+[ \t]*\r?\n)+-----END [A-Z ]+-----(?:[ \t]*(?:\r?\n)+|$))+$/;

function alone(text: string, block: RegExp): string {
  const blocks = text.match(block) ?? [];
  const isAlone = text.replaceAll(block, "").trim() === "" && usualText.test(text);
  return blocks.length === 0 || isAlone ? text : `${blocks.map(usualBlock).join("\n")}\n`;
}

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 */
const [serverAuth, anyUse] = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

/** A leaf that may sign others is refused by Firefox, one that may sign nothing by all. */
function useProblems(leaf: X509Certificate): CertificateProblem[] {
  return [...extendedUseProblems(leaf), ...purposeProblems(leaf)];
}

function purposeProblems(leaf: X509Certificate): CertificateProblem[] {
  if (signsHandshakes(leaf.raw) === false)
    return [
      {
        of: "crt",
        found: "is not for digital signatures by its key usage, which browsers need",
        fix: "supply one that is issued with digitalSignature",
      },
    ];
  // Many make a test's certificate as their own root, with `openssl req -x509`.
  return leaf.ca && !isRoot(leaf)
    ? [
        {
          of: "crt",
          found: "is an authority (CA:TRUE) by its basic constraints, which browsers refuse of a server",
          fix: "supply one that is issued with CA:FALSE",
        },
      ]
    : [];
}

/**
 * Bit 0 of `keyUsage`, which Node does not show. In DER its object identifier may be marked critical, and an octet string
 * with a bit string follows. Undefined without the extension, which allows every use.
 */
function signsHandshakes(der: Buffer): boolean | undefined {
  const text = der.toString("hex");
  const [, bits] = /0603551d0f(?:0101ff)?04[0-9a-f]{2}03[0-9a-f]{2}0[0-7]([0-9a-f]{2})/.exec(text) ?? [];
  return bits === undefined ? undefined : (parseInt(bits, 16) & 0x80) !== 0;
}

function extendedUseProblems({ keyUsage }: X509Certificate): CertificateProblem[] {
  // Extended key usage, by Node's name for it. Without any, every use is allowed.
  const uses = keyUsage as readonly string[] | undefined;
  return uses === undefined || uses.length === 0 || uses.includes(serverAuth) || uses.includes(anyUse)
    ? []
    : [
        {
          of: "crt",
          found: "is not for servers by its extended key usage",
          fix: "supply one that is issued with serverAuth",
        },
      ];
}

/** https://www.mozilla.org/about/governance/policies/security-group/certs/policy/#51-algorithms */
const signatures = /^(?:sha(?:256|384|512)WithRSAEncryption|rsassaPss|ecdsa-with-SHA(?:256|384|512))$/i;

/** Browsers refuse others, except in a root, whose signature nobody checks. */
function signatureProblems(certificate: X509Certificate, index: number): CertificateProblem[] {
  const algorithm = certificate.signatureAlgorithm ?? "";
  if (signatures.test(algorithm)) return [];
  // Of a leaf that signed itself with such a key, the key is reported.
  if (isRoot(certificate) && (index > 0 || algorithm.startsWith("ED"))) return [];
  return [
    {
      of: "crt",
      found: `${holds(certificate, index)}is signed with ${algorithm}, which browsers refuse`,
      fix: "supply one that is signed with SHA-256",
    },
  ];
}

/** Empty for text without a certificate, or with an unreadable one. */
function chainOf(crt: string): X509Certificate[] {
  try {
    return certificatesOf(crt);
  } catch {
    return [];
  }
}

function timeProblems(certificate: X509Certificate, index: number, now: Date): CertificateProblem[] {
  const { validFromDate: from, validToDate: to } = certificate;
  const name = holds(certificate, index);
  if (now > to)
    return [
      {
        of: "crt",
        found: `${name}expired on ${to.toISOString()}`,
        fix: index === 0 ? "renew it" : "supply a chain with its successor",
      },
    ];
  return now < from
    ? [{ of: "crt", found: `${name}is not valid before ${from.toISOString()}`, fix: "wait, or supply another" }]
    : [];
}
