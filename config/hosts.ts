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

/**
 * The top-level domain of a name, if it is not in the public DNS: nobody can own such a name, or certify it publicly.
 * https://www.iana.org/assignments/special-use-domain-names
 */
export const privateTop = (name: string): string | undefined =>
  /\.(alt|example|internal|invalid|local|localhost|onion|test)$/.exec(name)?.[1];
