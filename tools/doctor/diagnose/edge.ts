/** Checks that the load balancer answers at its address, over HTTP and HTTPS. */
import { brief, type Probe } from "../answers.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";

export interface EdgeSeen {
  readonly address: string | undefined;
  readonly http: Probe;
  readonly https: Probe | undefined;
}

export function edge({ address, http, https }: EdgeSeen, subject: Subject): Finding {
  const { redirectHttp, domain } = subject;
  const { onGoogle } = subject.edge;
  if (address === undefined) return { state: "skipped", seen: "its address is unknown" };
  const probes = [http, ...(https === undefined ? [] : [https])];
  if (probes.every(({ answer, error }) => answer === undefined && isUnreachable(error?.code))) {
    const seen = `${address}: ${http.error?.message ?? ""}`;
    return onGoogle
      ? {
          state: "failed",
          seen,
          means:
            "Nothing answers at the address: the load balancer is not created yet, or its forwarding rule was deleted.",
          fix: `${subject.kubectl} describe ${subject.edge.kind === "gateway" ? "gateway gateway" : "ingress ingress"}`,
          passing: true,
        }
      : {
          state: "failed",
          seen,
          means:
            "Nothing listens at the edge: the ingress controller does not run, has nothing to serve, or is at another address.",
          fix:
            subject.stack === "local"
              ? "npm start"
              : "Name its address and ports: --address, --http-port, --https-port.",
        };
  }
  const hanging = probes.find(({ error }) => error?.code === "NO_ANSWER");
  if (hanging !== undefined && probes.every(({ answer, error }) => answer === undefined && isSilent(error?.code)))
    return {
      state: "failed",
      seen: `${address} accepts connections, and then: ${hanging.error?.message ?? ""}`,
      means: onGoogle
        ? "The load balancer answers no request: it is not ready yet, or what answers at the address is not the stack's."
        : "The ingress controller hangs, or another program listens at its address.",
      fix: onGoogle
        ? `${subject.kubectl} describe ${subject.edge.kind === "gateway" ? "gateway gateway" : "ingress ingress"}`
        : subject.stack === "local"
          ? "npm stop && npm start"
          : `Restart the ingress controller, and compare its address: ${subject.kubectl} describe ingress ingress`,
      passing: onGoogle,
    };
  if (redirectHttp && http.answer !== undefined && !isRedirectToHttps(http))
    return {
      state: "warning",
      seen: `http://${domain}/ answers ${brief(http)}, but no redirect to https`,
      means:
        "Clients that use http stay on plain HTTP: the redirect is not set up yet, or something else answers on port 80.",
      fix: subject.apply,
      passing: onGoogle,
    };
  const answered = probes
    .filter(({ answer }) => answer !== undefined)
    .map(({ url }) => new URL(url).protocol.slice(0, -1));
  return {
    state: "ok",
    seen: `${address} answers ${answered.length === 0 ? "only TLS handshakes" : answered.join(" and ")}`,
  };
}

/** Whether the error means that no connection was possible. Later errors come from the load balancer or behind it. */
export const isUnreachable = (code = ""): boolean =>
  ["ECONNREFUSED", "NO_CONNECTION", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNRESET", "EADDRNOTAVAIL"].includes(
    code,
  );

const isSilent = (code = ""): boolean => code === "NO_ANSWER" || isUnreachable(code);

export const isRedirectToHttps = ({ answer }: Probe): boolean =>
  answer !== undefined &&
  answer.status >= 300 &&
  answer.status <= 399 &&
  (answer.headers.location ?? "").startsWith("https://");
