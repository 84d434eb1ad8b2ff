/** What stands before the servers because nginx wants it there: choices between upstreams, and the counters of limits. */
import { createHash } from "node:crypto";
import type { Limit, Route, Upstream } from "./routes.ts";
import { indent, literally } from "./text.ts";

/** A name for what belongs to one route: readable, and never that of another route. */
export function nameOf({ service, host = "", path }: Route): string {
  const hash = createHash("sha256").update(`${host}${path}`).digest("hex").slice(0, 8);
  return `${service.replaceAll("-", "_")}_${hash}`;
}

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

const choices = (route: Route) => [...(route.versions ?? []), ...(route.canary === undefined ? [] : [route.canary])];

/** What `proxy_pass` or `grpc_pass` names: the upstream itself, or the variable that chooses one. */
export const targetOf = (route: Route): string =>
  choices(route).length === 0 ? upstreamName(route.service, route) : `$to_${nameOf(route)}`;

/** A chain of choices, the last first: by share, then by each header or cookie, so that the first version wins. */
export function renderTarget(route: Route): string[] {
  const all = choices(route).length;
  if (all === 0) return [];
  const name = nameOf(route);
  const blocks: string[] = [`# ${route.host ?? ""}${route.path}`];
  let otherwise = upstreamName(route.service, route);
  const variable = () => (blocks.length === all ? `$to_${name}` : `$to_${name}_${blocks.length}`);
  if (route.canary !== undefined) {
    const choice = variable();
    blocks.push(
      `split_clients $client_address ${choice} {\n${indent(`${route.canary.percent}% ${upstreamName(route.canary.service, route)};\n* ${otherwise};`)}\n}`,
    );
    otherwise = choice;
  }
  for (const version of (route.versions ?? []).toReversed()) {
    const choice = variable();
    const source =
      version.header === undefined
        ? `$cookie_${version.cookie ?? ""}`
        : `$http_${version.header.toLowerCase().replaceAll("-", "_")}`;
    // An expression, because plain text would fit in capitals as well.
    blocks.push(
      `map ${source} ${choice} {\n${indent(`default ${otherwise};\n"~^${literally(version.value)}$" ${upstreamName(version.service, route)};`)}\n}`,
    );
    otherwise = choice;
  }
  return [`${blocks.join("\n")}\n`];
}

/** 1 MiB counts some 8,000 addresses at a time; the oldest are forgotten first. */
export function renderLimits(name: string, { requestsPerSecond, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req_zone $client_address zone=requests_${name}:1m rate=${requestsPerSecond}r/s;\n`]),
    ...(connections === undefined ? [] : [`limit_conn_zone $client_address zone=connections_${name}:1m;\n`]),
  ];
}

/** The directives that hold a location to its limits. */
export function limitDirectives(name: string, { requestsPerSecond, burst = 0, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req zone=requests_${name}${burst === 0 ? "" : ` burst=${burst} nodelay`};`]),
    ...(connections === undefined ? [] : [`limit_conn connections_${name} ${connections};`]),
  ];
}
