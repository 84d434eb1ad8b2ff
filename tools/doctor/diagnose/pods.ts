/** Why the pods of a Deployment do not run or are not ready, from the reports of kubelet, scheduler and controller. */
import type { ContainerStatus, Deployment, Event, Objects, Pod } from "../gather/objects.ts";
import { notStarted } from "../../apply/podStates.ts";
import { proxyName } from "../../../names/kubernetes.ts";

export interface Workload {
  /** Name of the Deployment, and of the Service. */
  readonly name: string;
  /** Its key in the stack's config, such as `services.hoge`. */
  readonly key: string;
  /** Path of its health check. @default - the check is by gRPC */
  readonly healthPath?: string | undefined;
}

/** Commands and texts for fixes. */
export interface Remedies {
  readonly kubectl: string;
  readonly apply: string;
  readonly edit: (key: string, what?: string) => string;
}

export interface Trouble {
  readonly seen: string;
  readonly means: string;
  readonly fix: string;
  readonly passing?: boolean;
}

/** How long a pod may take to start before it counts as a problem. Seconds. */
const patience = 60;

type Check = (
  status: ContainerStatus,
  pod: Pod,
  workload: Workload,
  remedies: Remedies,
  now: Date,
) => Trouble | undefined;

const waitingFor = ({ state }: ContainerStatus, ...reasons: string[]) =>
  reasons.includes(state.waiting?.reason ?? "") ? state.waiting : undefined;
const ended = ({ state, lastState }: ContainerStatus) => state.terminated ?? lastState?.terminated;
const short = (text = "") => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

const image: Check = (status, pod, { key }, { edit }) => {
  const waiting = waitingFor(
    status,
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
  );
  const reference = pod.spec.containers.find(({ name }) => name === status.name)?.image ?? status.image;
  return (
    waiting && {
      seen: `${waiting.reason ?? ""}: ${short(waiting.message)}`,
      means: `The node cannot pull the image ${reference}: the name or tag does not exist, or the cluster has no access to the registry.`,
      fix: edit(`${key}.image`),
    }
  );
};

const configuration: Check = (status, _, { key }, { edit }) => {
  const waiting = waitingFor(status, "CreateContainerConfigError", "CreateContainerError", "RunContainerError");
  return (
    waiting && {
      seen: `${waiting.reason ?? ""}: ${short(waiting.message)}`,
      means:
        "The container cannot be created: a Secret or ConfigMap that it uses does not exist, or its command is not in the image.",
      fix: edit(key),
    }
  );
};

const outOfMemory: Check = (status, _, { key }, { edit }) =>
  ended(status)?.reason === "OOMKilled"
    ? {
        seen: `OOMKilled, ${status.restartCount} restarts`,
        means: "It was killed because it used more memory than its limit.",
        fix: edit(`${key}.resources.memory`, "Raise"),
      }
    : undefined;

const crash: Check = (status, pod, { name, key }, { kubectl, edit }, now) => {
  const last = ended(status);
  // If it has run for a while since, its last exit does not matter.
  const since = Date.parse(status.state.running?.startedAt ?? now.toISOString());
  const recent = last !== undefined && now.getTime() - since < patience * 1000;
  if (waitingFor(status, "CrashLoopBackOff") === undefined && !recent) return undefined;
  return {
    seen: `${status.state.waiting?.reason ?? "ended"}: status ${last?.exitCode ?? "?"} (${last?.reason ?? "unknown"}), ${status.restartCount} restarts`,
    means: "The program exits soon after its start. See its log for the reason.",
    fix: `${kubectl} logs ${pod.metadata.name} -c ${status.name} --previous   # then: ${edit(name === proxyName ? key : `${key}.image or ${key}.env`)}`,
  };
};

const checks: readonly Check[] = [image, configuration, outOfMemory, crash];

/** Waiting reasons that kubelet's warnings about a container announce: `Error: ErrImagePull`. */
const announced = (reason: string, message: string): string | undefined => {
  if (reason === "ErrImageNeverPull") return reason;
  if (reason === "InspectFailed")
    return /apply default image tag/.test(message) ? "InvalidImageName" : "ImageInspectError";
  if (reason !== "Failed") return undefined;
  if (message.startsWith("Failed to pull image")) return "ErrImagePull";
  return /^Error: ((?:Err|Image)\w+)$/.exec(message.trim())?.[1] ?? "CreateContainerError";
};

/**
 * The containers of a pod, as the newest of its status and its events has them. Kubelet sends an event at once and the
 * status a moment later: until then, a container that cannot be created seems to be in creation.
 * The events: https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/events/event.go
 */
function containersOf({ metadata, spec, status }: Pod, events: readonly Event[]): ContainerStatus[] {
  const { containerStatuses = [], initContainerStatuses = [] } = status;
  const unreported = spec.containers
    .filter(({ name }) => !containerStatuses.some((one) => one.name === name))
    .map(({ name, image }) => ({ name, image, ready: false, restartCount: 0, state: {} }));
  return [...initContainerStatuses, ...containerStatuses, ...unreported].map((container) => {
    const isUnknown = Object.keys(container.state).length === 0;
    if (!isUnknown && waitingFor(container, "ContainerCreating", "PodInitializing") === undefined) return container;
    const event = events.findLast(
      ({ involvedObject }) =>
        involvedObject.name === metadata.name && involvedObject.fieldPath?.endsWith(`ontainers{${container.name}}`),
    );
    if (event === undefined) return container;
    const reason = announced(event.reason, event.message);
    return reason === undefined ? container : { ...container, state: { waiting: { reason, message: event.message } } };
  });
}

/** What kubelet's warnings before a container exists mean, by their reason. */
const creationFailures: Readonly<Record<string, string>> = {
  FailedMount:
    "The node cannot mount a volume of the pod: a Secret, ConfigMap or disk that it names does not exist, or is not ready.",
  FailedAttachVolume: "The node cannot attach a disk of the pod: it does not exist, or another node has it.",
  FailedCreatePodSandBox: "The node cannot give the pod a network: its network plugin or container runtime fails.",
  NetworkNotReady: "The node's network is not ready.",
};

/** @returns what keeps pods from becoming ready; undefined if all are ready */
export function troubleOf(
  deployment: Deployment,
  { pods, replicaSets, events }: Pick<Objects, "pods" | "replicaSets" | "events">,
  workload: Workload,
  remedies: Remedies,
  now: Date,
): Trouble | undefined {
  const { name, key } = workload;
  const own = <T extends { readonly metadata: Pod["metadata"] }>(objects: readonly T[]) =>
    objects.filter(({ metadata }) => matches(metadata.labels, deployment.spec.selector.matchLabels));
  const live = own(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const unready = live.filter((pod) => !isReady(pod));

  // Check the containers first: a pod that is not ready may be the consequence.
  for (const check of checks)
    for (const pod of unready) {
      for (const status of containersOf(pod, events)) {
        const trouble = status.ready ? undefined : check(status, pod, workload, remedies, now);
        if (trouble) return trouble;
      }
    }
  for (const pod of unready) {
    const start = notStarted(pod, events);
    if (start?.step === "unscheduled")
      return {
        seen: start.seen,
        means:
          "No node has enough free resources for the pod: it requests more than any node has left, or more than any node's total.",
        fix: `${remedies.edit(`${key}.resources`, "Lower")}   # or give the cluster more or larger nodes (cluster.nodePools)`,
      };
    if (pod.status.phase === "Failed")
      return {
        seen: `${pod.status.reason ?? "Failed"}: ${short(pod.status.message)}`,
        means: "The node evicted the pod, as it does when it runs out of disk or memory.",
        fix: `${remedies.kubectl} describe pod ${pod.metadata.name}`,
      };
  }
  const refused = own(replicaSets)
    .flatMap(({ status }) => status?.conditions ?? [])
    .find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (refused !== undefined && live.length < (deployment.spec.replicas ?? 1))
    return {
      seen: `pods are rejected: ${short(refused.message)}`,
      means:
        "The API server rejects the pods: a quota is exhausted, or the pod violates the namespace's Pod Security Standard.",
      fix: `${remedies.kubectl} describe replicasets -l app.kubernetes.io/name=${name}`,
    };
  const pod = unready[0];
  if (pod === undefined) return undefined;
  const start = notStarted(pod, events);
  const age = (now.getTime() - Date.parse(pod.metadata.creationTimestamp ?? now.toISOString())) / 1000;
  if (start?.reason !== undefined)
    return {
      seen: start.seen,
      means: creationFailures[start.reason] ?? "The node cannot create the pod's containers.",
      fix: `${remedies.kubectl} describe pod ${pod.metadata.name}   # if an object is missing: ${remedies.apply}`,
      passing: age < patience,
    };
  const unhealthy = events.findLast(
    ({ involvedObject, reason }) => involvedObject.name === pod.metadata.name && reason === "Unhealthy",
  );
  return probeTrouble(unhealthy?.message ?? "", age, pod, workload, remedies);
}

function probeTrouble(
  message: string,
  age: number,
  pod: Pod,
  { key, healthPath }: Workload,
  remedies: Remedies,
): Trouble {
  const seen = `running, but not ready${message === "" ? "" : `: ${short(message.trim())}`}`;
  const passing = age < patience;
  const httpGet = pod.spec.containers[0]?.readinessProbe?.httpGet;
  const probe =
    httpGet === undefined ? "The gRPC health probe" : `The probe of ${httpGet.path ?? "/"} on port ${httpGet.port}`;
  const logs = `${remedies.kubectl} logs ${pod.metadata.name}`;
  // Path and port of the proxy's probe are not in the config: if they differ, somebody changed them manually.
  const fix = (setting: string) =>
    key === "proxy" ? `${remedies.apply}   # restores the proxy's probe` : remedies.edit(`${key}.${setting}`);
  if (/statuscode: (404|405)/.test(message))
    return {
      seen,
      passing,
      means: `${probe} fails, because the path does not exist: the health path is wrong${healthPath === undefined || httpGet?.path === healthPath ? "" : ` (the config has ${healthPath})`}.`,
      fix: fix("healthPath"),
    };
  if (/connection refused/.test(message))
    return {
      seen,
      passing,
      means: `${probe} fails, because nothing listens there: the port is wrong, or the program has not started to listen yet.`,
      fix: `${fix("port")}   # or see its log: ${logs}`,
    };
  if (/statuscode: \d/.test(message))
    return {
      seen,
      passing,
      means: `${probe} gets an error: the service reports that it cannot take requests. Something that it needs may be unavailable.`,
      fix: logs,
    };
  if (/[Tt]imeout|deadline exceeded/.test(message))
    return {
      seen,
      passing,
      means: `${probe} gets no answer in time: the program is stuck, or has too little CPU.`,
      fix: `${logs}   # or: ${remedies.edit(`${key}.resources.cpu`, "Raise")}`,
    };
  return {
    seen: passing ? `starting (${pod.status.phase})` : seen,
    passing,
    means: "The pod exists, but is not ready yet.",
    fix: `${remedies.kubectl} describe pod ${pod.metadata.name}`,
  };
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** Whether the labels match the selector. An empty selector matches nothing. */
export function matches(
  labels: Readonly<Record<string, string>> = {},
  selector: Readonly<Record<string, string>> = {},
) {
  const required = Object.entries(selector);
  return required.length > 0 && required.every(([key, value]) => labels[key] === value);
}
