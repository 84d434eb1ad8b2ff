/** Services that are found by their names alone. */
import { below, location } from "./directives.ts";
import { allowedNames } from "./routeChecks.ts";
import type { Wildcard } from "./routes.ts";

/** By the first segment of the path, which is stripped. */
export function renderByPath(wildcard: Wildcard): string {
  const names = allowedNames(wildcard.allow);
  return [
    "# services found by the first segment of the path",
    location(`~ "^/(?<wildcard_service>${names})$"`, ["return 308 /$wildcard_service/$is_args$args;"]),
    location(`~ "^/(?<wildcard_service>${names})/"`, [
      "set $service $wildcard_service;",
      "set $stripped_prefix /$wildcard_service;",
      below(`/${names}`),
      `proxy_pass ${addressIn(wildcard)}$below_prefix;`,
    ]),
  ].join("\n");
}

/** The name of a server for any of them. */
export function subdomains(wildcard: Wildcard): string {
  const domain = wildcard.domain.replaceAll(".", String.raw`\.`);
  return `"~^(?<wildcard_service>${allowedNames(wildcard.allow)})\\.${domain}$"`;
}

/** By the label under the domain, all of whose paths are the service's. */
export function renderBySubdomain(wildcard: Wildcard): string {
  return [
    "# services found by subdomain",
    location("/", ["set $service $wildcard_service;", `proxy_pass ${addressIn(wildcard)};`]),
  ].join("\n");
}

const addressIn = ({ suffix, port }: Wildcard): string => `http://$wildcard_service.${suffix}:${port}`;
