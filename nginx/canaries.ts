/**
 * Chooses the version of a service: first by header or cookie, then by a percentage of client addresses, so that one
 * client stays with one version. nginx requires these blocks before the servers.
 */
import type { Route } from "./model.ts";
import { indent, literally, nameOf } from "./text.ts";
import { upstreamName } from "./upstreams.ts";

const choices = (route: Route) => [...(route.versions ?? []), ...(route.canary === undefined ? [] : [route.canary])];

/** The argument of `proxy_pass` or `grpc_pass`: the upstream, or the variable that chooses one. */
export const targetOf = (route: Route): string =>
  choices(route).length === 0 ? upstreamName(route.service, route) : `$to_${nameOf(route)}`;

/**
 * A chain of variables in reverse order: first the percentage, then each header or cookie. So the first version wins.
 */
export function renderCanaries(route: Route): string[] {
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
    // A regular expression, because plain text in a `map` ignores case.
    blocks.push(
      `map ${source} ${choice} {\n${indent(`default ${otherwise};\n"~^${literally(version.value)}$" ${upstreamName(version.service, route)};`)}\n}`,
    );
    otherwise = choice;
  }
  return [`${blocks.join("\n")}\n`];
}
