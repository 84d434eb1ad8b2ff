/** Services found by name, without routes. */
import type { Bounds } from "./bounds.ts";
import { below, location, settingDirectives } from "./directives.ts";
import { allowedNames } from "./routeChecks.ts";
import type { Wildcard } from "./model.ts";
import { limitDirectives } from "./limits.ts";

/** By the first path segment, which is stripped. */
export function renderByPath(wildcard: Wildcard, bounds: Bounds): string {
  const names = allowedNames(wildcard.allow);
  return [
    "# services found by the first segment of the path",
    location(`~ "^/(?<wildcard_service>${names})$"`, ["return 308 /$wildcard_service/$is_args$args;"]),
    location(`~ "^/(?<wildcard_service>${names})/"`, [
      "set $service $wildcard_service;",
      "set $stripped_prefix /$wildcard_service;",
      below(`/${names}`),
      ...directives(wildcard, bounds),
      `proxy_pass ${addressIn(wildcard)}$below_prefix;`,
    ]),
  ].join("\n");
}

/** The server name that matches all of them. */
export function subdomains(wildcard: Wildcard): string {
  const domain = wildcard.domain.replaceAll(".", String.raw`\.`);
  return `"~^(?<wildcard_service>${allowedNames(wildcard.allow)})\\.${domain}$"`;
}

/** By the label under the domain; all paths go to the service. */
export function renderBySubdomain(wildcard: Wildcard, bounds: Bounds): string {
  return [
    "# services found by subdomain",
    location("/", [
      "set $service $wildcard_service;",
      ...directives(wildcard, bounds),
      `proxy_pass ${addressIn(wildcard)};`,
    ]),
  ].join("\n");
}

/** A name for the zones of a wildcard. Names of routes end in a hash, so they never collide. */
export const wildcardName = ({ by }: Wildcard): string => `wildcard_${by}`;

/**
 * A ClusterIP is one address, so nginx has no other to ask when the network drops the first packet of a connection. The
 * kernel sends it again after 1 s.
 */
const directives = (wildcard: Wildcard, bounds: Bounds): string[] => [
  "proxy_connect_timeout 2s;",
  ...settingDirectives(wildcard.settings ?? {}),
  ...limitDirectives(wildcardName(wildcard), wildcard.settings ?? {}, bounds),
];

const addressIn = ({ suffix, port }: Wildcard): string => `http://$wildcard_service.${suffix}:${port}`;
