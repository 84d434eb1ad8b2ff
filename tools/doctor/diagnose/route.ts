/** The proxy has the route, as the stack's config has it. */
import { brief, whoAnswered, type Probe } from "../answers.ts";
import type { Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import type { Subject, SubjectRoute } from "../subject.ts";
import { proxyName } from "../../../names/kubernetes.ts";

/**
 * @param wanted name of the ConfigMap of routes that follows from the config
 */
export function route(
  probe: Probe,
  { host, hostPath }: SubjectRoute,
  objects: Objects | string,
  wanted: string,
  subject: Subject,
): Finding {
  const { apply } = subject;
  const who = whoAnswered(probe);
  if (who.by === "edge" && (who.says === "unconnected" || who.says === "no-backend"))
    return {
      state: "failed",
      seen: `${brief(probe)} from the load balancer`,
      means: `The load balancer does not know the name ${host}: the ingress has no rule for it, or it was added a moment ago.`,
      fix: apply,
      passing: subject.edge.onGoogle,
    };
  if (who.by === "proxy" && who.error === "no such route")
    return {
      state: "failed",
      seen: `${probe.answer?.status ?? 0} from nginx: no such route`,
      means: `The proxy that answers has no route for ${hostPath}: the config has it, and was not applied since.`,
      fix: apply,
    };
  const running = typeof objects === "string" ? undefined : routesOf(objects);
  if (running !== undefined && running !== wanted)
    return {
      state: "warning",
      seen: `nginx runs with ${running}, and the config makes ${wanted}`,
      means: "The config was changed and not applied, or another checkout has applied its own.",
      fix: apply,
    };
  if (who.by === "nobody") return { state: "unknown", seen: "no answer shows it" };
  return { state: "ok", seen: "nginx has it" };
}

function routesOf({ deployments }: Objects): string | undefined {
  const proxy = deployments.find(({ metadata }) => metadata.name === proxyName);
  return proxy?.spec.template.spec.volumes?.find(({ name }) => name === "routes")?.configMap?.name;
}
