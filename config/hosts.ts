/** The host names of a stack. */
import type { Settings } from "./schema.ts";

/** A route's full host name: a label is taken under the domain. */
export const fullHost = (host: string, domain: string): string => (host.includes(".") ? host : `${host}.${domain}`);

/** Every name that clients may use: the domain, then the hosts of routes, sorted. */
export function hostNames(settings: Settings): string[] {
  const hosts = Object.values(settings.services).flatMap((service) =>
    service.routes.flatMap((route) => (route.host === undefined ? [] : [fullHost(route.host, settings.domain)])),
  );
  return [settings.domain, ...[...new Set(hosts)].filter((host) => host !== settings.domain).sort()];
}
