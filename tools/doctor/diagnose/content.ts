/** What a route's answer says of its service. */
import { brief, target, whoAnswered, type EdgeAnswer, type Probe } from "../answers.ts";
import type { Finding } from "../report.ts";
import { edit, type Subject, type SubjectRoute } from "../subject.ts";
import { judge } from "../../verify/verify.ts";

export function content(probe: Probe, route: SubjectRoute, subject: Subject): Finding {
  const { services } = route;
  const [service = ""] = services;
  const { kubectl } = subject;
  const logs = `${kubectl} logs deployment/${service}`;
  if (probe.answer === undefined) return silent(probe, route, subject, logs);
  const who = whoAnswered(probe);
  if (who.by === "proxy") return fromProxy(who.error, probe, route, subject);
  if (who.by === "edge") return fromEdge(who.says, probe, route, subject);
  const { status } = probe.answer;
  if (who.by === "stranger")
    return {
      state: "failed",
      seen: `${brief(probe)}, which has not come through nginx`,
      means:
        "Something before nginx answers for this route alone, such as a rule of the load balancer that the stack does not know.",
      fix: subject.apply,
    };
  const redirect = redirected(probe, route, subject);
  if (redirect !== undefined) return redirect;
  if (status >= 500)
    return {
      state: "failed",
      seen: `${brief(probe)} from ${service}`,
      means: `Every hop works; ${service} itself fails.`,
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
        "An answer came, and not the one that the route is for: another service took the request, or its headers were changed on the way.",
      fix: subject.apply,
    };
  }
}

/** A redirect that leads a client nowhere. */
function redirected(probe: Probe, route: SubjectRoute, subject: Subject): Finding | undefined {
  const [service = ""] = route.services;
  const to = target(probe);
  if (to === undefined) return undefined;
  if (subject.tls.mode === "none" && to.protocol === "https:" && to.hostname === route.host)
    return {
      state: "failed",
      seen: `${brief(probe)}, where nothing answers: tls.mode is none`,
      means: `${service} sends clients to https, and the stack has no certificate.`,
      fix: `${edit(subject, "tls.mode", "Set")}   # or switch the redirect off in ${service}`,
    };
  const application = "TLS is switched on in the application too, which does not believe X-Forwarded-Proto.";
  const fix = `Switch TLS and the redirect to https off in ${service}, or have it believe X-Forwarded-Proto; TLS ends at the load balancer.`;
  if (probe.circle !== undefined)
    return {
      state: "failed",
      seen: `${probe.circle.map(brief).join(", ")}, again and again`,
      means: `nginx reaches ${service}, and ${service} redirects to the address that it was asked at: ${application}`,
      fix,
    };
  // Without the prefix that nginx has stripped, the client ends at another service or none, instead of in a circle.
  if (route.servicePath !== route.path && to.href === new URL(route.servicePath, probe.url).href)
    return {
      state: "failed",
      seen: `${brief(probe)}, the address as ${service} saw it`,
      means: `nginx reaches ${service}, and ${service} redirects to itself, without the prefix ${route.path} that nginx strips: ${application}`,
      fix: `${fix} A redirect that is meant has to name the prefix, or the route sets keepPrefix.`,
    };
  return undefined;
}

function silent(probe: Probe, { services, timeoutSeconds }: SubjectRoute, subject: Subject, logs: string): Finding {
  const [service = ""] = services;
  const message = probe.error?.message ?? "";
  if (probe.url.startsWith("grpc:"))
    return {
      state: "failed",
      seen: message,
      means: /from the proxy/.test(message)
        ? `nginx does not reach ${service} by gRPC.`
        : `No answer of gRPC came: ${service} speaks something else on its port, or the edge does not pass gRPC on.`,
      fix: `${logs}   # protocol: grpc wants HTTP/2 in the clear on the service's port`,
    };
  return {
    state: "failed",
    seen: message,
    means: `Neither ${service}, nor the proxy (which gives up after ${timeoutSeconds} s), nor the load balancer answered: the connection broke.`,
    fix: logs,
    passing: subject.edge.onGoogle,
  };
}

/** What nginx takes at most to find out that no pod lets it connect: `nginx.conf` gives each of two tries a second. Seconds. */
const mostToConnect = 4;

function fromProxy(error: string, probe: Probe, route: SubjectRoute, subject: Subject): Finding {
  const [service = ""] = route.services;
  const seen = `${probe.answer?.status ?? 0} from nginx: ${error}`;
  const rows: Readonly<Record<string, Omit<Finding, "seen">>> = {
    "service unknown or down": {
      state: "failed",
      means: `nginx reaches no pod of ${service}: none is ready, or they refuse the connection.`,
      fix: `${subject.apply}   # puts back what was changed by hand; what there is: ${subject.kubectl} get pods,services,networkpolicies`,
    },
    "too slow": {
      state: "failed",
      means: `${service} took the request and did not answer within ${route.timeoutSeconds} s.`,
      fix: `${subject.kubectl} logs deployment/${service}   # if it needs so long: ${edit(subject, `services.${service}.routeDefaults.timeoutSeconds`, "Raise")}`,
    },
    "no connection": {
      state: "failed",
      means: `Connections to the pods of ${service} are dropped without a word: a network policy is between them, or the node of the pods is gone.`,
      fix: `${subject.apply}   # puts back what was changed by hand; what there is: ${subject.kubectl} get networkpolicies,pods -o wide`,
    },
    "no such route": {
      state: "failed",
      means: "The proxy that answers has no such route: it runs with an older config.",
      fix: subject.apply,
    },
    "too many requests": {
      state: "warning",
      means: "The route's limit holds for the doctor too; it says nothing of the service.",
      fix: "Ask again in a moment.",
    },
    maintenance: {
      state: "warning",
      means: "The config has taken the route out of service.",
      fix: edit(subject, `services.${service}.routes`, "Remove maintenance from"),
    },
  };
  // Sooner than the service may take, nginx gives up only on connecting.
  const unconnected =
    error === "too slow" && (probe.seconds ?? Infinity) < Math.min(route.timeoutSeconds, mostToConnect);
  return {
    seen,
    ...(rows[unconnected ? "no connection" : error] ?? {
      state: "failed",
      means: `nginx answers by itself: ${error}.`,
      fix: subject.apply,
    }),
  };
}

function fromEdge(says: EdgeAnswer, probe: Probe, route: SubjectRoute, subject: Subject): Finding {
  const [service = ""] = route.services;
  const seen = `${brief(probe)} from the load balancer`;
  const limit = subject.edgeTimeoutSeconds;
  if (says === "sign-in")
    return { state: "unknown", seen: "IAP asks to sign in: the doctor does not see what is behind it" };
  if (says === "denied")
    return {
      state: "failed",
      seen,
      means:
        "Cloud Armor does not let this machine in: edge.armor.allow does not name its address, or a rule takes the request for an attack.",
      fix: edit(subject, "edge.armor"),
    };
  return {
    state: "failed",
    seen,
    means: `The load balancer answers for ${service} by itself: it waited longer than ${limit ?? "it may"} s, or lost its connection to nginx.`,
    fix: `${subject.kubectl} logs deployment/nginx-proxy   # if ${service} needs so long: ${edit(subject, "edge.timeoutSeconds", "Raise")}`,
    passing: subject.edge.onGoogle,
  };
}
