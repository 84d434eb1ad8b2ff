/** Clients take the certificate: it is for the name, its chain is trusted, it is not at its end. */
import { isDeaf, isRedirectToHttps } from "./edge.ts";
import type { Probe } from "../answers.ts";
import type { Shown } from "../gather/probes.ts";
import type { Finding } from "../report.ts";
import { edit, type Subject } from "../subject.ts";

/** Warned about so long before: Google renews a month ahead, and so does the stack's own CA. */
const warnDays = 30;

export interface CertificatesSeen {
  readonly shown: readonly Shown[];
  /** What Google says of those that it manages, by host. @default - it was not asked, or manages none */
  readonly managed?: Readonly<Record<string, ManagedState>> | undefined;
  readonly http: Probe;
  /** Why the stack's outputs, its CA among them, could not be read. @default - they could, or it has none */
  readonly unread?: string | undefined;
  readonly now: Date;
}

/** `PROVISIONING`, `ACTIVE`, …, and of one host `FAILED_NOT_VISIBLE` and the like. */
export interface ManagedState {
  readonly status: string;
  readonly ofHost?: string | undefined;
}

const daysOf = (left: number): string => (Math.floor(left) === 1 ? "1 day" : `${Math.floor(left)} days`);

type Bad = Omit<Finding, "seen"> & { readonly seen: string; readonly rank: number };

export function certificate(seen: CertificatesSeen, subject: Subject): Finding {
  if (subject.tls.mode === "none") return { state: "skipped", seen: "plain HTTP, by the config (tls.mode: none)" };
  const { shown, now } = seen;
  // Of several hosts the worst is named; failures come before warnings.
  const bad = shown.flatMap((one) => problemOf(one, seen, subject) ?? []).sort((a, b) => b.rank - a.rank)[0];
  if (bad !== undefined) {
    const { rank, ...finding } = bad;
    return finding;
  }
  if (shown.every(({ error }) => error !== undefined)) return { state: "skipped", seen: "no connection to see one by" };
  const ends = Math.min(...shown.map(({ to }) => to?.getTime() ?? Infinity));
  const days = daysOf((ends - now.getTime()) / 86_400_000);
  const names = shown.length === 1 ? (shown[0]?.host ?? "") : `${shown.length} names`;
  return {
    state: "ok",
    seen: `for ${names}, trusted, until ${new Date(ends).toISOString().slice(0, 10)} (${days})`,
  };
}

function problemOf(shown: Shown, { managed, http, unread, now }: CertificatesSeen, subject: Subject): Bad | undefined {
  const { host, error, untrusted, fits, names = "", to, from, issuer = "" } = shown;
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
      means: "No client takes it any more.",
      fix: renew,
    };
  if (from !== undefined && from > now)
    return {
      rank: 8,
      state: "failed",
      seen: `the certificate for ${host} is not valid before ${from.toISOString()}`,
      means: "It was issued for later, or a clock is wrong: this machine's, or that of who issued it.",
      fix: "Compare the clocks (date -u), or supply the certificate that is valid now.",
    };
  if (fits === false)
    return {
      rank: 7,
      state: "failed",
      seen: `asked as ${host}, the certificate is for ${briefNames(names)}`,
      means:
        state === undefined
          ? "It is another's, or an older one: clients refuse it for this name."
          : "The load balancer shows a certificate of another host: this host's is not issued, or not attached, yet.",
      fix: state === undefined ? supply(subject) : managedFix(host, state, subject),
      passing: state?.status === "PROVISIONING",
    };
  if (untrusted !== undefined && subject.tls.mode === "self-signed" && unread !== undefined)
    return { rank: 3, state: "unknown", seen: `until ${until}; whether the stack's own CA signed it: ${unread}` };
  if (untrusted !== undefined) return untrustedChain(host, untrusted, issuer, subject);
  if (state !== undefined && (state.ofHost?.includes("CAA") === true || /FAILED/.test(state.status)))
    return {
      rank: 2,
      state: "warning",
      seen: `the certificate for ${host} is good until ${until}; Google: ${state.status}${state.ofHost === undefined ? "" : ` (${state.ofHost})`}`,
      means: `It will not be renewed. ${managedMeans(host, state)}`,
      fix: managedFix(host, state, subject),
    };
  if (left < warnDays)
    return {
      rank: 1,
      state: "warning",
      seen: `the certificate for ${host} expires on ${until}, in ${daysOf(left)}`,
      means: `It should have been renewed by now: that is due ${warnDays} days ahead.`,
      fix: renew,
    };
  return undefined;
}

/** Of a certificate for many names the first few. */
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
  // Where plain HTTP does not answer either, it is the load balancer that is not there.
  if (http.answer === undefined && isDeaf(code)) return undefined;
  const sent = isRedirectToHttps(http) ? `, and http://${subject.domain}/ sends clients there` : "";
  const seen = `https://${host}/: ${message}, while plain HTTP answers${sent}`;
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
      "Every hop behind works, and a browser cannot connect: it goes to https, by the redirect or because it was once told to (HSTS), and TLS is not set up there yet.",
    fix: `${subject.apply}   # ${supply(subject)}`,
    passing: subject.edge.onGoogle,
  };
}

/** Google's words for how far a certificate is: https://cloud.google.com/load-balancing/docs/ssl-certificates/troubleshooting */
function managedMeans(host: string, { status, ofHost }: ManagedState): string {
  switch (ofHost) {
    case "FAILED_NOT_VISIBLE":
      return `Google did not see ${host} at the load balancer's address: DNS does not lead there from everywhere, or the certificate is not attached yet.`;
    case "FAILED_CAA_CHECKING":
    case "FAILED_CAA_FORBIDDEN":
    case "CAA":
      return `A CAA record forbids Google's authority to issue for ${host}, or could not be read.`;
    case "FAILED_RATE_LIMITED":
    case "RATE_LIMITED":
      return `So many certificates were asked for ${host} lately that the authority issues none for a while.`;
    case "CONFIG":
    case "AUTHORIZATION_ISSUE":
      return `DNS does not hold the record by which Google sees that ${host} is yours.`;
    default:
      return status === "PROVISIONING"
        ? "Google is issuing the certificate, which takes up to an hour after DNS leads to the load balancer."
        : `Google could not issue or renew the certificate (${status}).`;
  }
}

function managedFix(host: string, { ofHost }: ManagedState, subject: Subject): string {
  if (ofHost?.includes("CAA") === true) return `Add to the DNS of ${subject.domain}: ${host}. CAA 0 issue "pki.goog"`;
  if (ofHost?.includes("RATE_LIMITED") === true) return "Wait: it is tried again by itself.";
  if (ofHost === "CONFIG" || ofHost === "AUTHORIZATION_ISSUE")
    return `npx pulumi stack output authorizations --stack ${subject.stack}   # and make these records, or set dns in the config`;
  return `Have an A record of ${host} lead to the stack's address, and wait up to an hour: npm run doctor -- ${subject.stack} --wait 60m`;
}

/** OpenSSL's names: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function untrustedChain(host: string, code: string, issuer: string, subject: Subject): Bad {
  const own = subject.tls.mode === "self-signed";
  const by = issuer.replaceAll("\n", ", ");
  const incomplete = /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/.test(code);
  return {
    rank: 5,
    state: "failed",
    seen: `the certificate for ${host} is not trusted: ${code} (issued by ${by})`,
    means: own
      ? "It is not signed by the stack's CA of today: an older one is still shown."
      : incomplete
        ? "Its chain does not lead to an authority that this machine knows: an intermediate certificate is missing, or the authority is a private one."
        : "Who signed it is not an authority that this machine knows.",
    fix: own
      ? subject.apply
      : incomplete || subject.tls.mode === "supplied"
        ? `Supply the whole chain, the leaf first and then each intermediate; of a private authority, name its certificate: npm run doctor -- ${subject.stack} --ca FILE`
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
    return `gcloud ${list} list --project ${edge.project}   # Google renews by itself while DNS leads to the load balancer; the status says why it does not`;
  return tls.mode === "self-signed" ? `${apply}   # it renews what is in its last 30 days` : supply(subject);
}
