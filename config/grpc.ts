/** What follows from routes of gRPC: for the edge, which has another backend for them, and for the pods behind them. */
import { servicesOf } from "../nginx/upstreams.ts";
import type { EdgePath } from "../components/edge/grpcBackend.ts";
import { hostNames } from "./hosts.ts";
import { hostPathsOf, protocolOf, type HostPathsConfig } from "./routes.ts";
import type { Settings } from "./schema.ts";

type Services = Settings["services"];

/**
 * Whether a service is asked by gRPC for its health: where gRPC is all that leads to it. A service that no route leads to
 * says it by `routeDefaults`.
 */
function speaksGrpc({ routeDefaults }: Services[string], protocols: ReadonlySet<string> = new Set()): boolean {
  return protocols.size > 0 ? !protocols.has("http") : routeDefaults.protocol === "grpc";
}

/** By a service's name, the protocols of the routes that lead to it. */
function protocolsOf(services: Services): ReadonlyMap<string, ReadonlySet<string>> {
  const protocols = new Map<string, Set<string>>();
  for (const [owner, service] of Object.entries(services))
    for (const route of service.routes)
      for (const name of servicesOf({ ...route, service: owner }))
        protocols.set(name, (protocols.get(name) ?? new Set()).add(protocolOf(route, service)));
  return protocols;
}

/** Services with the path that each is asked for its health by; with none, it is asked by gRPC. */
export function withHealthPaths(services: Services): Services {
  const protocols = protocolsOf(services);
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => {
      const usual = speaksGrpc(service, protocols.get(name)) ? undefined : "/healthz";
      return [name, { ...service, healthPath: service.healthPath ?? usual }];
    }),
  );
}

/** `shop.example.com/shop.v1.Orders/`: the routes of gRPC, spelled as the table of routes has them. */
export const grpcHostPaths = (config: HostPathsConfig): ReadonlySet<string> =>
  new Set(
    hostPathsOf(config)
      .filter(({ protocol }) => protocol === "grpc")
      .map(({ host, path }) => `${host ?? config.domain}${path}`),
  );

/**
 * What the edge has to tell apart on each host, the longest path first; `/` is always there. Routes without host are those
 * of every host that has none of its own; what is found by subdomain is no gRPC.
 * @returns nothing where there are no routes of gRPC
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

/** Of a thousand paths, those where the protocol is another than around them. */
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
