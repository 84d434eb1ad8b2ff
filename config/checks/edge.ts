/** The entrance must fit the cluster, and its certificate the names. */
import { certificateProblems } from "../certificate.ts";
import { hostNames } from "../hosts.ts";
import { keyOf, type ConfigProblem } from "../report.ts";
import type { Settings } from "../schema.ts";

/** Stands where a real value cannot be known, as when rendering without credentials. */
export const isPlaceholder = (value: string): boolean => /^\(.* not shown\)$/.test(value);

/** A certificate chain and its key, as PEM text. */
export interface TlsMaterial {
  readonly crt: string;
  readonly key: string;
}

export function checkEdge({ cluster, edge }: Settings): ConfigProblem[] {
  if (edge.kind !== "gce" || cluster.kind === "gke") return [];
  return [
    {
      key: keyOf(["edge", "kind"]),
      message: `"gce" needs cluster.kind gke, not ${cluster.kind}; use {kind: ingress, className: …}`,
    },
  ];
}

export function checkTls(settings: Settings, tls: TlsMaterial | undefined): ConfigProblem[] {
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
  if (tls === undefined)
    return [
      {
        key: keyOf(["tls"]),
        message: `${certFile ?? ""} or ${keyFile ?? ""} cannot be read; name files that exist, relative to the project`,
      },
    ];
  if (isPlaceholder(tls.crt) || isPlaceholder(tls.key)) return [];
  return certificateProblems(tls.crt, tls.key, hostNames(settings)).map((message) => ({
    key: keyOf(["tls"]),
    message,
  }));
}
