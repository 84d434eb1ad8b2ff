/** The names lead to the stack's address. */
import { isIP } from "node:net";
import type { Looked } from "../gather/names.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";

/** @param address where they should lead. @default - it is not known */
export function dns(looked: readonly Looked[], address: string | undefined, subject: Subject): Finding {
  const { hosts, domain } = subject;
  // Browsers and resolvers keep these to this machine by themselves (RFC 6761).
  if (hosts.every((host) => host.endsWith(".localhost")))
    return { state: "ok", seen: `${domain} is this machine, by its name` };
  const failure = looked.map((one) => problemOf(one, address, subject)).find((finding) => finding !== undefined);
  if (failure !== undefined) return failure;
  const found = [...new Set(looked.flatMap(({ v4, v6 }) => [...v4, ...v6]))].join(", ");
  const names = hosts.length === 1 ? domain : `${hosts.length} names`;
  return address === undefined
    ? { state: "unknown", seen: `${names} → ${found}; it is not known whether that is right` }
    : { state: "ok", seen: `${names} → ${found}` };
}

function problemOf(
  { host, v4, v6, error }: Looked,
  address: string | undefined,
  subject: Subject,
): Finding | undefined {
  const to = address ?? "the stack's address (npx pulumi stack output address)";
  const record = `${host}. A ${to}`;
  if (error === "ENOTFOUND" || error === "ENODATA")
    return {
      state: "failed",
      seen: `${host}: ${error === "ENOTFOUND" ? "there is no such name (NXDOMAIN)" : "the name has no address"}`,
      means:
        "Nobody finds the stack by its name: there is no record, or the domain above does not delegate to the zone that has it.",
      fix:
        subject.dns === undefined
          ? `Make the record ${record}, or have the stack make it: dns in its config (docs/edge.md)`
          : subject.dns.create
            ? `Delegate the domain: its NS records are to be "npx pulumi stack output nameServers --stack ${subject.stack}"`
            : `${subject.apply}   # it makes the record in the zone ${subject.dns.zone ?? ""}`,
      passing: subject.dns !== undefined,
    };
  if (error === "ESERVFAIL")
    return {
      state: "failed",
      seen: `${host}: SERVFAIL`,
      means:
        "The domain's name servers answer wrongly or not at all: the delegation leads to the wrong ones, or DNSSEC does not fit.",
      fix: `dig +trace ${host}   # then fix the delegation or the DS record where the domain is registered`,
    };
  if (error !== undefined) return { state: "unknown", seen: `${host}: no name server answered (${error})` };
  if (address === undefined || isIP(address) === 0) return undefined;
  const wrong = v4.filter((found) => found !== address);
  if (wrong.length > 0)
    return {
      state: "failed",
      seen: `${host} leads to ${v4.join(", ")}, and the stack's address is ${address}`,
      means:
        wrong.length === v4.length
          ? "Clients reach something else, such as an earlier address of the stack."
          : "Some clients reach something else: only one of the records is right.",
      fix: `Have the one A record ${record}; resolvers keep the old one for its time to live.`,
      passing: subject.dns !== undefined,
    };
  const other = v6.filter((found) => found !== address);
  if (other.length > 0)
    return {
      state: "failed",
      seen: `${host} has the AAAA record ${other.join(", ")}, and the stack has no IPv6 address`,
      means: "Clients with IPv6 reach something else, and Google issues no certificate for the name.",
      fix: `Remove the AAAA record of ${host}`,
    };
  return undefined;
}

/**
 * The hosts for which a CAA record lets somebody issue certificates, and not Google's authority.
 * https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs#caa
 */
export const closedToGoogle = (looked: readonly Looked[]): string[] =>
  looked.filter(({ issuers }) => issuers.length > 0 && !issuers.includes("pki.goog")).map(({ host }) => host);
