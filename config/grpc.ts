/** Effects of gRPC routes: a separate backend at the edge, and gRPC health checks of pods. */
import { servicesOf } from "../nginx/upstreams.ts";
import type { EdgePath } from "../components/edge/grpcBackend.ts";
import { hostNames } from "./hosts.ts";
import { hostPathsOf, protocolOf, type HostPathsConfig } from "./routes.ts";
import type { Settings } from "./schema.ts";

type Services = Settings["services"];

/**
 * Whether a service gets gRPC health checks: true if only gRPC routes lead to it. For a service without routes,
 * `routeDefaults` decides.
 */
function speaksGrpc({ routeDefaults }: Services[string], protocols: ReadonlySet<string> = new Set()): boolean {
  return protocols.size > 0 ? !protocols.has("http") : routeDefaults.protocol === "grpc";
}

/** The protocols of the routes to each service. */
function protocolsOf(services: Services): ReadonlyMap<string, ReadonlySet<string>> {
  const protocols = new Map<string, Set<string>>();
  for (const [owner, service] of Object.entries(services))
    for (const route of service.routes)
      for (const name of servicesOf({ ...route, service: owner }))
        protocols.set(name, (protocols.get(name) ?? new Set()).add(protocolOf(route, service)));
  return protocols;
}

/** Adds each service's health check path; undefined means a gRPC health check. */
export function withHealthPaths(services: Services): Services {
  const protocols = protocolsOf(services);
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => {
      const defaultPath = speaksGrpc(service, protocols.get(name)) ? undefined : "/healthz";
      return [name, { ...service, healthPath: service.healthPath ?? defaultPath }];
    }),
  );
}

/** The gRPC routes, spelled as in the route table: `shop.example.com/shop.v1.Orders/`. */
export const grpcHostPaths = (config: HostPathsConfig): ReadonlySet<string> =>
  new Set(
    hostPathsOf(config)
      .filter(({ protocol }) => protocol === "grpc")
      .map(({ host, path }) => `${host ?? config.domain}${path}`),
  );

/**
 * The paths of each host that the edge routes separately, longest first; `/` is always included. Routes without a host
 * apply to every host without its own routes. Services found by subdomain never use gRPC.
 * @returns an empty object without gRPC routes
 */
export function edgePaths(config: HostPathsConfig): Readonly<Record<string, readonly EdgePath[]>> {
  const hostPaths = hostPathsOf(config);
  if (!hostPaths.some(({ protocol }) => protocol === "grpc")) return {};
  const at = (host: string | undefined) => hostPaths.filter((hostPath) => hostPath.host === host);
  return Object.fromEntries(
    hostNames(config).map((host) => {
      const own = at(host);
      const here = own.length > 0 ? own : host.startsWith("*.") ? [] : at(undefined);
      return [host, changesOf(here)];
    }),
  );
}

/** Keeps only the paths whose protocol differs from that of the enclosing path. */
function changesOf(hostPaths: readonly EdgePath[]): EdgePath[] {
  const longestFirst = [...hostPaths].sort((a, b) => b.path.length - a.path.length || (a.path < b.path ? -1 : 1));
  const around = (path: string) =>
    longestFirst.find(
      (hostPath) => hostPath.path.endsWith("/") && hostPath.path !== path && path.startsWith(hostPath.path),
    );
  return [
    ...longestFirst
      .filter(({ path, protocol }) => path !== "/" && protocol !== (around(path)?.protocol ?? "http"))
      .map(({ path, protocol }) => ({ path, protocol })),
    { path: "/", protocol: hostPaths.find(({ path }) => path === "/")?.protocol ?? "http" },
  ];
}
