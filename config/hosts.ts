/** The host names of a stack. */
import type { Settings } from "./schema.ts";

/** A route's full host name: a label is taken under the domain. */
export const fullHost = (host: string, domain: string): string => (host.includes(".") ? host : `${host}.${domain}`);

/** Every name that clients may use: the domain, then the hosts of routes and redirects, sorted; a wildcard last. */
export function hostNames({ domain, services, proxy }: Pick<Settings, "domain" | "services" | "proxy">): string[] {
  const hostPaths = [...Object.values(services).flatMap(({ routes }) => routes), ...proxy.redirects];
  const hosts = hostPaths.flatMap(({ host }) => (host === undefined ? [] : [fullHost(host, domain)]));
  const others = [...new Set(hosts)].filter((host) => host !== domain).sort();
  return [domain, ...others, ...(proxy.wildcards.subdomain === undefined ? [] : [`*.${domain}`])];
}
