/** Checks that clients accept the certificate: it is valid for the host, trusted, and not about to expire. */
import { isRedirectToHttps, isUnreachable } from "./edge.ts";
import type { Probe } from "../answers.ts";
import type { PresentedCertificate } from "../gather/probes.ts";
import type { Finding } from "../report.ts";
import { edit, type Subject } from "../subject.ts";

/** Warns this many days before the expiry: Google and the stack's own CA renew a month ahead. */
const warnDays = 30;

export interface CertificatesSeen {
  readonly presented: readonly PresentedCertificate[];
  /** State of Google's managed certificates by host. @default - not queried, or there are none */
  readonly managed?: Readonly<Record<string, ManagedState>> | undefined;
  readonly http: Probe;
  /** Why the stack's outputs, including its CA, could not be read. @default - they could, or are not needed */
  readonly outputsError?: string | undefined;
  readonly now: Date;
}

/** `PROVISIONING`, `ACTIVE` and so on; for one host, also `FAILED_NOT_VISIBLE` and the like. */
export interface ManagedState {
  readonly status: string;
  readonly ofHost?: string | undefined;
}

const daysOf = (left: number): string => (Math.floor(left) === 1 ? "1 day" : `${Math.floor(left)} days`);

type Bad = Omit<Finding, "seen"> & { readonly seen: string; readonly rank: number };

export function certificate(seen: CertificatesSeen, subject: Subject): Finding {
  if (subject.tls.mode === "none")
    return { state: "skipped", seen: "plain HTTP, according to the config (tls.mode: none)" };
  const { presented, now } = seen;
  // Of several hosts, report the worst; failures rank above warnings.
  const bad = presented.flatMap((one) => problemOf(one, seen, subject) ?? []).sort((a, b) => b.rank - a.rank)[0];
  if (bad !== undefined) {
    const { rank, ...finding } = bad;
    return finding;
  }
  if (presented.every(({ error }) => error !== undefined))
    return { state: "skipped", seen: "no connection, so no certificate" };
  const ends = Math.min(...presented.map(({ to }) => to?.getTime() ?? Infinity));
  const days = daysOf((ends - now.getTime()) / 86_400_000);
  const names = presented.length === 1 ? (presented[0]?.host ?? "") : `${presented.length} names`;
  return {
    state: "ok",
    seen: `for ${names}, trusted, valid until ${new Date(ends).toISOString().slice(0, 10)} (${days})`,
  };
}

function problemOf(
  presented: PresentedCertificate,
  { managed, http, outputsError, now }: CertificatesSeen,
  subject: Subject,
): Bad | undefined {
  const { host, error, untrusted, fits, names = "", to, from, issuer = "" } = presented;
  const state = managed?.[host] ?? managed?.[host.replace(/^[^.]+/, "*")];
  if (error !== undefined) return noHandshake(host, error, state, http, subject);
  const until = to?.toISOString() ?? "";
  const left = ((to?.getTime() ?? Infinity) - now.getTime()) / 86_400_000;
  const renew = renewal(subject);
  if (left <= 0)
    return {
      rank: 9,
      state: "failed",
      seen: `the certificate for ${host} expired on ${until}`,
      means: "Clients no longer accept it.",
      fix: renew,
    };
  if (from !== undefined && from > now)
    return {
      rank: 8,
      state: "failed",
      seen: `the certificate for ${host} is not valid before ${from.toISOString()}`,
      means: "It was issued for a later time, or a clock is wrong: this machine's or the issuer's.",
      fix: "Compare the clocks (date -u), or supply a certificate that is valid now.",
    };
  if (fits === false)
    return {
      rank: 7,
      state: "failed",
      seen: `the certificate that is presented for ${host} is for ${briefNames(names)}`,
      means:
        state === undefined
          ? "It belongs to something else, or is an older one: clients reject it for this name."
          : "The load balancer presents the certificate of another host: this host's is not issued or not attached yet.",
      fix: state === undefined ? supply(subject) : managedFix(host, state, subject),
      passing: state?.status === "PROVISIONING",
    };
  if (untrusted !== undefined && subject.tls.mode === "self-signed" && outputsError !== undefined)
    return {
      rank: 3,
      state: "unknown",
      seen: `valid until ${until}; whether the stack's CA signed it is unknown: ${outputsError}`,
    };
  if (untrusted !== undefined && isFallback(issuer, subject)) return fallbackServes(host, state, subject);
  if (untrusted !== undefined) return untrustedChain(host, untrusted, issuer, subject);
  if (state !== undefined && (state.ofHost?.includes("CAA") === true || /FAILED/.test(state.status)))
    return {
      rank: 2,
      state: "warning",
      seen: `the certificate for ${host} is valid until ${until}; Google: ${state.status}${state.ofHost === undefined ? "" : ` (${state.ofHost})`}`,
      means: `It will not be renewed. ${managedMeans(host, state)}`,
      fix: managedFix(host, state, subject),
    };
  if (left < warnDays)
    return {
      rank: 1,
      state: "warning",
      seen: `the certificate for ${host} expires on ${until}, in ${daysOf(left)}`,
      means: `It should have been renewed by now: the renewal is due ${warnDays} days before the expiry.`,
      fix: renew,
    };
  return undefined;
}

/** The first few names of a certificate. */
function briefNames(names: string): string {
  const all = names.split(", ").map((name) => name.replace("DNS:", ""));
  if (names === "") return "no name";
  return all.length > 5 ? `${all.slice(0, 5).join(", ")} and ${all.length - 5} more` : all.join(", ");
}

function noHandshake(
  host: string,
  { code, message }: { code: string; message: string },
  state: ManagedState | undefined,
  http: Probe,
  subject: Subject,
): Bad | undefined {
  // If plain HTTP does not answer either, the load balancer is the problem.
  if (http.answer === undefined && isUnreachable(code)) return undefined;
  const redirect = isRedirectToHttps(http) ? `, and http://${subject.domain}/ redirects there` : "";
  const seen = `https://${host}/: ${message}, but plain HTTP answers${redirect}`;
  if (state !== undefined && state.status !== "ACTIVE")
    return {
      rank: 6,
      state: "failed",
      seen: `${seen}; Google: ${state.status}${state.ofHost === undefined ? "" : ` (${state.ofHost})`}`,
      means: managedMeans(host, state),
      fix: managedFix(host, state, subject),
      passing: state.status === "PROVISIONING",
    };
  return {
    rank: 6,
    state: "failed",
    seen,
    means:
      "Every hop behind it works, but browsers cannot connect. They use https because of the redirect or an earlier HSTS header, and TLS is not set up there yet.",
    fix: `${subject.apply}   # ${supply(subject)}`,
    passing: subject.edge.onGoogle,
  };
}

/** Meaning of Google's states: https://cloud.google.com/load-balancing/docs/ssl-certificates/troubleshooting */
function managedMeans(host: string, { status, ofHost }: ManagedState): string {
  switch (ofHost) {
    case "FAILED_NOT_VISIBLE":
      return `Google did not see ${host} at the load balancer's address: DNS does not resolve to it everywhere, or the certificate is not attached yet.`;
    case "FAILED_CAA_CHECKING":
    case "FAILED_CAA_FORBIDDEN":
    case "CAA":
      return `A CAA record forbids Google's CA to issue a certificate for ${host}, or could not be read.`;
    case "FAILED_RATE_LIMITED":
    case "RATE_LIMITED":
      return `The CA's rate limit is reached: too many certificates were requested for ${host} recently.`;
    case "CONFIG":
    case "AUTHORIZATION_ISSUE":
      return `DNS lacks the record that proves to Google that you control ${host}.`;
    default:
      return status === "PROVISIONING"
        ? "Google is issuing the certificate. This takes up to an hour after DNS resolves to the load balancer."
        : `Google could not issue or renew the certificate (${status}).`;
  }
}

function managedFix(host: string, { ofHost }: ManagedState, subject: Subject): string {
  if (ofHost?.includes("CAA") === true) return `Add to the DNS of ${subject.domain}: ${host}. CAA 0 issue "pki.goog"`;
  if (ofHost?.includes("RATE_LIMITED") === true) return "Wait: Google retries automatically.";
  if (ofHost === "CONFIG" || ofHost === "AUTHORIZATION_ISSUE")
    return `npx pulumi stack output authorizations --stack ${subject.stack}   # and create these records, or set dns in the config`;
  return `Point the A record of ${host} to the stack's address, and wait up to an hour: npm run doctor -- ${subject.stack} --wait 60m`;
}

/** The stack's own CA has a name of this form, and nothing else. */
const isFallback = (issuer: string, { tls }: Subject) =>
  tls.mode === "managed" && tls.fallback === "self-signed" && /^CN=\S+ CA$/.test(issuer);

function fallbackServes(host: string, state: ManagedState | undefined, subject: Subject): Bad {
  const issued = state?.status === "ACTIVE";
  return {
    rank: 5,
    state: "failed",
    seen: `the stack's self-signed certificate serves ${host} (tls.fallback); Google: ${state?.status ?? "status unknown"}${state?.ofHost === undefined ? "" : ` (${state.ofHost})`}`,
    means: issued
      ? "Google has issued the certificate for this host, and the load balancer does not serve it yet."
      : managedMeans(host, state ?? { status: "PROVISIONING" }),
    fix: issued ? subject.apply : managedFix(host, state ?? { status: "PROVISIONING" }, subject),
    // On an Ingress both are attached, and the load balancer changes over by itself.
    passing: issued ? subject.edge.kind === "gce" : (state?.status ?? "PROVISIONING") === "PROVISIONING",
  };
}

/** Explains OpenSSL's error codes: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function untrustedChain(host: string, code: string, issuer: string, subject: Subject): Bad {
  const own = subject.tls.mode === "self-signed";
  const by = issuer.replaceAll("\n", ", ");
  const incomplete = /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/.test(code);
  return {
    rank: 5,
    state: "failed",
    seen: `the certificate for ${host} is not trusted: ${code} (issued by ${by})`,
    means: own
      ? "The stack's current CA did not sign it: an older certificate is still in use."
      : incomplete
        ? "Its chain does not lead to a CA that this machine trusts: an intermediate certificate is missing, or the CA is private."
        : "This machine does not trust the CA that signed it.",
    fix: own
      ? subject.apply
      : incomplete || subject.tls.mode === "supplied"
        ? `Supply the whole chain, the leaf first and then each intermediate. For a private CA, name its certificate: npm run doctor -- ${subject.stack} --ca FILE`
        : subject.apply,
  };
}

function supply(subject: Subject): string {
  const { tls, hosts, apply, stack } = subject;
  if (tls.mode === "supplied")
    return stack === "local"
      ? "npm start   # it issues one for all names"
      : edit(subject, `secrets.tls (for ${hosts.join(", ")})`, "Set");
  return apply;
}

function renewal(subject: Subject): string {
  const { tls, edge, apply } = subject;
  const list = edge.kind === "gateway" ? "certificate-manager certificates" : "compute ssl-certificates";
  if (tls.mode === "managed" && edge.onGoogle)
    return `gcloud ${list} list --project ${edge.project}   # Google renews it while DNS resolves to the load balancer; the status says why it does not`;
  return tls.mode === "self-signed" ? `${apply}   # renews it in its last 30 days` : supply(subject);
}
