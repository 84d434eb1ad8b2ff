/** What must hold between keys. Each check returns problems; none stops at the first. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkRanges } from "../components/ranges.ts";
import { certificateProblems } from "./certificate.ts";
import { keyOf, type ConfigProblem } from "./report.ts";
import type { Settings } from "./schema.ts";

/** Stands where a real value cannot be known, as when rendering without credentials. */
export const isPlaceholder = (value: string): boolean => /^\(.* not shown\)$/.test(value);

/** A route's full host name: a label is taken under the domain. */
export const fullHost = (host: string, domain: string): string => (host.includes(".") ? host : `${host}.${domain}`);

/** Every name that clients may use: the domain, then the hosts of routes, sorted. */
export function hostNames(settings: Settings): string[] {
  const hosts = Object.values(settings.services).flatMap((service) =>
    service.routes.flatMap((route) => (route.host === undefined ? [] : [fullHost(route.host, settings.domain)])),
  );
  return [settings.domain, ...[...new Set(hosts)].filter((host) => host !== settings.domain).sort()];
}

export function checkSettings(settings: Settings, projectDir: string, tls: TlsMaterial | undefined): ConfigProblem[] {
  return [
    ...checkRoutes(settings),
    ...checkPlaces(settings, projectDir),
    ...checkSecrets(settings),
    ...checkTls(settings, tls),
  ];
}

function checkRoutes(settings: Settings): ConfigProblem[] {
  const seen = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const [name, service] of Object.entries(settings.services)) {
    service.routes.forEach((route, index) => {
      const key = keyOf(["services", name, "routes", index]);
      const host = route.host === undefined ? "" : fullHost(route.host, settings.domain);
      // The bare name of a prefix (/hoge) redirects to it, so it is taken by the same route.
      const path = route.path ?? "/";
      const taken = [
        `${host}${path}`,
        ...(path.length > 1 && path.endsWith("/") ? [`${host}${path.slice(0, -1)}`] : []),
      ];
      const other = taken.map((place) => seen.get(place)).find((owner) => owner !== undefined);
      if (other !== undefined)
        problems.push({
          key,
          message: `${taken[0] ?? ""} is already the route ${other}; give one of them another path or host`,
        });
      for (const place of taken) seen.set(place, key);
      if (route.keepPrefix && (path === "/" || !path.endsWith("/"))) {
        problems.push({ key, message: `keepPrefix says nothing for the path ${path}, which has no prefix; remove it` });
      }
    });
  }
  return problems;
}

function checkPlaces(settings: Settings, projectDir: string): ConfigProblem[] {
  const { cluster, edge, registry } = settings;
  const problems: ConfigProblem[] = [];
  if (cluster.kind === "gke") {
    for (const message of checkRanges(cluster.network)) problems.push({ key: keyOf(["cluster", "network"]), message });
    const { minPerZone, maxPerZone } = cluster.nodes;
    if (minPerZone > maxPerZone)
      problems.push({
        key: keyOf(["cluster", "nodes", "minPerZone"]),
        message: `${minPerZone} is more than maxPerZone ${maxPerZone}`,
      });
    if (registry.kind === "node")
      problems.push({
        key: keyOf(["registry", "kind"]),
        message: `"node" puts images on a local node; GKE pulls from a registry: use artifact-registry`,
      });
  }
  if (edge.kind === "gce" && cluster.kind !== "gke") {
    problems.push({
      key: keyOf(["edge", "kind"]),
      message: `"gce" needs cluster.kind gke, not ${cluster.kind}; use {kind: ingress, className: …}`,
    });
  }
  for (const { key, context } of builds(settings)) {
    if (registry.kind === "artifact-registry" && cluster.kind !== "gke") {
      problems.push({
        key: keyOf(key),
        message: `needs a registry to push to; set ${keyOf(["registry", "kind"])} to node, or give an image`,
      });
    }
    if (!existsSync(join(projectDir, context, "Dockerfile"))) {
      problems.push({
        key: keyOf([...key, "context"]),
        message: `${JSON.stringify(context)} has no Dockerfile; name a folder that has one, relative to the project`,
      });
    }
  }
  return problems;
}

function builds(settings: Settings): { key: string[]; context: string }[] {
  const services = Object.entries(settings.services).flatMap(([name, { build }]) =>
    build === undefined ? [] : [{ key: ["services", name, "build"], context: build.context }],
  );
  return [
    ...services,
    ...(settings.proxy.build === undefined ? [] : [{ key: ["proxy", "build"], context: settings.proxy.build.context }]),
  ];
}

function checkSecrets(settings: Settings): ConfigProblem[] {
  return Object.entries(settings.secrets).flatMap(([name, values]) => {
    if (name === "tls" || values === undefined) return [];
    const service = settings.services[name];
    if (service === undefined)
      return [
        {
          key: keyOf(["secrets", name]),
          message: `names no service; the services are ${Object.keys(settings.services).join(", ")}`,
        },
      ];
    return Object.keys(values)
      .filter((variable) => variable in service.env)
      .map((variable) => ({
        key: keyOf(["secrets", name, variable]),
        message: `is also in services.${name}.env; keep it in one of the two`,
      }));
  });
}

/** A certificate chain and its key, as PEM text. */
export interface TlsMaterial {
  readonly crt: string;
  readonly key: string;
}

function checkTls(settings: Settings, tls: TlsMaterial | undefined): ConfigProblem[] {
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
