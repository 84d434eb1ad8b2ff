/** A supplied certificate comes in one of two ways, and serves all names. The certificate itself is looked at in `../certificate.ts`. */
import { certificateProblems } from "../certificate.ts";
import { hostNames } from "../hosts.ts";
import { keyOf, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

/** Stands where a real value cannot be known, as when rendering without credentials. */
const isPlaceholder = (value: string): boolean => /^\(.* not shown\)$/.test(value);

/** A certificate chain and its key, as PEM text. */
export interface CertificatePair {
  readonly crt: string;
  readonly key: string;
}

export function checkTls(settings: Settings, certificate: CertificatePair | undefined): ConfigProblem[] {
  if (settings.tls.mode !== "supplied") {
    return settings.secrets.tls === undefined
      ? []
      : [
          {
            key: keyOf(["secrets", "tls"]),
            message: `is only used with tls.mode supplied, not ${settings.tls.mode}; remove it`,
          },
        ];
  }
  const { certFile, keyFile } = settings.tls;
  if (settings.secrets.tls !== undefined && (certFile !== undefined || keyFile !== undefined)) {
    return [{ key: keyOf(["tls"]), message: "certFile and keyFile exclude secrets.tls; keep one of the two ways" }];
  }
  if (settings.secrets.tls === undefined && (certFile === undefined || keyFile === undefined)) {
    return [
      {
        key: keyOf(["tls"]),
        message:
          "supplied needs a certificate: set certFile and keyFile, or secrets.tls.crt and secrets.tls.key (--secret)",
      },
    ];
  }
  if (certificate === undefined)
    return [
      {
        key: keyOf(["tls"]),
        message: `${certFile ?? ""} or ${keyFile ?? ""} cannot be read; name files that exist, relative to the project`,
      },
    ];
  if (isPlaceholder(certificate.crt) || isPlaceholder(certificate.key)) return [];
  return certificateProblems(certificate.crt, certificate.key, hostNames(settings)).map((message) => ({
    key: keyOf(["tls"]),
    message,
  }));
}
