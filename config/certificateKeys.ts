/** Checks the keys of a certificate's chain. */
import type { X509Certificate } from "node:crypto";

/** Why a pair is refused, continuing a sentence that begins with the certificate (`crt`) or the key, and what to do. */
export interface CertificateProblem {
  readonly of: "crt" | "key";
  readonly found: string;
  readonly fix: string;
}

/** Google's global load balancer, through Compute Engine or Certificate Manager; or something else, such as a controller. */
export type ServedBy = "compute" | "certificate-manager" | "other";

export const subjectOf = ({ subject }: X509Certificate) => subject.replaceAll("\n", ", ");

/** Says which certificate of the chain is meant, where it is not the leaf. */
export const holds = (certificate: X509Certificate, index: number) =>
  index === 0 ? "" : `holds the certificate of ${subjectOf(certificate)}, which `;

/** Keys that browsers take of the authorities above the leaf. Only there, P-521 is usual as well. */
export function issuerProblems(certificate: X509Certificate, index: number): CertificateProblem[] {
  if (index === 0) return [];
  const name = holds(certificate, index);
  const found = keyFound(certificate, [...curves, "secp521r1"]);
  return [
    ...(certificate.ca ? [] : [{ of: "crt" as const, found: `${name}is no authority`, fix: "supply the one that is" }]),
    ...(found === undefined
      ? []
      : [{ of: "crt" as const, found: `${name}${found}`, fix: "supply a chain of an authority that browsers take" }]),
  ];
}

const curves = ["prime256v1", "secp384r1"];

/**
 * Keys of global certificates in Compute Engine are RSA-2048 and ECDSA P-256 alone. Of a longer one Google says "The SSL
 * key is too large". https://cloud.google.com/load-balancing/docs/ssl-certificates/self-managed-certs and
 * https://docs.cloud.google.com/load-balancing/docs/quotas#ssl_certificates. Certificate Manager takes more:
 * https://cloud.google.com/certificate-manager/docs/overview
 */
const keysOf: Readonly<Record<ServedBy, { curves: readonly string[]; longest: number; allowed: string }>> = {
  compute: { curves: ["prime256v1"], longest: 2048, allowed: "RSA of 2048 bits, or with ECDSA P-256" },
  "certificate-manager": { curves, longest: 4096, allowed: "RSA of 2048 to 4096 bits, or with ECDSA P-256 or P-384" },
  other: { curves, longest: Infinity, allowed: "RSA 2048 or more, or with ECDSA P-256 or P-384" },
};

/** Rejects keys that clients or Google's load balancer do not support. */
export function keyProblems(leaf: X509Certificate, servedBy: ServedBy): CertificateProblem[] {
  const keys = keysOf[servedBy];
  const found = keyFound(leaf, keys.curves, keys.longest);
  if (found === undefined) return [];
  const onlyThere = servedBy !== "other" && keyFound(leaf, curves) === undefined;
  const where = onlyThere ? ", which Google's load balancer does not take" : "";
  return [{ of: "crt", found: `${found}${where}`, fix: `make one with ${keys.allowed}` }];
}

/**
 * In DER, the object identifier of an EC key, then the curve's parameters instead of its own identifier.
 * https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1
 */
const spelledCurve = /06072a8648ce3d020130/;

/** Continues the name of the certificate; undefined if the key is good. */
function keyFound(
  { publicKey, raw }: X509Certificate,
  allowed: readonly string[],
  most = Infinity,
): string | undefined {
  const { modulusLength = 0, namedCurve = "" } = publicKey.asymmetricKeyDetails ?? {};
  const type = publicKey.asymmetricKeyType;
  if (type === "rsa")
    return modulusLength < 2048 || modulusLength > most ? `has an RSA key of ${modulusLength} bits` : undefined;
  if (type === "ec" && spelledCurve.test(raw.toString("hex")))
    return "has a key whose curve is written out, not named, which browsers refuse";
  if (type === "ec") return allowed.includes(namedCurve) ? undefined : `has a key of the curve ${namedCurve}`;
  return `has a key of the type ${type ?? "unknown"}, which browsers refuse`;
}
