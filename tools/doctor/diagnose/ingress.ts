/** Checks the Ingress or Gateway: it exists, its controller has accepted it, and it leads to the proxy. */
import { ingressName, nameLabel, proxyName } from "../../../names/kubernetes.ts";
import { googleFrontEnds } from "../../../names/ranges.ts";
import { proxyHealthPath, proxyPorts } from "../../../names/ports.ts";
import { brief, whoAnswered, type Probe } from "../answers.ts";
import type { Condition, Event, Gateway, HttpRoute, Ingress, Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import { edit, type Subject } from "../subject.ts";
import { unknown } from "./behindProxy.ts";

export interface IngressSeen {
  readonly objects: Objects | string;
  /** A request that nginx itself answers. */
  readonly nginx: Probe;
  /** Whether the cluster says that nginx's pods are ready. @default - unknown */
  readonly isProxyReady?: boolean;
  /** State of the load balancer's backends by name, from Google. @default - unknown */
  readonly health?: Readonly<Record<string, string>> | undefined;
}

/** A failure of the object itself, which makes the hops in front of it fail too. */
export const brokenObject = (objects: Objects | string, subject: Subject): Finding | undefined =>
  absent(objects, subject) ?? objectProblem(objects, subject);

/** The object is missing, or belongs to another controller. */
function absent(objects: Objects | string, subject: Subject): Finding | undefined {
  if (typeof objects === "string") return undefined;
  const { edge, apply, namespace } = subject;
  const kind = edge.kind === "gateway" ? "Gateway" : "Ingress";
  const object = edge.kind === "gateway" ? objects.gateway : objects.ingress;
  if (object === undefined)
    return {
      state: "failed",
      seen: `there is no ${kind} in the namespace ${namespace}`,
      means: "The load balancer has no configuration: the object was never applied, or somebody deleted it.",
      fix: apply,
    };
  const [actual, expected] = classes(object, subject);
  if (actual !== expected)
    return {
      state: "failed",
      seen: `the ${kind} has the class ${actual === "" ? "(none)" : actual}, but the config has ${expected}`,
      means: `The controller of the class ${expected} ignores it.`,
      fix: apply,
    };
  return undefined;
}

function classes(object: Ingress | Gateway, { edge }: Subject): [string, string] {
  if (edge.kind === "gateway") return [(object as Gateway).spec.gatewayClassName, edge.className];
  const { metadata, spec } = object as Ingress;
  const annotated = metadata.annotations?.["kubernetes.io/ingress.class"];
  // GKE reads only the annotation.
  if (edge.kind === "gce") return [annotated ?? "", "gce"];
  return [annotated ?? spec.ingressClassName ?? "", edge.className];
}

export function ingress(seen: IngressSeen, subject: Subject): Finding {
  const { objects, nginx } = seen;
  const problem = brokenObject(objects, subject) ?? healthProblem(seen, subject);
  if (problem !== undefined) return problem;
  const who = whoAnswered(nginx);
  if (who.by === "edge") {
    const answer = fromEdge(who.says, seen, subject);
    if (answer !== undefined) return answer;
  }
  if (typeof objects === "string")
    return who.by === "nobody" ? unknown(objects) : { state: "ok", seen: "it leads to the proxy" };
  const hosts = subject.hosts.length === 1 ? "1 name" : `${subject.hosts.length} names`;
  const states = [...new Set(Object.values(seen.health ?? {}))];
  return {
    state: "ok",
    seen: `${hosts} to nginx-proxy${states.length === 0 ? "" : `; backends ${states.join(", ")}`}`,
  };
}

function fromEdge(says: string, { nginx, isProxyReady = false }: IngressSeen, subject: Subject): Finding | undefined {
  const seen = `${brief(nginx)} from the load balancer`;
  const passing = subject.edge.onGoogle;
  const describe = `${subject.kubectl} describe ${subject.edge.kind === "gateway" ? "gateway gateway" : "ingress ingress"}`;
  switch (says) {
    case "unconnected":
      return {
        state: "failed",
        seen,
        passing,
        means: `The load balancer's default backend answers: it is not connected to the ingress yet, or the ingress has no rule for ${subject.domain}.`,
        fix: `${describe}   # see its events; if a host is missing: ${subject.apply}`,
      };
    case "not-there-yet":
      return {
        state: "failed",
        seen,
        passing,
        means: "Google's front ends have no load balancer at this address yet.",
        fix: describe,
      };
    case "no-backend":
      return {
        state: "failed",
        seen,
        passing,
        means:
          "The load balancer works, but is not connected to nginx: the backend's Service is missing, or not known yet.",
        fix: `${subject.kubectl} get service nginx-proxy   # if it does not exist: ${subject.apply}`,
      };
    case "unhealthy":
      if (isProxyReady) return unreachable(seen, describe, subject);
      return {
        state: "failed",
        seen,
        passing,
        means:
          "The load balancer works, but none of its backends is healthy: no pod of nginx is ready, its health check is wrong, or a firewall blocks it.",
        fix: `${subject.kubectl} get pods -l ${nameLabel}=${proxyName}   # and: ${describe}`,
      };
    case "gave-up":
      if (isProxyReady && !passing) return unreachable(seen, describe, subject);
      return {
        state: "failed",
        seen,
        means: "The load balancer reaches nginx's address, but nginx does not answer in time.",
        fix: `${subject.kubectl} logs deployment/nginx-proxy`,
      };
    default:
      return undefined;
  }
}

/** nginx runs and is ready, but not for the load balancer. */
const unreachable = (seen: string, describe: string, { apply, kubectl, edge }: Subject): Finding => ({
  state: "failed",
  seen,
  means: `The load balancer works and nginx's pods are ready, but it does not reach them: a network policy${edge.onGoogle ? " or a firewall" : ""} blocks it, or its health check is wrong.`,
  fix: `${apply}   # reverts manual changes; to see the objects: ${kubectl} get networkpolicies   # and: ${describe}`,
  passing: edge.onGoogle,
});

function objectProblem(objects: Objects | string, subject: Subject): Finding | undefined {
  if (typeof objects === "string") return undefined;
  return subject.edge.kind === "gateway" ? gatewayProblem(objects, subject) : ingressProblem(objects, subject);
}

function ingressProblem(
  { ingress, events, missingSecrets, services, backendConfig }: Objects,
  subject: Subject,
): Finding | undefined {
  const { apply, edge, kubectl, hosts } = subject;
  const own = missingSecrets.filter((name) => ingress?.spec.tls?.some(({ secretName }) => secretName === name));
  if (own.length > 0)
    return {
      state: "failed",
      seen: `the Ingress refers to the Secret ${own.join(", ")}, which does not exist`,
      means: "Without the certificate, the controller does not serve TLS for it.",
      fix: apply,
    };
  const { tls = [], rules = [] } = ingress?.spec ?? {};
  // Google's load balancer may have its certificates from annotations.
  if (edge.kind === "ingress" && subject.tls.mode !== "none" && tls.length === 0)
    return {
      state: "failed",
      seen: "the Ingress has no tls section",
      means: "The load balancer has no certificate and serves no https: somebody removed the section.",
      fix: apply,
    };
  const hostsWithoutRule = hosts.filter((host) => !rules.some((rule) => rule.host === host));
  if (hostsWithoutRule.length > 0)
    return {
      state: "failed",
      seen: `the Ingress has no rule for ${hostsWithoutRule.join(", ")}`,
      means: "The load balancer does not know the host: the config has it, but was not applied.",
      fix: apply,
    };
  const backends = [
    ...new Set(rules.flatMap(({ http }) => http?.paths.flatMap(({ backend }) => backend.service?.name ?? []) ?? [])),
  ];
  const missing = backends.filter((name) => !services.some(({ metadata }) => metadata.name === name));
  if (missing.length > 0)
    return {
      state: "failed",
      seen: `the Ingress refers to the Service ${missing.join(", ")}, which does not exist`,
      means: "The load balancer has no backend.",
      fix: apply,
    };
  if (edge.kind !== "gce") return undefined;
  const check = backendConfig?.spec.healthCheck;
  if (backendConfig === undefined || check?.port !== proxyPorts.health || check.requestPath !== proxyHealthPath)
    return {
      state: "failed",
      seen:
        backendConfig === undefined
          ? "there is no BackendConfig nginx-proxy"
          : `the health check requests ${check?.requestPath ?? "/"} on port ${check?.port ?? "(inferred)"}`,
      means: `nginx reports its health only at ${proxyHealthPath} on port ${proxyPorts.health}: with any other check, every backend is unhealthy and the load balancer answers 502.`,
      fix: apply,
    };
  const warning = controllerWarning(events, "Ingress", ingressName);
  return warning && { ...warning, fix: `${kubectl} describe ingress ingress   # then: ${edit(subject, "edge")}` };
}

/** The controller's latest event, if it is a warning. */
function controllerWarning(events: readonly Event[], kind: string, name: string): Omit<Finding, "fix"> | undefined {
  const latest = events.findLast(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name);
  return latest?.type !== "Warning"
    ? undefined
    : {
        state: "failed",
        seen: `${latest.reason}: ${latest.message.slice(0, 300)}`,
        means: "The controller could not configure the load balancer as the object requires.",
      };
}

function gatewayProblem({ gateway, httpRoutes }: Objects, subject: Subject): Finding | undefined {
  const fix = `${subject.kubectl} describe gateway gateway   # and: ${subject.kubectl} describe httproutes`;
  const failing = (conditions: readonly Condition[] = [], types: readonly string[]) =>
    conditions.find(({ type, status }) => types.includes(type) && status !== "True");
  const finding = (name: string, { type, reason, message }: Condition): Finding => ({
    state: "failed",
    seen: `${name}: not ${type} (${reason ?? "no reason"}) ${message ?? ""}`.trim(),
    means: "The controller has not accepted the object, or has not configured the load balancer yet.",
    fix,
    passing: reason === "Pending" || subject.edge.onGoogle,
  });
  const bad = failing(gateway?.status?.conditions, ["Accepted", "Programmed"]);
  if (bad !== undefined) return finding("Gateway", bad);
  const hostsWithoutRoute = subject.hosts.filter((host) => !httpRoutes.some((route) => hostsOf(route).includes(host)));
  if (hostsWithoutRoute.length > 0)
    return {
      state: "failed",
      seen: `there is no HTTPRoute for ${hostsWithoutRoute.join(", ")}`,
      means: "The load balancer does not know the host: the config has it, but was not applied.",
      fix: subject.apply,
    };
  for (const { metadata, status } of httpRoutes)
    for (const { conditions } of status?.parents ?? []) {
      const problem = failing(conditions, ["Accepted", "ResolvedRefs"]);
      if (problem !== undefined) return finding(`HTTPRoute ${metadata.name}`, problem);
    }
  return undefined;
}

const hostsOf = ({ spec }: HttpRoute) => spec.hostnames ?? [];

/** A failure if Google reports no healthy backend. */
function healthProblem({ health }: IngressSeen, { edge, kubectl }: Subject): Finding | undefined {
  const states = Object.entries(health ?? {});
  if (!edge.onGoogle || states.length === 0 || states.some(([, state]) => state === "HEALTHY")) return undefined;
  return {
    state: "failed",
    seen: `backends: ${states.map(([name, state]) => `${name} ${state}`).join(", ")}`,
    means: `The load balancer's health check gets no 200 from ${proxyHealthPath} on port ${proxyPorts.health} of any pod of nginx: none is ready, the check is new, or a firewall blocks ${googleFrontEnds.join(" and ")}.`,
    fix: `${kubectl} get pods -l ${nameLabel}=${proxyName}   # and: gcloud compute firewall-rules list --project ${edge.project}`,
    passing: true,
  };
}
