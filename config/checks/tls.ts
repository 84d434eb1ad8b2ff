/**
 * A supplied certificate comes either from files or from secrets, and must cover all hosts. `../certificate.ts` checks
 * the certificate itself.
 */
import { certificateProblems } from "../certificate.ts";
import { hostNames } from "../hosts.ts";
import { hidden, problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

/** Whether the value replaces an unknown real one, as in rendering without credentials. */
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
          problem(
            ["secrets", "tls"],
            settings.secrets.tls,
            `is only used with tls.mode supplied, not ${settings.tls.mode}`,
            "remove it",
          ),
        ];
  }
  const { certFile, keyFile } = settings.tls;
  if (settings.secrets.tls !== undefined && (certFile !== undefined || keyFile !== undefined)) {
    return [
      problem(
        ["tls"],
        { certFile, keyFile },
        "names files, and secrets.tls holds a certificate as well",
        "remove certFile and keyFile, or secrets.tls",
      ),
    ];
  }
  if (settings.secrets.tls === undefined && (certFile === undefined || keyFile === undefined)) {
    return [
      problem(
        ["tls", "mode"],
        settings.tls.mode,
        "needs a certificate and its key",
        "set certFile and keyFile, or secrets.tls.crt and secrets.tls.key (--secret)",
      ),
    ];
  }
  if (certificate === undefined)
    return [
      problem(
        ["tls"],
        { certFile, keyFile },
        "names a file that cannot be read",
        "name files that exist, relative to the project",
      ),
    ];
  if (isPlaceholder(certificate.crt) || isPlaceholder(certificate.key)) return [];
  return certificateProblems(certificate.crt, certificate.key, hostNames(settings)).map(({ of, found, fix }) => {
    const file = of === "crt" ? certFile : keyFile;
    return file === undefined
      ? problem(["secrets", "tls", of], hidden, found, fix)
      : problem(["tls", of === "crt" ? "certFile" : "keyFile"], file, found, fix);
  });
}
