/** Whether a host is the domain or below it. Both in lower case, without a trailing dot. */
export const isUnder = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);

/** Whether a host is one label below the domain, where a wildcard certificate covers it. */
export const isRightBelow = (host: string, domain: string): boolean => host.slice(host.indexOf(".") + 1) === domain;

/**
 * The certificate names that cover all hosts. A wildcard covers every label under the domain, so a new host there needs
 * no new certificate. Hosts elsewhere, and hosts more than one label deep, get their own certificates.
 *
 * @param hosts the domain first
 */
export function certificateNames(hosts: readonly string[], wildcard: boolean): string[] {
  const [domain] = hosts;
  if (!wildcard || domain === undefined) return [...hosts];
  return [domain, `*.${domain}`, ...hosts.filter((host) => host !== domain && !isRightBelow(host, domain))];
}
