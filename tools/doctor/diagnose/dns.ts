/** Checks that the host names resolve to the stack's address. */
import { isIP } from "node:net";
import type { NameRecords } from "../gather/names.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";

/** @param address expected address; undefined if unknown */
export function dns(records: readonly NameRecords[], address: string | undefined, subject: Subject): Finding {
  const { hosts, domain } = subject;
  // Browsers and resolvers resolve these to this machine (RFC 6761).
  if (hosts.every((host) => host.endsWith(".localhost")))
    return { state: "ok", seen: `${domain} always resolves to this machine` };
  const failure = records.map((one) => problemOf(one, address, subject)).find((finding) => finding !== undefined);
  if (failure !== undefined) return failure;
  const found = [...new Set(records.flatMap(({ v4, v6 }) => [...v4, ...v6]))].join(", ");
  const names = hosts.length === 1 ? domain : `${hosts.length} names`;
  return address === undefined
    ? { state: "unknown", seen: `${names} → ${found}; the expected address is unknown` }
    : { state: "ok", seen: `${names} → ${found}` };
}

function problemOf(
  { host, v4, v6, error }: NameRecords,
  address: string | undefined,
  subject: Subject,
): Finding | undefined {
  const to = address ?? `the stack's address (npx pulumi stack output address -s ${subject.stack})`;
  const record = `${host}. A ${to}`;
  if (error === "ENOTFOUND" || error === "ENODATA")
    return {
      state: "failed",
      seen: `${host}: ${error === "ENOTFOUND" ? "the name does not exist (NXDOMAIN)" : "the name has no address"}`,
      means:
        "Clients cannot resolve the name: there is no record, or the parent domain does not delegate to the zone that has it.",
      fix:
        subject.dns === undefined
          ? `Create the record ${record}, or let the stack create it: set dns in its config (docs/edge.md)`
          : subject.dns.create
            ? `Delegate the domain: set its NS records to the output of "npx pulumi stack output nameServers --stack ${subject.stack}"`
            : `${subject.apply}   # creates the record in the zone ${subject.dns.zone ?? ""}`,
      passing: subject.dns !== undefined,
    };
  if (error === "ESERVFAIL")
    return {
      state: "failed",
      seen: `${host}: SERVFAIL`,
      means:
        "The domain's name servers fail or do not answer: the delegation is wrong, or the DNSSEC records do not match.",
      fix: `dig +trace ${host}   # then fix the delegation or the DS record where the domain is registered`,
    };
  if (error !== undefined) return { state: "unknown", seen: `${host}: no name server answered (${error})` };
  if (address === undefined || isIP(address) === 0) return undefined;
  const wrong = v4.filter((found) => found !== address);
  if (wrong.length > 0)
    return {
      state: "failed",
      seen: `${host} resolves to ${v4.join(", ")}, but the stack's address is ${address}`,
      means:
        wrong.length === v4.length
          ? "Clients reach something else, such as an earlier address of the stack."
          : "Some clients reach something else: only one of the records is right.",
      fix: `Keep only the A record ${record} (resolvers cache the old one for its time to live).`,
      passing: subject.dns !== undefined,
    };
  const other = v6.filter((found) => found !== address);
  if (other.length > 0)
    return {
      state: "failed",
      seen: `${host} has the AAAA record ${other.join(", ")}, but the stack has no IPv6 address`,
      means: "Clients with IPv6 reach something else, and Google issues no certificate for the name.",
      fix: `Remove the AAAA record of ${host}`,
    };
  return undefined;
}

/**
 * The hosts whose CAA records do not allow Google's CA.
 * https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs#caa
 */
export const withoutGoogleCa = (records: readonly NameRecords[]): string[] =>
  records.filter(({ issuers }) => issuers.length > 0 && !issuers.includes("pki.goog")).map(({ host }) => host);
