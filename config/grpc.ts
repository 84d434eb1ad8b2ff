/** Effects of gRPC routes at the edge: a backend of their own. */
import type { EdgePath } from "../components/edge/grpcBackend.ts";
import { hostNames } from "./hosts.ts";
import { hostPathsOf, type HostPathsConfig } from "./routes.ts";

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
