/** The services behind the proxy as nginx upstreams, and the resolution of their pods. */
import type { Route, Upstream } from "./model.ts";

export const isGrpc = ({ protocol }: Pick<Route, "protocol">): boolean => protocol === "grpc";

/**
 * The upstream of a service. gRPC has a separate one: nginx caches idle connections by address only, and must not reuse
 * HTTP/1.1 ones for gRPC.
 */
export const upstreamName = (service: string, route: Pick<Route, "protocol">): string =>
  isGrpc(route) ? `grpc_${service}` : service;

/** Every service of a route: its own, those of its versions, and its canary. */
export const servicesOf = ({ service, canary, versions = [] }: Pick<Route, "service" | "canary" | "versions">) => [
  service,
  ...versions.map((version) => version.service),
  ...(canary === undefined ? [] : [canary.service]),
];

/** One upstream for each protocol of a service. */
export function upstreamsOf(upstreams: readonly Upstream[], routes: readonly Route[]): Upstream[] {
  const names = new Map(upstreams.map(({ service }) => [service, new Set<string>()]));
  for (const route of routes)
    for (const service of servicesOf(route)) names.get(service)?.add(upstreamName(service, route));
  return upstreams.flatMap((upstream) => {
    const found = [...(names.get(upstream.service) ?? [])].sort();
    return (found.length === 0 ? [upstream.service] : found).map((service) => ({ ...upstream, service }));
  });
}

/** Written by `entrypoint.sh`, with the name servers of the pod. */
export const resolverFile = "/tmp/resolver.conf";

/**
 * nginx resolves a name again one second after `valid`, whether it exists or not. If no answer comes, it waits twice
 * `resolver_timeout`.
 */
export function renderResolver(resolver: string | undefined): string {
  const servers =
    resolver === undefined
      ? `# The pod's own name servers, from its /etc/resolv.conf.\ninclude ${resolverFile};`
      : `resolver ${resolver} valid=5s ipv6=off;`;
  return `${servers}\nresolver_timeout 1s;\n`;
}

/**
 * Seconds until nginx has resolved all services. At start it queries all at once, but a DNS server's socket buffers
 * about 250 queries (Linux default). It retries the others every 2 s.
 */
export const learningSeconds = (services: number): number => 2 * Math.floor(services / 200);

/**
 * nginx allocates 170 bytes for each connection that it may keep, at start. For 1,000 services with 512 each, that was
 * 75 of 174 MiB.
 */
export const keptConnections = (upstreams: number): number =>
  Math.max(64, Math.min(512, Math.floor(32_768 / upstreams)));

/**
 * See `docs/upstreams.md` for the measurements. The zone has room for 200 pods. `max_fails=0`: otherwise nginx would
 * mark a pod as down that is only slow on one path. With the last pod it would lose the whole service. A dead pod costs
 * one attempt until DNS drops it.
 *
 * Every concurrent request keeps its connection; the count is per worker, over all pods. With 32 kept connections, a
 * load of 512 was a third slower. nginx closes idle connections before the services do (Node.js: after 5 s). Otherwise
 * a POST could hit a closing connection, fail, and must not be repeated.
 */
export function renderUpstream({ service, address, port }: Upstream, kept: number): string {
  return `upstream ${service} {
    zone ${service} 256k;
    random two least_conn;
    server ${address}:${port} resolve max_fails=0;
    keepalive ${kept};
    keepalive_timeout 4s;
    keepalive_time 60s;
}
`;
}
