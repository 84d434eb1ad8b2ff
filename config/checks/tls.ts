/**
 * A supplied certificate comes either from files or from secrets, and must cover all hosts. `../certificate.ts` checks
 * the certificate itself.
 */
import { certificateProblems } from "../certificate.ts";
import type { ServedBy } from "../certificateKeys.ts";
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

/**
 * Limit of Google's load balancers of every kind. https://cloud.google.com/load-balancing/docs/quotas#ssl_certificates
 */
export const certificatesPerLoadBalancer = 15;

/**
 * Decides what serves a host until Google has issued its certificate. An Ingress has both certificates attached, and
 * the load balancer takes Google's once it is there. An entry of a Gateway's map has one certificate: only the next
 * update would change it, so a new stack goes without.
 */
export function withFallback(settings: Pick<Settings, "tls" | "edge" | "domain" | "services" | "proxy">) {
  const { tls, edge } = settings;
  if (tls.mode !== "managed") return tls;
  const room = hostNames(settings).length < certificatesPerLoadBalancer;
  const usual = edge.kind === "gce" && room ? ("self-signed" as const) : ("none" as const);
  return { ...tls, fallback: tls.fallback ?? usual };
}

const usesSecret = ({ tls }: Settings) =>
  tls.mode === "supplied" || (tls.mode === "managed" && tls.fallback === "supplied");

/** The controllers of an Ingress and a Gateway make Compute Engine's certificates of a Secret. */
function servedBy({ edge, tls }: Settings): ServedBy {
  if (!edge.onGoogle) return "other";
  return edge.kind === "gateway" && tls.mode === "managed" ? "certificate-manager" : "compute";
}

export function checkTls(settings: Settings, certificate: CertificatePair | undefined): ConfigProblem[] {
  if (!usesSecret(settings)) {
    return settings.secrets.tls === undefined
      ? []
      : [
          problem(
            ["secrets", "tls"],
            settings.secrets.tls,
            `is only used with tls.mode supplied, not ${settings.tls.mode}`,
            settings.tls.mode === "managed"
              ? "remove it; or set tls.fallback: supplied, until Google has issued the certificates"
              : "remove it",
          ),
        ];
  }
  if (settings.tls.mode === "managed" && settings.secrets.tls === undefined)
    return [
      problem(
        ["tls", "fallback"],
        settings.tls.fallback,
        "needs a certificate and its key",
        "set secrets.tls.crt and secrets.tls.key (--secret), or use self-signed",
      ),
    ];
  const { certFile, keyFile } = settings.tls.mode === "supplied" ? settings.tls : {};
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
  return certificateProblems(certificate.crt, certificate.key, hostNames(settings), new Date(), servedBy(settings)).map(
    ({ of, found, fix }) => {
      const file = of === "crt" ? certFile : keyFile;
      return file === undefined
        ? problem(["secrets", "tls", of], hidden, found, fix)
        : problem(["tls", of === "crt" ? "certFile" : "keyFile"], file, found, fix);
    },
  );
}
