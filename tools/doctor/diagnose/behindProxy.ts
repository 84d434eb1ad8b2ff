/** What is behind a Service: the Service itself, the pods that it selects, and how they are. The same for the proxy and for each service. */
import type { Objects, Pod, Service } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import { edit, type Subject } from "../subject.ts";
import { matches, isReady, troubleOf, type Workload } from "./pods.ts";

export const unknown = (why: string): Finding => ({ state: "unknown", seen: `not looked at: ${why}` });

/** The Service is there, and its port leads somewhere. */
export function service(objects: Objects | string, name: string, subject: Subject): Finding {
  if (typeof objects === "string") return unknown(objects);
  const found = objects.services.find(({ metadata }) => metadata.name === name);
  if (found === undefined)
    return {
      state: "failed",
      seen: `there is no Service ${name} in the namespace ${subject.namespace}`,
      means: "Its name leads nowhere: it was never applied, or somebody has deleted it.",
      fix: subject.apply,
    };
  const ports = (found.spec.ports ?? []).map(({ port, targetPort }) => `${port} → ${String(targetPort ?? port)}`);
  return { state: "ok", seen: `${name}: port ${ports.join(", ")}` };
}

/** The Service selects pods, and its port is one of theirs. */
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
  if (deployment === undefined)
    return {
      state: "failed",
      seen: `there is no Deployment ${name}`,
      means: "Nothing makes pods for the Service: it was never applied, or somebody has deleted it.",
      fix: subject.apply,
    };
  if (deployment.spec.replicas === 0)
    return {
      state: "failed",
      seen: `the Deployment ${name} is scaled to 0`,
      means: "Somebody has scaled it by hand: the config asks for at least one pod.",
      fix: `${subject.kubectl} scale deployment/${name} --replicas=${replicasOf(subject, name)}`,
    };
  const { selector = {} } = found.spec;
  const labels = deployment.spec.selector.matchLabels;
  if (!matches(labels, selector))
    return {
      state: "failed",
      seen: `the Service ${serviceName} selects ${words(selector)}, and the pods are ${words(labels)}`,
      means: "The Service selects no pod of its Deployment: its selector was changed.",
      fix: `${subject.apply}   # ${key} is right in the config; the object is not`,
    };
  const port = lostPort(
    found,
    deployment.spec.template.spec.containers.flatMap((container) => container.ports ?? []),
  );
  if (port !== undefined)
    return {
      state: "failed",
      seen: `the Service's port leads to ${port}, which no container of ${name} has`,
      means: "The port of the Service and that of the container are not the same.",
      fix: subject.apply,
    };
  const own = pods.filter(({ metadata }) => matches(metadata.labels, selector));
  return { state: "ok", seen: `${plural(own.filter(isReady).length, "pod")} of ${own.length} ready` };
}

const replicasOf = ({ services }: Subject, name: string): number => services[name]?.replicas ?? 3;
const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;
const words = (labels: Readonly<Record<string, string>> = {}) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",") || "nothing";

type Port = { readonly name?: string; readonly containerPort: number };
/** A port by name must be a container's; one by number need not be named there, and usually is. */
function lostPort({ spec }: Service, ports: readonly Port[]): number | string | undefined {
  return (spec.ports ?? [])
    .map(({ port, targetPort }) => targetPort ?? port)
    .find((target) => !ports.some(({ name, containerPort }) => target === name || target === containerPort));
}

/** The pods run and are ready; some of them are enough to serve, which is then a warning. */
export function pods(objects: Objects | string, workload: Workload, subject: Subject, now: Date): Finding {
  if (typeof objects === "string") return unknown(objects);
  const { name } = workload;
  const deployment = objects.deployments.find((candidate) => candidate.metadata.name === name);
  if (deployment === undefined) return { state: "skipped", seen: "there is no Deployment" };
  if (deployment.spec.replicas === 0) return { state: "skipped", seen: "none are asked for" };
  const own = objects.pods.filter(({ metadata }) => matches(metadata.labels, deployment.spec.selector.matchLabels));
  const [ready, wanted] = [own.filter(isServing).length, deployment.spec.replicas ?? 1];
  const ways = {
    kubectl: subject.kubectl,
    apply: subject.apply,
    edit: (key: string, what?: string) => edit(subject, key, what),
  };
  const trouble = troubleOf(deployment, objects, workload, ways, now);
  const count = `${ready} of ${wanted} ready`;
  if (trouble === undefined && ready > 0) return { state: "ok", seen: count };
  if (trouble === undefined)
    return {
      state: "failed",
      seen: count,
      means: "No pod has been made yet: the cluster's controller has not come to it.",
      fix: `${subject.kubectl} describe deployment ${name}`,
      passing: true,
    };
  const { seen, means, ...rest } = trouble;
  return ready > 0
    ? { state: "warning", seen: `${count}; ${seen}`, means: `${means} The others serve.`, ...rest }
    : { state: "failed", seen: `${count}; ${seen}`, means, ...rest };
}

const isServing = (pod: Pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined;
