/** The host names of a stack. */
import { domainToUnicode } from "node:url";
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
 * The end of a name that is not in the public DNS: nobody can own such a name, or certify it publicly. Of these, some are
 * reserved, and the others are in use within so many networks that ICANN delegates none of them.
 * https://www.iana.org/assignments/special-use-domain-names, https://www.rfc-editor.org/rfc/rfc6762#appendix-G,
 * https://www.icann.org/resources/board-material/resolutions-2018-02-04-en#2.c and, for localdomain,
 * https://www.icann.org/en/groups/ssac/documents/sac-045-en.pdf
 */
export const privateTop = (name: string): string | undefined =>
  /\.(alt|corp|example|home|home\.arpa|internal|intranet|invalid|lan|local|localdomain|localhost|mail|onion|private|test)$/.exec(
    name,
  )?.[1];

/**
 * The first label of a name that no public authority certifies: one with `--` as its third and fourth characters, unless
 * it is a valid international one, which Node decodes. `web--eu` is fine, and `pr--12` is not.
 * https://github.com/cabforum/servercert/blob/main/docs/BR.md (7.1.4.2.1), https://www.rfc-editor.org/rfc/rfc5890#section-2.3.1
 */
export const reservedLabel = (name: string): string | undefined =>
  name
    .split(".")
    .find((label) => /^..--/.test(label) && (!label.startsWith("xn--") || domainToUnicode(label) === label));
