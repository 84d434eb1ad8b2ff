/** The services behind the proxy as nginx upstreams, and how nginx finds their pods. */
import type { Route, Upstream } from "./model.ts";

/**
 * The upstream of a service. It has another for gRPC: nginx keeps idle connections by address alone, and one of HTTP/1.1 must
 * not be taken for gRPC.
 */
export const upstreamName = (service: string, { protocol }: Pick<Route, "protocol">): string =>
  protocol === "grpc" ? `grpc_${service}` : service;

/** Every service that a route leads to: its own, those of its versions, and its canary's. */
export const servicesOf = ({ service, canary, versions = [] }: Pick<Route, "service" | "canary" | "versions">) => [
  service,
  ...versions.map((version) => version.service),
  ...(canary === undefined ? [] : [canary.service]),
];

/** One for each protocol by which a service is reached. */
export function upstreamsOf(upstreams: readonly Upstream[], routes: readonly Route[]): Upstream[] {
  const names = new Map(upstreams.map(({ service }) => [service, new Set<string>()]));
  for (const route of routes)
    for (const service of servicesOf(route)) names.get(service)?.add(upstreamName(service, route));
  return upstreams.flatMap((upstream) => {
    const found = [...(names.get(upstream.service) ?? [])].sort();
    return (found.length === 0 ? [upstream.service] : found).map((service) => ({ ...upstream, service }));
  });
}

/**
 * nginx asks for a name again a second after `valid`, whether it exists or not, and twice `resolver_timeout` after a question that nobody
 * answered.
 */
export function renderResolver(resolver: string): string {
  return `resolver ${resolver} valid=5s ipv6=off;\nresolver_timeout 1s;\n`;
}

/**
 * Seconds until nginx knows where so many services are: it asks for all at its start, of which a DNS server's socket takes some 250
 * (Linux' default buffer), and for the others again every 2 s.
 */
export const learningSeconds = (services: number): number => 2 * Math.floor(services / 200);

/**
 * nginx takes memory for each connection that it may keep, 170 bytes at its start: with 512 for each of 1,000 services that was 75 of
 * 174 MiB.
 */
export const keptConnections = (upstreams: number): number =>
  Math.max(64, Math.min(512, Math.floor(32_768 / upstreams)));

/**
 * `docs/upstreams.md` has the measurements. The zone holds 200 pods. `max_fails=0`: nginx would take a pod that is merely slow on one path
 * for dead, and with the last pod the whole service; a pod that is dead costs one attempt until DNS forgets it.
 *
 * Of many requests at a time each keeps its connection, to all pods together and for each worker (with 32 kept, a load of 512 was
 * a third slower). Idle connections are closed before services close them (Node.js after 5 s): a POST on a connection that is
 * just being closed fails and may not be repeated.
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
