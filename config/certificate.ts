/** Checks a supplied certificate before anything changes. */
import { createPrivateKey, type X509Certificate } from "node:crypto";
import { certificateBlock, certificatesOf } from "../names/certificates.ts";

/** Why a pair is refused, continuing a sentence that begins with the certificate (`crt`) or the key, and what to do. */
export interface CertificateProblem {
  readonly of: "crt" | "key";
  readonly found: string;
  readonly fix: string;
}

/**
 * Checks a PEM chain (leaf first) and its PEM key against the host names of the stack.
 * @returns the problems; none contains key material
 */
export function certificateProblems(
  crt: string,
  key: string,
  names: readonly string[],
  now = new Date(),
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
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
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
  problems.push(...keyProblems(leaf), ...useProblems(leaf), ...chain.flatMap(signatureProblems));
  // Clients no longer read the subject's common name (https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4).
  const missing = names.filter((name) => leaf.checkHost(name.replace("*", "any"), { subject: "never" }) === undefined);
  if (missing.length > 0) {
    problems.push({
      of: "crt",
      found: `is for ${leaf.subjectAltName ?? "no name"}, not for ${missing.join(", ")}`,
      fix: "supply one for all hosts of the stack",
    });
  }
  return problems;
}

const privateKey = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^]*?-----END (?:[A-Z]+ )*PRIVATE KEY-----/;

/**
 * A pair without what is around its PEM blocks: a byte order mark, which breaks the readers of Go, or the bag attributes that
 * openssl writes. Text without a block stays as it is, to be refused.
 */
export const pemBlocks = <Pair extends { readonly crt: string; readonly key: string }>(pair: Pair): Pair => ({
  ...pair,
  crt: alone(pair.crt, certificateBlock),
  key: alone(pair.key, new RegExp(privateKey, "g")),
});

function alone(text: string, block: RegExp): string {
  const blocks = text.match(block) ?? [];
  const hasMore = text.replaceAll(block, "").trim() !== "" || text.startsWith("\ufeff");
  return hasMore && blocks.length > 0 ? `${blocks.join("\n")}\n` : text;
}

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 */
const [serverAuth, anyUse] = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

function useProblems({ keyUsage }: X509Certificate): CertificateProblem[] {
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

/** Browsers refuse these (https://www.rfc-editor.org/rfc/rfc9155), except in a root, whose signature nobody checks. */
function signatureProblems(certificate: X509Certificate, index: number): CertificateProblem[] {
  const algorithm = certificate.signatureAlgorithm ?? "";
  if (!/^(?:sha1|md[245]|ecdsa-with-sha1|dsa)/i.test(algorithm)) return [];
  if (index > 0 && certificate.checkIssued(certificate)) return [];
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

const subjectOf = ({ subject }: X509Certificate) => subject.replaceAll("\n", ", ");

/** Says which certificate of the chain is meant, where it is not the leaf. */
const holds = (certificate: X509Certificate, index: number) =>
  index === 0 ? "" : `holds the certificate of ${subjectOf(certificate)}, which `;

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

/**
 * Rejects keys that clients or Google's load balancer do not support.
 * https://cloud.google.com/load-balancing/docs/ssl-certificates#key-types
 */
function keyProblems({ publicKey }: X509Certificate): CertificateProblem[] {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const type = publicKey.asymmetricKeyType;
  const found =
    type === "rsa"
      ? (modulusLength ?? 0) < 2048 && `has an RSA key of ${modulusLength ?? 0} bits`
      : type === "ec"
        ? !["prime256v1", "secp384r1"].includes(namedCurve ?? "") && `has a key of the curve ${namedCurve ?? ""}`
        : `has a key of the type ${type ?? "unknown"}, which browsers refuse`;
  return found === false
    ? []
    : [{ of: "crt", found, fix: "make one with RSA 2048 or more, or with ECDSA P-256 or P-384" }];
}
