/** What is wrong with a supplied certificate, before anything is changed. */
import { createPrivateKey, type X509Certificate } from "node:crypto";
import { certificatesOf } from "../names/certificates.ts";

/**
 * Checks a PEM chain (leaf first) and its PEM key against the names it has to serve.
 * Returns one sentence for each thing that is wrong; none of them holds key material.
 */
export function certificateProblems(crt: string, key: string, names: readonly string[], now = new Date()): string[] {
  const chain = chainOf(crt);
  const [leaf] = chain;
  if (leaf === undefined) return ["the certificate is not PEM text (-----BEGIN CERTIFICATE-----, the leaf first)"];
  const problems: string[] = [];
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      problems.push("the key does not belong to the certificate: supply the pair that was issued together");
  } catch {
    problems.push("the key is not an unencrypted PEM private key (-----BEGIN PRIVATE KEY-----)");
  }
  problems.push(...chain.flatMap((certificate, index) => timeProblems(certificate, index, now)));
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      problems.push(
        `${nameOf(certificate, index)} was not signed by ${nameOf(issuer, index + 1)} that follows it: put the leaf first, then who signed it, and so on`,
      );
  }
  problems.push(...keyProblems(leaf));
  // Clients no longer read the subject's common name (https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4).
  const missing = names.filter((name) => leaf.checkHost(name.replace("*", "any"), { subject: "never" }) === undefined);
  if (missing.length > 0) {
    problems.push(`the certificate is not for ${missing.join(", ")}; it names ${leaf.subjectAltName ?? "nothing"}`);
  }
  return problems;
}

/** Empty for text that holds none, or one that cannot be read. */
function chainOf(crt: string): X509Certificate[] {
  try {
    return certificatesOf(crt);
  } catch {
    return [];
  }
}

const nameOf = ({ subject }: X509Certificate, index: number) =>
  index === 0 ? "the certificate" : `the certificate of ${subject.replaceAll("\n", ", ")}`;

function timeProblems(certificate: X509Certificate, index: number, now: Date): string[] {
  const { validFromDate: from, validToDate: to } = certificate;
  const name = nameOf(certificate, index);
  if (now > to)
    return [
      `${name} expired on ${to.toISOString()}: ${index === 0 ? "renew it" : "supply a chain with its successor"}`,
    ];
  return now < from ? [`${name} is not valid before ${from.toISOString()}`] : [];
}

/** What neither clients nor Google's load balancer take. https://cloud.google.com/load-balancing/docs/ssl-certificates#key-types */
function keyProblems({ publicKey }: X509Certificate): string[] {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < 2048)
    return [`the certificate's RSA key has ${modulusLength} bits: make one with 2048 or more, or with ECDSA P-256`];
  if (namedCurve !== undefined && !["prime256v1", "secp384r1"].includes(namedCurve))
    return [`the certificate's key is of the curve ${namedCurve}: make one with P-256 or P-384, or with RSA 2048`];
  return [];
}
