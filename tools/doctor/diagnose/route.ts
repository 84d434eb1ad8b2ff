/** Checks that the proxy has the route of the stack's config. */
import { brief, whoAnswered, type Probe } from "../answers.ts";
import type { Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import type { Subject, SubjectRoute } from "../subject.ts";
import { proxyName } from "../../../names/kubernetes.ts";

/**
 * @param routesName expected name of the ConfigMap of routes
 */
export function route(
  probe: Probe,
  { host, hostPath }: SubjectRoute,
  objects: Objects | string,
  routesName: string,
  subject: Subject,
): Finding {
  const { apply } = subject;
  const who = whoAnswered(probe);
  if (who.by === "edge" && (who.says === "unconnected" || who.says === "no-backend"))
    return {
      state: "failed",
      seen: `${brief(probe)} from the load balancer`,
      means: `The load balancer does not know the host ${host}: the ingress has no rule for it, or the rule was just added.`,
      fix: apply,
      passing: subject.edge.onGoogle,
    };
  if (who.by === "proxy" && who.error === "no such route")
    return {
      state: "failed",
      seen: `${probe.answer?.status ?? 0} from nginx: no such route`,
      means: `The running proxy has no route for ${hostPath}: the config has it, but was not applied.`,
      fix: apply,
    };
  const running = typeof objects === "string" ? undefined : routesOf(objects);
  if (running !== undefined && running !== routesName)
    return {
      state: "warning",
      seen: `nginx runs with ${running}, but the config renders ${routesName}`,
      means: "The config was changed but not applied, or somebody applied another checkout.",
      fix: apply,
    };
  if (who.by === "nobody") return { state: "unknown", seen: "no response shows it" };
  return { state: "ok", seen: "nginx has it" };
}

function routesOf({ deployments }: Objects): string | undefined {
  const proxy = deployments.find(({ metadata }) => metadata.name === proxyName);
  return proxy?.spec.template.spec.volumes?.find(({ name }) => name === "routes")?.configMap?.name;
}
