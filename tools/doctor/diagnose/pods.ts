/** Why the pods of a Deployment do not run, or do not count as ready: what kubelet, scheduler and controller say. */
import type { ContainerStatus, Deployment, Objects, Pod } from "../gather/objects.ts";
import { proxyName } from "../../../names/kubernetes.ts";

export interface Workload {
  /** Name of the Deployment, and of the Service. */
  readonly name: string;
  /** Its key in the stack's config, such as `services.hoge`. */
  readonly key: string;
  /** Path that it is asked for its health by. @default - by gRPC */
  readonly healthPath?: string | undefined;
}

/** `kubectl`, what applies the config, and the words for an edit of it, as people type them. */
export interface Ways {
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

/** How long a pod may be on its way before that is worth a word, seconds. */
const patience = 60;

type Row = (status: ContainerStatus, pod: Pod, workload: Workload, ways: Ways, now: Date) => Trouble | undefined;

const waitingFor = ({ state }: ContainerStatus, ...reasons: string[]) =>
  reasons.includes(state.waiting?.reason ?? "") ? state.waiting : undefined;
const ended = ({ state, lastState }: ContainerStatus) => state.terminated ?? lastState?.terminated;
const short = (text = "") => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

const image: Row = (status, pod, { key }, { edit }) => {
  const waiting = waitingFor(
    status,
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
  );
  const wanted = pod.spec.containers.find(({ name }) => name === status.name)?.image ?? status.image;
  return (
    waiting && {
      seen: `${waiting.reason ?? ""}: ${short(waiting.message)}`,
      means: `The node cannot get the image ${wanted}: there is no such name or tag, or the cluster may not read that registry.`,
      fix: edit(`${key}.image`),
    }
  );
};

const configuration: Row = (status, _, { key }, { edit }) => {
  const waiting = waitingFor(status, "CreateContainerConfigError", "CreateContainerError", "RunContainerError");
  return (
    waiting && {
      seen: `${waiting.reason ?? ""}: ${short(waiting.message)}`,
      means:
        "The container cannot be made: a Secret or ConfigMap that it names is not there, or its command is not in the image.",
      fix: edit(key),
    }
  );
};

const outOfMemory: Row = (status, _, { key }, { edit }) =>
  ended(status)?.reason === "OOMKilled"
    ? {
        seen: `OOMKilled, ${status.restartCount} restarts`,
        means: "It used more memory than it may have, and was ended for that.",
        fix: edit(`${key}.resources.memory`, "Raise"),
      }
    : undefined;

const crash: Row = (status, pod, { name, key }, { kubectl, edit }, now) => {
  const last = ended(status);
  // Of one that has run for a while since, the last end says nothing.
  const since = Date.parse(status.state.running?.startedAt ?? now.toISOString());
  const recent = last !== undefined && now.getTime() - since < patience * 1000;
  if (waitingFor(status, "CrashLoopBackOff") === undefined && !recent) return undefined;
  return {
    seen: `${status.state.waiting?.reason ?? "ended"}: status ${last?.exitCode ?? "?"} (${last?.reason ?? "unknown"}), ${status.restartCount} restarts`,
    means: "The program ends by itself soon after its start: its log says why.",
    fix: `${kubectl} logs ${pod.metadata.name} -c ${status.name} --previous   # then: ${edit(name === proxyName ? key : `${key}.image or ${key}.env`)}`,
  };
};

const rows: readonly Row[] = [image, configuration, outOfMemory, crash];

/** @returns what keeps pods from being ready; nothing where all are that should be */
export function troubleOf(
  deployment: Deployment,
  { pods, replicaSets, events }: Pick<Objects, "pods" | "replicaSets" | "events">,
  workload: Workload,
  ways: Ways,
  now: Date,
): Trouble | undefined {
  const { name, key } = workload;
  const own = <T extends { readonly metadata: Pod["metadata"] }>(objects: readonly T[]) =>
    objects.filter(({ metadata }) => matches(metadata.labels, deployment.spec.selector.matchLabels));
  const live = own(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const unready = live.filter((pod) => !isReady(pod));

  // What a container says is the cause; a pod that is merely not ready may be its consequence.
  for (const row of rows)
    for (const pod of unready) {
      const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
      for (const status of [...initContainerStatuses, ...containerStatuses]) {
        const trouble = status.ready ? undefined : row(status, pod, workload, ways, now);
        if (trouble) return trouble;
      }
    }
  for (const pod of unready) {
    const scheduled = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False")
      return {
        seen: `Pending: ${short(scheduled.message)}`,
        means:
          "No node has room for the pod: what it asks for is more than any node has left, or than any will ever have.",
        fix: `${ways.edit(`${key}.resources`, "Lower")}   # or give the cluster more or larger nodes (cluster.nodePools)`,
      };
    if (pod.status.phase === "Failed")
      return {
        seen: `${pod.status.reason ?? "Failed"}: ${short(pod.status.message)}`,
        means: "The node ended the pod, as it does when it runs out of disk or memory.",
        fix: `${ways.kubectl} describe pod ${pod.metadata.name}`,
      };
  }
  const refused = own(replicaSets)
    .flatMap(({ status }) => status?.conditions ?? [])
    .find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (refused !== undefined && live.length < (deployment.spec.replicas ?? 1))
    return {
      seen: `pods are refused: ${short(refused.message)}`,
      means:
        "The API server lets no pod in: a quota is used up, or the pod does not keep to the namespace's pod security.",
      fix: `${ways.kubectl} describe replicasets -l app.kubernetes.io/name=${name}`,
    };
  const pod = unready[0];
  if (pod === undefined) return undefined;
  const age = (now.getTime() - Date.parse(pod.metadata.creationTimestamp ?? now.toISOString())) / 1000;
  const said = events.findLast(
    ({ involvedObject, reason }) => involvedObject.name === pod.metadata.name && reason === "Unhealthy",
  );
  return probeTrouble(said?.message ?? "", age, pod, workload, ways);
}

function probeTrouble(message: string, age: number, pod: Pod, { key, healthPath }: Workload, ways: Ways): Trouble {
  const seen = `runs, and is not ready${message === "" ? "" : `: ${short(message.trim())}`}`;
  const passing = age < patience;
  const asked = pod.spec.containers[0]?.readinessProbe?.httpGet;
  const where = asked === undefined ? "its health by gRPC" : `${asked.path ?? "/"} on port ${asked.port}`;
  const logs = `${ways.kubectl} logs ${pod.metadata.name}`;
  // Path and port of the proxy's own check are no config: one that asks otherwise was changed by hand.
  const fix = (setting: string) =>
    key === "proxy" ? `${ways.apply}   # puts the proxy's own check back` : ways.edit(`${key}.${setting}`);
  if (/statuscode: (404|405)/.test(message))
    return {
      seen,
      passing,
      means: `It is asked for ${where}, and knows no such path: the health path is wrong${healthPath === undefined || asked?.path === healthPath ? "" : ` (the config says ${healthPath})`}.`,
      fix: fix("healthPath"),
    };
  if (/connection refused/.test(message))
    return {
      seen,
      passing,
      means: `It is asked for ${where}, and nothing listens there: the port is another, or the program has not started listening.`,
      fix: `${fix("port")}   # or see what it says: ${logs}`,
    };
  if (/statuscode: \d/.test(message))
    return {
      seen,
      passing,
      means: `It is asked for ${where}, and says itself that it cannot take requests: something that it needs may be away.`,
      fix: logs,
    };
  if (/[Tt]imeout|deadline exceeded/.test(message))
    return {
      seen,
      passing,
      means: `It is asked for ${where}, and does not answer in time: it is stuck, or has too little CPU.`,
      fix: `${logs}   # or: ${ways.edit(`${key}.resources.cpu`, "Raise")}`,
    };
  return {
    seen: passing ? `starts (${pod.status.phase})` : seen,
    passing,
    means: "The pod is there, and does not count as ready yet.",
    fix: `${ways.kubectl} describe pod ${pod.metadata.name}`,
  };
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** Whether labels have all that a selector asks for; one that asks for nothing selects nothing. */
export function matches(
  labels: Readonly<Record<string, string>> = {},
  selector: Readonly<Record<string, string>> = {},
) {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}
