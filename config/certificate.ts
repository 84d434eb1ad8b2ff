/** What is wrong with a supplied certificate, before anything is changed. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/**
 * Checks a PEM chain (leaf first) and its PEM key against the names it has to serve.
 * Returns one sentence for each thing that is wrong; none of them holds key material.
 */
export function certificateProblems(crt: string, key: string, names: readonly string[], now = new Date()): string[] {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(crt);
  } catch {
    return ["the certificate is not PEM text (-----BEGIN CERTIFICATE-----, the leaf first)"];
  }
  const problems: string[] = [];
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      problems.push("the key does not belong to the certificate: supply the pair that was issued together");
  } catch {
    problems.push("the key is not an unencrypted PEM private key (-----BEGIN PRIVATE KEY-----)");
  }
  if (now > leaf.validToDate) problems.push(`the certificate expired on ${leaf.validToDate.toISOString()}: renew it`);
  if (now < leaf.validFromDate)
    problems.push(`the certificate is not valid before ${leaf.validFromDate.toISOString()}`);
  // Clients no longer read the subject's common name (https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4).
  const missing = names.filter((name) => leaf.checkHost(name.replace("*", "any"), { subject: "never" }) === undefined);
  if (missing.length > 0) {
    problems.push(`the certificate is not for ${missing.join(", ")}; it names ${leaf.subjectAltName ?? "nothing"}`);
  }
  return problems;
}
