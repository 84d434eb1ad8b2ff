/** Expiry of certificates, and when to warn about it. */
import { X509Certificate } from "node:crypto";

/** In the last 30 days the stack renews the certificates it creates, and warns about the others. */
export const renewalDays = 30;

const day = 24 * 3600_000;

/** Each certificate of a PEM text. */
export const certificateBlock = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/**
 * A PEM block in its usual form, with lines of 64 characters. Readers disagree on indentation, blank lines and lines that
 * end as on old Macs: openssl refuses what Go takes, and the other way round.
 */
export function usualBlock(block: string): string {
  const [, begin = "", body = "", end = ""] = /^(-----BEGIN [^-]+-----)([^]*)(-----END [^-]+-----)$/.exec(block) ?? [];
  // Headers, as of an encrypted key, stay.
  if (begin === "" || body.includes(":")) return block;
  return [begin, ...(body.replaceAll(/\s/g, "").match(/.{1,64}/g) ?? []), end].join("\n");
}

/** The certificates of a PEM chain, in order. @throws Error if one cannot be parsed */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(certificateBlock) ?? []).map((text) => new X509Certificate(usualBlock(text)));

/** @returns the earliest expiry in a PEM chain; undefined for text without a readable chain */
export function expiryOf(pem: string): Date | undefined {
  try {
    const ends = certificatesOf(pem).map(({ validToDate }) => validToDate.getTime());
    return ends.length === 0 ? undefined : new Date(Math.min(...ends));
  } catch {
    return undefined; // `npm run render` passes a placeholder instead of a certificate.
  }
}

/** @returns the warning for a chain in its last 30 days, such as "expires on 2026-12-01T00:00:00.000Z, in 7 days" */
export function expiryWarning(pem: string, now = new Date()): string | undefined {
  const expires = expiryOf(pem);
  if (expires === undefined) return undefined;
  const days = Math.floor((expires.getTime() - now.getTime()) / day);
  if (days >= renewalDays || days < 0) return undefined;
  return `expires on ${expires.toISOString()}, in ${days === 1 ? "1 day" : `${days} days`}`;
}
