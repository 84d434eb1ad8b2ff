/** The object that the load balancer is made from: it is there, its controller has taken it, and it leads to the proxy. */
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
  /** What nginx alone answers. */
  readonly nginx: Probe;
  /** Health of the load balancer's backends by their names, as Google says it. @default - it was not asked */
  readonly health?: Readonly<Record<string, string>> | undefined;
}

/** What is wrong with the object itself: then nothing before it can work either. */
export const brokenObject = (objects: Objects | string, subject: Subject): Finding | undefined =>
  absent(objects, subject) ?? objectProblem(objects, subject);

/** The object is missing or nobody's. */
function absent(objects: Objects | string, subject: Subject): Finding | undefined {
  if (typeof objects === "string") return undefined;
  const { edge, apply, namespace } = subject;
  const kind = edge.kind === "gateway" ? "Gateway" : "Ingress";
  const object = edge.kind === "gateway" ? objects.gateway : objects.ingress;
  if (object === undefined)
    return {
      state: "failed",
      seen: `there is no ${kind} in the namespace ${namespace}`,
      means: "Nothing tells the load balancer what to serve: it was never applied, or somebody has deleted it.",
      fix: apply,
    };
  const [is, wanted] = classes(object, subject);
  if (is !== wanted)
    return {
      state: "failed",
      seen: `the ${kind} is of the class ${is === "" ? "(none)" : is}, and the config says ${wanted}`,
      means: `The controller of ${wanted} leaves it alone.`,
      fix: apply,
    };
  return undefined;
}

function classes(object: Ingress | Gateway, { edge }: Subject): [string, string] {
  if (edge.kind === "gateway") return [(object as Gateway).spec.gatewayClassName, edge.className];
  const { metadata, spec } = object as Ingress;
  const annotated = metadata.annotations?.["kubernetes.io/ingress.class"];
  // GKE reads the annotation alone.
  if (edge.kind === "gce") return [annotated ?? "", "gce"];
  return [annotated ?? spec.ingressClassName ?? "", edge.className];
}

export function ingress(seen: IngressSeen, subject: Subject): Finding {
  const { objects, nginx } = seen;
  const problem = brokenObject(objects, subject) ?? healthProblem(seen, subject);
  if (problem !== undefined) return problem;
  const who = whoAnswered(nginx);
  if (who.by === "edge") {
    const answer = fromEdge(who.says, nginx, subject);
    if (answer !== undefined) return answer;
  }
  if (typeof objects === "string")
    return who.by === "nobody" ? unknown(objects) : { state: "ok", seen: "it leads to the proxy" };
  const hosts = subject.hosts.length === 1 ? "1 name" : `${subject.hosts.length} names`;
  return {
    state: "ok",
    seen: `${hosts} to nginx-proxy${seen.health === undefined ? "" : `; backends ${[...new Set(Object.values(seen.health))].join(", ")}`}`,
  };
}

function fromEdge(says: string, probe: Probe, subject: Subject): Finding | undefined {
  const seen = `${brief(probe)} from the load balancer`;
  const passing = subject.edge.onGoogle;
  const describe = `${subject.kubectl} describe ${subject.edge.kind === "gateway" ? "gateway gateway" : "ingress ingress"}`;
  switch (says) {
    case "unconnected":
      return {
        state: "failed",
        seen,
        passing,
        means: `The load balancer is not connected to the ingress yet, or the ingress has no rule for ${subject.domain}: its default backend answers.`,
        fix: `${describe}   # events say why; wrong names: ${subject.apply}`,
      };
    case "not-there-yet":
      return {
        state: "failed",
        seen,
        passing,
        means: "Google's front ends know no load balancer at this address yet.",
        fix: describe,
      };
    case "no-backend":
      return {
        state: "failed",
        seen,
        passing,
        means:
          "The load balancer works, and nginx is not connected to it: the backend's Service is missing, or not known yet.",
        fix: `${subject.kubectl} get service nginx-proxy   # if it is not there: ${subject.apply}`,
      };
    case "unhealthy":
      return {
        state: "failed",
        seen,
        passing,
        means:
          "The load balancer works, and none of its backends counts as healthy: no pod of nginx is ready, its health check asks wrongly, or a firewall keeps it out.",
        fix: `${subject.kubectl} get pods -l ${nameLabel}=${proxyName}   # and: ${describe}`,
      };
    case "gave-up":
      return {
        state: "failed",
        seen,
        means: "The load balancer reaches nginx's address, and nginx does not answer in time.",
        fix: `${subject.kubectl} logs deployment/nginx-proxy`,
      };
    default:
      return undefined;
  }
}

function objectProblem(objects: Objects | string, subject: Subject): Finding | undefined {
  if (typeof objects === "string") return undefined;
  return subject.edge.kind === "gateway" ? gatewayProblem(objects, subject) : ingressProblem(objects, subject);
}

function ingressProblem(
  { ingress, events, missingSecrets, services, backendConfig }: Objects,
  subject: Subject,
): Finding | undefined {
  const { apply, edge, kubectl, hosts } = subject;
  if (missingSecrets.length > 0)
    return {
      state: "failed",
      seen: `the Ingress names the Secret ${missingSecrets.join(", ")}, which is not there`,
      means: "Without its certificate the controller serves no TLS for it.",
      fix: apply,
    };
  const rules = ingress?.spec.rules ?? [];
  const unruled = hosts.filter((host) => !rules.some((rule) => rule.host === host));
  if (unruled.length > 0)
    return {
      state: "failed",
      seen: `the Ingress has no rule for ${unruled.join(", ")}`,
      means: "The load balancer does not know the name: the config has it, and was not applied since.",
      fix: apply,
    };
  const backends = [
    ...new Set(rules.flatMap(({ http }) => http?.paths.flatMap(({ backend }) => backend.service?.name ?? []) ?? [])),
  ];
  const lost = backends.filter((name) => !services.some(({ metadata }) => metadata.name === name));
  if (lost.length > 0)
    return {
      state: "failed",
      seen: `the Ingress leads to the Service ${lost.join(", ")}, which is not there`,
      means: "The load balancer has nothing behind it.",
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
          : `the health check asks for ${check?.requestPath ?? "/"} on port ${check?.port ?? "(inferred)"}`,
      means: `nginx says that it is well at ${proxyHealthPath} on port ${proxyPorts.health} and nowhere else: asked otherwise, every backend is unhealthy and the load balancer answers 502.`,
      fix: apply,
    };
  const warning = controllerWarning(events, "Ingress", ingressName);
  return warning && { ...warning, fix: `${kubectl} describe ingress ingress   # then: ${edit(subject, "edge")}` };
}

/** The controller's latest word, where it is a complaint. */
function controllerWarning(events: readonly Event[], kind: string, name: string): Omit<Finding, "fix"> | undefined {
  const latest = events.findLast(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name);
  return latest?.type !== "Warning"
    ? undefined
    : {
        state: "failed",
        seen: `${latest.reason}: ${latest.message.slice(0, 300)}`,
        means: "The controller could not make the load balancer as the object asks.",
      };
}

function gatewayProblem({ gateway, httpRoutes }: Objects, subject: Subject): Finding | undefined {
  const fix = `${subject.kubectl} describe gateway gateway   # and: ${subject.kubectl} describe httproutes`;
  const refused = (conditions: readonly Condition[] = [], wanted: readonly string[]) =>
    conditions.find(({ type, status }) => wanted.includes(type) && status !== "True");
  const finding = (name: string, { type, reason, message }: Condition): Finding => ({
    state: "failed",
    seen: `${name}: not ${type} (${reason ?? "no reason"}) ${message ?? ""}`.trim(),
    means: "The controller has not taken the object, or not made the load balancer from it yet.",
    fix,
    passing: reason === "Pending" || subject.edge.onGoogle,
  });
  const bad = refused(gateway?.status?.conditions, ["Accepted", "Programmed"]);
  if (bad !== undefined) return finding("Gateway", bad);
  const unrouted = subject.hosts.filter((host) => !httpRoutes.some((route) => hostsOf(route).includes(host)));
  if (unrouted.length > 0)
    return {
      state: "failed",
      seen: `no HTTPRoute is for ${unrouted.join(", ")}`,
      means: "The load balancer does not know the name: the config has it, and was not applied since.",
      fix: subject.apply,
    };
  for (const { metadata, status } of httpRoutes)
    for (const { conditions } of status?.parents ?? []) {
      const problem = refused(conditions, ["Accepted", "ResolvedRefs"]);
      if (problem !== undefined) return finding(`HTTPRoute ${metadata.name}`, problem);
    }
  return undefined;
}

const hostsOf = ({ spec }: HttpRoute) => spec.hostnames ?? [];

/** Google says that no backend is healthy. */
function healthProblem({ health }: IngressSeen, { edge, kubectl }: Subject): Finding | undefined {
  const states = Object.entries(health ?? {});
  if (!edge.onGoogle || states.length === 0 || states.some(([, state]) => state === "HEALTHY")) return undefined;
  return {
    state: "failed",
    seen: `backends: ${states.map(([name, state]) => `${name} ${state}`).join(", ")}`,
    means: `The load balancer's health check gets no 200 from ${proxyHealthPath} on port ${proxyPorts.health} of any pod of nginx: none is ready, the check is new, or a firewall keeps ${googleFrontEnds.join(" and ")} out.`,
    fix: `${kubectl} get pods -l ${nameLabel}=${proxyName}   # and: gcloud compute firewall-rules list --project ${edge.project}`,
    passing: true,
  };
}
