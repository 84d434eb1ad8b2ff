/** When certificates end, and from when on that is worth a word. */
import { X509Certificate } from "node:crypto";

/** In their last days certificates that the stack makes are renewed, and others are warned about. */
export const renewalDays = 30;

const day = 24 * 3600_000;

/** The certificates of a PEM chain, in its order. @throws Error where one cannot be read */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  );

/** @returns when the first certificate of a chain ends, and with it the chain; nothing for text that is no chain */
export function expiryOf(pem: string): Date | undefined {
  try {
    const ends = certificatesOf(pem).map(({ validToDate }) => validToDate.getTime());
    return ends.length === 0 ? undefined : new Date(Math.min(...ends));
  } catch {
    return undefined; // No certificate, but a placeholder: what a stack is rendered with.
  }
}

/** @returns what is to be said of a chain in its last 30 days, such as "expires on 2026-12-01T00:00:00.000Z, in 7 days" */
export function expiryWarning(pem: string, now = new Date()): string | undefined {
  const expires = expiryOf(pem);
  if (expires === undefined) return undefined;
  const days = Math.floor((expires.getTime() - now.getTime()) / day);
  if (days >= renewalDays || days < 0) return undefined;
  return `expires on ${expires.toISOString()}, in ${days === 1 ? "1 day" : `${days} days`}`;
}
