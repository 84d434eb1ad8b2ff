/** The host names of a stack. */
import type { Settings } from "./schema.ts";

/** A route's full host name; a name without a dot is a label under the domain. */
export const fullHost = (host: string, domain: string): string => (host.includes(".") ? host : `${host}.${domain}`);

/** All host names of the stack: the domain, the sorted hosts of routes and redirects, then a wildcard. */
export function hostNames({ domain, services, proxy }: Pick<Settings, "domain" | "services" | "proxy">): string[] {
  const hostPaths = [...Object.values(services).flatMap(({ routes }) => routes), ...proxy.redirects];
  const hosts = hostPaths.flatMap(({ host }) => (host === undefined ? [] : [fullHost(host, domain)]));
  const others = [...new Set(hosts)].filter((host) => host !== domain).sort();
  return [domain, ...others, ...(proxy.wildcards.subdomain === undefined ? [] : [`*.${domain}`])];
}
