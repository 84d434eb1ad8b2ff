/** Checks the response of a route's service. */
import { brief, target, whoAnswered, type EdgeAnswer, type Probe } from "../answers.ts";
import type { Version } from "../../../nginx/model.ts";
import type { Finding } from "../report.ts";
import { edit, type Subject, type SubjectRoute } from "../subject.ts";
import { judge } from "../../verify/verify.ts";

/**
 * The services that can have got the request: one if nginx's own answer names it, or if the request selected it by a
 * version. Otherwise the route's own, and its canary.
 */
export function chosenServices(
  probe: Probe,
  { services, canary }: SubjectRoute,
  version?: Pick<Version, "service">,
): readonly string[] {
  const who = whoAnswered(probe);
  const named =
    who.by === "proxy"
      ? who.service
      : /from the proxy: .*: ([a-z0-9-]+); request /.exec(probe.error?.message ?? "")?.[1];
  if (named !== undefined && services.includes(named)) return [named];
  if (version !== undefined) return [version.service];
  return [services[0] ?? "", ...(canary === undefined ? [] : [canary])];
}

export interface AnswerContext {
  /** Version that the request selected. @default - none */
  readonly version?: Pick<Version, "service"> | undefined;
  /** Whether the cluster says that the service has pods which are ready. @default - not known */
  readonly isReady?: boolean;
}

export function content(
  probe: Probe,
  route: SubjectRoute,
  subject: Subject,
  { version, isReady = false }: AnswerContext = {},
): Finding {
  const services = chosenServices(probe, route, version);
  const service = services.join(" or ");
  const { kubectl } = subject;
  const logs = services.map((name) => `${kubectl} logs deployment/${name}`).join("   # or: ");
  if (probe.answer === undefined) return silent(probe, service, route, subject, logs);
  const who = whoAnswered(probe);
  if (who.by === "proxy") return fromProxy(who.error, probe, services, route, subject, { logs, isReady });
  if (who.by === "edge") return fromEdge(who.says, probe, service, subject);
  const { status } = probe.answer;
  if (who.by === "stranger")
    return {
      state: "failed",
      seen: `${brief(probe)}, which did not come through nginx`,
      means:
        "Something in front of nginx answers for this route only, such as a rule of the load balancer that is not from the stack.",
      fix: subject.apply,
    };
  const redirect = redirected(probe, service, route, subject);
  if (redirect !== undefined) return redirect;
  if (status >= 500)
    return {
      state: "failed",
      seen: `${brief(probe)} from ${service}`,
      means: `Every hop works, but ${service} itself fails.`,
      fix: logs,
    };
  try {
    return {
      state: "ok",
      seen: judge(probe.answer, new URL(probe.url).protocol === "https:" ? "https" : "http", route.hostPath, services),
    };
  } catch (error) {
    return {
      state: "failed",
      seen: error instanceof Error ? error.message : String(error),
      means:
        "The response is not the expected one: another service took the request, or its headers were changed on the way.",
      fix: subject.apply,
    };
  }
}

/** A redirect that does not work for clients. */
function redirected(probe: Probe, service: string, route: SubjectRoute, subject: Subject): Finding | undefined {
  const to = target(probe);
  if (to === undefined) return undefined;
  if (subject.tls.mode === "none" && to.protocol === "https:" && to.hostname === route.host)
    return {
      state: "failed",
      seen: `${brief(probe)}, where nothing answers: tls.mode is none`,
      means: `${service} redirects clients to https, but the stack has no certificate.`,
      fix: `${edit(subject, "tls.mode", "Set")}   # or disable the redirect in ${service}`,
    };
  const application = "The application enforces TLS itself and does not trust X-Forwarded-Proto.";
  const fix = `Disable TLS and the redirect to https in ${service}, or let it trust X-Forwarded-Proto: TLS ends at the load balancer.`;
  if (probe.loop !== undefined)
    return {
      state: "failed",
      seen: `${probe.loop.map(brief).join(", ")}, in a loop`,
      means: `nginx reaches ${service}, but ${service} redirects to the same address. ${application}`,
      fix,
    };
  // The redirect lacks the prefix that nginx stripped, so the client reaches another service or none, instead of a loop.
  if (route.servicePath !== route.path && to.href === new URL(route.servicePath, probe.url).href)
    return {
      state: "failed",
      seen: `${brief(probe)}, the address that ${service} received`,
      means: `nginx reaches ${service}, but ${service} redirects to itself, without the prefix ${route.path} that nginx strips. ${application}`,
      fix: `${fix} If the redirect is intended, include the prefix, or set keepPrefix for the route.`,
    };
  return undefined;
}

function silent(
  probe: Probe,
  service: string,
  { timeoutSeconds }: SubjectRoute,
  subject: Subject,
  logs: string,
): Finding {
  const message = probe.error?.message ?? "";
  if (probe.url.startsWith("grpc:"))
    return {
      state: "failed",
      seen: message,
      means: /from the proxy/.test(message)
        ? `nginx does not reach ${service} by gRPC.`
        : `There was no gRPC response: ${service} uses another protocol on its port, or the edge does not forward gRPC.`,
      fix: `${logs}   # protocol: grpc requires unencrypted HTTP/2 (h2c) on the service's port`,
    };
  return {
    state: "failed",
    seen: message,
    means: `Neither ${service} nor the proxy (whose timeout is ${timeoutSeconds} s) nor the load balancer answered: the connection broke.`,
    fix: logs,
    passing: subject.edge.onGoogle,
  };
}

/** Longest time that nginx needs to notice that no pod accepts connections: `nginx.conf` has two tries of a second each. Seconds. */
const connectLimit = 4;

function fromProxy(
  error: string,
  probe: Probe,
  services: readonly string[],
  route: SubjectRoute,
  subject: Subject,
  { logs, isReady }: { readonly logs: string; readonly isReady: boolean },
): Finding {
  const service = services.join(" or ");
  // The config has a route, with its timeout, below its own service.
  const [owner = ""] = route.services;
  const seen = `${probe.answer?.status ?? 0} from nginx: ${error}`;
  const findings: Readonly<Record<string, Omit<Finding, "seen">>> = {
    "service unknown or down": {
      state: "failed",
      means: isReady
        ? `nginx reaches no pod of ${service}, although the cluster says that they are ready: the cluster's DNS does not answer, a network policy keeps nginx from it, or the pods end connections without an answer.`
        : `nginx reaches no pod of ${service}: none is ready, or they refuse the connection.`,
      fix: `${subject.apply}   # reverts manual changes; to see the objects: ${subject.kubectl} get pods,services,networkpolicies`,
    },
    "too slow": {
      state: "failed",
      means: `${service} took the request, but did not answer within ${route.timeoutSeconds} s.`,
      fix: `${logs}   # if it needs longer: ${edit(subject, `services.${owner}.routeDefaults.timeoutSeconds`, "Raise")}`,
    },
    "response header invalid or too large": {
      state: "failed",
      means: `${service} is reached, but the header of its answer has more than ${route.maxResponseHeaderKb} KiB, is cut off, or is not HTTP.`,
      fix: `${logs}   # if it sets large cookies or headers: ${edit(subject, `services.${owner}.routeDefaults.maxResponseHeaderKb`, "Raise")}`,
    },
    "no connection": {
      state: "failed",
      means: `Connections to the pods of ${service} are dropped silently: a network policy blocks them, or the pods' node is gone.`,
      fix: `${subject.apply}   # reverts manual changes; to see the objects: ${subject.kubectl} get networkpolicies,pods -o wide`,
    },
    "no such route": {
      state: "failed",
      means: "The running proxy has no such route: it runs with an older config.",
      fix: subject.apply,
    },
    "too many requests": {
      state: "warning",
      means:
        "A limit applies to the doctor too: that of the route, or the bounds of a pod of the proxy (docs/security.md). It says nothing about the service.",
      fix: "Try again in a moment.",
    },
    maintenance: {
      state: "warning",
      means: "The config has put the route into maintenance.",
      fix: edit(subject, `services.${owner}.routes`, "Remove maintenance from"),
    },
  };
  // If nginx gives up before the route's timeout, it could not connect.
  const unconnected =
    error === "too slow" && (probe.seconds ?? Infinity) < Math.min(route.timeoutSeconds, connectLimit);
  return {
    seen,
    ...(findings[unconnected ? "no connection" : error] ?? {
      state: "failed",
      means: `nginx itself answers: ${error}.`,
      fix: subject.apply,
    }),
  };
}

function fromEdge(says: EdgeAnswer, probe: Probe, service: string, subject: Subject): Finding {
  const seen = `${brief(probe)} from the load balancer`;
  const limit = subject.edgeTimeoutSeconds;
  if (says === "sign-in")
    return { state: "unknown", seen: "IAP requires signing in, so the doctor cannot check what is behind it" };
  if (says === "denied")
    return {
      state: "failed",
      seen,
      means:
        "Cloud Armor blocks this machine: edge.armor.allow does not include its address, or a rule classifies the request as an attack.",
      fix: edit(subject, "edge.armor"),
    };
  return {
    state: "failed",
    seen,
    means: `The load balancer answers instead of ${service}: it ${limit === undefined ? "reached its timeout" : `waited longer than ${limit} s`}, or lost its connection to nginx.`,
    fix: `${subject.kubectl} logs deployment/nginx-proxy   # if ${service} needs longer: ${edit(subject, "edge.timeoutSeconds", "Raise")}`,
    passing: subject.edge.onGoogle,
  };
}
