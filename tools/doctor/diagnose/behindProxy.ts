/** Checks a Service, its endpoints and its pods. The same checks apply to the proxy and to each service. */
import { secretsOf, type Deployment, type Objects, type Pod, type Service } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import { remediesOf, type Subject } from "../subject.ts";
import { fewestPods, type Replicas } from "../../../names/replicas.ts";
import { autoscalerTrouble } from "./autoscaler.ts";
import { matches, isReady, troubleOf } from "./pods.ts";
import type { Workload } from "./trouble.ts";

export const unknown = (why: string): Finding => ({ state: "unknown", seen: `not checked: ${why}` });

/**
 * Checks that the Service exists.
 * @param forCalls the Service by which other services call this one; nginx does not need it. @default - `name`
 */
export function service(objects: Objects | string, name: string, subject: Subject, forCalls = name): Finding {
  if (typeof objects === "string") return unknown(objects);
  const found = objects.services.find(({ metadata }) => metadata.name === name);
  if (found === undefined)
    return {
      state: "failed",
      seen: `there is no Service ${name} in the namespace ${subject.namespace}`,
      means: "Its name does not resolve: it was never applied, or somebody deleted it.",
      fix: subject.apply,
    };
  if (!objects.services.some(({ metadata }) => metadata.name === forCalls))
    return {
      state: "warning",
      seen: `there is no Service ${forCalls} in the namespace ${subject.namespace}`,
      means: "Requests of clients do not need it, but services that call it do not find it: somebody deleted it.",
      fix: subject.apply,
    };
  const ports = (found.spec.ports ?? []).map(({ port, targetPort }) => `${port} → ${String(targetPort ?? port)}`);
  return { state: "ok", seen: `${name}: port ${ports.join(", ")}` };
}

/** Checks that the Service selects pods, and that they have its port. */
export function endpoints(
  objects: Objects | string,
  { name, key }: Workload,
  subject: Subject,
  serviceName = name,
): Finding {
  if (typeof objects === "string") return unknown(objects);
  const { services, deployments, pods } = objects;
  const found = services.find(({ metadata }) => metadata.name === serviceName);
  if (found === undefined) return { state: "skipped", seen: "there is no Service" };
  const deployment = deployments.find(({ metadata }) => metadata.name === name);
  const missing = withoutPods(deployment, name, subject);
  if (deployment === undefined || missing !== undefined) return missing ?? unknown("there is no Deployment");
  const { selector = {} } = found.spec;
  const labels = deployment.spec.selector.matchLabels;
  if (!matches(labels, selector))
    return {
      state: "failed",
      seen: `the Service ${serviceName} selects ${labelText(selector)}, but the pods have ${labelText(labels)}`,
      means: "The Service selects no pod of its Deployment: its selector was changed.",
      fix: `${subject.apply}   # ${key} is right in the config, but the object was changed`,
    };
  const port = missingPort(
    found,
    deployment.spec.template.spec.containers.flatMap((container) => container.ports ?? []),
  );
  if (port !== undefined)
    return {
      state: "failed",
      seen: `the Service's target port is ${port}, which no container of ${name} has`,
      means: "The target port of the Service and the port of the container differ.",
      fix: subject.apply,
    };
  const own = pods.filter(({ metadata }) => matches(metadata.labels, selector));
  return { state: "ok", seen: `${plural(own.filter(isReady).length, "pod")} of ${own.length} ready` };
}

/** What is wrong with a Deployment that creates no pods. */
function withoutPods(deployment: Deployment | undefined, name: string, subject: Subject): Finding | undefined {
  if (deployment === undefined)
    return {
      state: "failed",
      seen: `there is no Deployment ${name}`,
      means: "Nothing creates pods: the Deployment was never applied, or somebody deleted it.",
      fix: subject.apply,
    };
  if (deployment.spec.replicas !== 0) return undefined;
  return {
    state: "failed",
    seen: `the Deployment ${name} is scaled to 0`,
    means: "Somebody scaled it manually: the config requires at least one pod.",
    fix: `${subject.kubectl} scale deployment/${name} --replicas=${fewestPods(replicasOf(subject, name))}`,
  };
}

const replicasOf = ({ services, proxyReplicas }: Subject, name: string): Replicas =>
  services[name]?.replicas ?? proxyReplicas;
const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;
const labelText = (labels: Readonly<Record<string, string>> = {}) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",") || "nothing";

type Port = { readonly name?: string; readonly containerPort: number };
/** The first target port, by name or number, that no container declares. */
function missingPort({ spec }: Service, ports: readonly Port[]): number | string | undefined {
  return (spec.ports ?? [])
    .map(({ port, targetPort }) => targetPort ?? port)
    .find((target) => !ports.some(({ name, containerPort }) => target === name || target === containerPort));
}

/** Checks that the pods are ready. If only some are, they still serve, so that is a warning. */
export function pods(objects: Objects | string, workload: Workload, subject: Subject, now: Date): Finding {
  if (typeof objects === "string") return unknown(objects);
  const { name } = workload;
  const deployment = objects.deployments.find((candidate) => candidate.metadata.name === name);
  if (deployment === undefined) return { state: "skipped", seen: "there is no Deployment" };
  if (deployment.spec.replicas === 0) return { state: "skipped", seen: "scaled to 0" };
  const own = objects.pods.filter(({ metadata }) => matches(metadata.labels, deployment.spec.selector.matchLabels));
  const [ready, replicas] = [own.filter(isServing).length, deployment.spec.replicas ?? 1];
  const remedies = remediesOf(subject);
  const trouble = troubleOf(deployment, objects, workload, remedies, now);
  const count = `${ready} of ${replicas} ready`;
  if (trouble === undefined && ready > 0) {
    const found = changed(deployment, objects, count, subject);
    if (found !== undefined) return found;
    const ofConfig = { key: workload.key, replicas: replicasOf(subject, name) };
    const scaling = autoscalerTrouble(deployment, objects, ofConfig, remedies, now);
    return scaling === undefined
      ? { state: "ok", seen: count }
      : { state: "warning", ...scaling, seen: `${count}; ${scaling.seen}` };
  }
  if (trouble === undefined)
    return {
      state: "failed",
      seen: count,
      means: "No pod has been created yet: the cluster's controller has not processed the Deployment.",
      fix: `${subject.kubectl} describe deployment ${name}`,
      passing: true,
    };
  const { seen, means, ...rest } = trouble;
  const found = { seen: `${count}; ${seen}`, ...rest };
  if (ready === 0) return { state: "failed", means, ...found };
  // The requests of clients are answered, but what was applied is not what runs, and will not be.
  if (hasStopped(deployment))
    return {
      state: "failed",
      means: `${means} The release before it serves. Kubernetes has stopped waiting for this one.`,
      ...found,
      passing: false,
    };
  return { state: "warning", means: `${means} The other pods serve.`, ...found };
}

/** Checks the pods of a worker, which has no Service in front of them. */
export function workerPods(objects: Objects | string, workload: Workload, subject: Subject, now: Date): Finding {
  if (typeof objects === "string") return unknown(objects);
  const deployment = objects.deployments.find(({ metadata }) => metadata.name === workload.name);
  return withoutPods(deployment, workload.name, subject) ?? pods(objects, workload, subject, now);
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment */
const hasStopped = ({ status }: Deployment): boolean =>
  status?.conditions?.some(({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded") ??
  false;

/** What serves, but is not what the config says, because somebody changed it in the cluster. */
function changed(
  deployment: Deployment,
  { missingSecrets }: Objects,
  count: string,
  subject: Subject,
): Finding | undefined {
  const {
    metadata: { name },
    spec,
  } = deployment;
  const missing = secretsOf(deployment.spec.template).filter((secret) => missingSecrets.includes(secret));
  if (missing.length > 0)
    return {
      state: "warning",
      seen: `${count}; there is no Secret ${missing.join(", ")}`,
      means: "Pods that run have its values, but new ones will not start: somebody deleted it.",
      fix: subject.apply,
    };
  if (spec.paused === true)
    return {
      state: "warning",
      seen: `${count}; the Deployment ${name} is paused`,
      means: "Somebody paused it: the pods that run serve, but changes have no effect.",
      fix: `${subject.kubectl} rollout resume deployment/${name}`,
    };
  const settings = subject.services[name];
  if (settings === undefined) return undefined;
  const { replicas = 1, template } = spec;
  const fewest = fewestPods(settings.replicas);
  if (replicas < fewest)
    return {
      state: "warning",
      seen: `${count}; the config has ${fewest}`,
      means: "Somebody scaled it down manually: fewer pods share the load.",
      fix: `${subject.kubectl} scale deployment/${name} --replicas=${fewest}`,
    };
  const image = template.spec.containers.find((container) => container.name === name)?.image;
  if (settings.image !== undefined && image !== undefined && image !== settings.image)
    return {
      state: "warning",
      seen: `${count}; the image is ${image}`,
      means: `The config has ${settings.image}: it was not applied, or somebody changed the image in the cluster.`,
      fix: subject.apply,
    };
  return undefined;
}

const isServing = (pod: Pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined;
