/**
 * Chooses the version of a service: first by header or cookie, then by a percentage of client addresses, so that one
 * client stays with one version. nginx requires these blocks before the servers.
 */
import type { Route, Version } from "./model.ts";
import { indent, literally, nameOf } from "./text.ts";

const choices = (route: Route) => [...(route.versions ?? []), ...(route.canary === undefined ? [] : [route.canary])];

/** The service of a request: its name, or the variable that chooses one. nginx evaluates it once for each request. */
export const chosenService = (route: Route): string =>
  choices(route).length === 0 ? route.service : `$to_${nameOf(route)}`;

/**
 * What a version reads, and the expression for its value. nginx has variables for cookies, but ignores the case of their
 * names, which counts (RFC 6265, 5.4). Of cookies with one name the first is read, as by most services; a value may be in
 * quotes. The possessive quantifiers keep long headers cheap.
 */
function selectedBy({ header, cookie = "", value }: Version): [source: string, expression: string] {
  const text = literally(value);
  if (header !== undefined) return [`$http_${header.toLowerCase().replaceAll("-", "_")}`, quoted(`^${text}$`)];
  const name = literally(cookie);
  return ["$http_cookie", quoted(`^(?>(?!${name}=)[^;]*+; *+)*+${name}=(?:${text}|"${text}")(?:;|$)`)];
}

const quoted = (expression: string) => expression.replaceAll(/[\\"]/g, String.raw`\$&`);

/**
 * A chain of variables in reverse order: first the percentage, then each header or cookie. So the first version wins.
 */
export function renderCanaries(route: Route): string[] {
  const all = choices(route).length;
  if (all === 0) return [];
  const name = nameOf(route);
  const blocks: string[] = [`# ${route.host ?? ""}${route.path}`];
  let otherwise = route.service;
  const variable = () => (blocks.length === all ? `$to_${name}` : `$to_${name}_${blocks.length}`);
  if (route.canary !== undefined) {
    const choice = variable();
    blocks.push(
      `split_clients $client_network ${choice} {\n${indent(`${route.canary.percent}% ${route.canary.service};\n* ${otherwise};`)}\n}`,
    );
    otherwise = choice;
  }
  for (const version of (route.versions ?? []).toReversed()) {
    const choice = variable();
    const [source, expression] = selectedBy(version);
    // A regular expression, because plain text in a `map` ignores case.
    blocks.push(
      `map ${source} ${choice} {\n${indent(`default ${otherwise};\n"~${expression}" ${version.service};`)}\n}`,
    );
    otherwise = choice;
  }
  return [`${blocks.join("\n")}\n`];
}
