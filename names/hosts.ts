/** Whether a host is the domain or below it. Both in lower case, without a trailing dot. */
export const isUnder = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);
