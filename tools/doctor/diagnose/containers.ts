/** Why a container does not run, from what kubelet reports of it. */
import type { ContainerStatus, Event, Pod } from "../gather/objects.ts";
import { proxyName } from "../../../names/kubernetes.ts";
import { probeFailure } from "../../apply/podStates.ts";
import { healthTrouble } from "./health.ts";
import {
  imageOf,
  patience,
  restore,
  short,
  titled,
  workloadOf,
  type Remedies,
  type Trouble,
  type Workload,
} from "./trouble.ts";

interface Seen {
  readonly status: ContainerStatus;
  readonly pod: Pod;
  readonly workload: Workload;
  readonly remedies: Remedies;
  /** The newest last. */
  readonly events: readonly Event[];
  readonly now: Date;
}
type Check = (seen: Seen) => Trouble | undefined;

const waitingFor = ({ state }: ContainerStatus, ...reasons: string[]) =>
  reasons.includes(state.waiting?.reason ?? "") ? state.waiting : undefined;
const ended = ({ state, lastState }: ContainerStatus) => state.terminated ?? lastState?.terminated;

/** What the registry's or the runtime's message says about an image that cannot be pulled. */
const pullFailures: readonly (readonly [RegExp, string])[] = [
  [/no match for platform|does not match the specified platform/, "it is not built for the processors of the node"],
  [
    /unauthorized|denied|forbidden|\b40[13]\b|authentication required/i,
    "the registry does not let the cluster read it (docs/add-a-service.md, images in a private registry)",
  ],
  [/x509|certificate/, "the node does not trust the registry's certificate"],
  [
    /no such host|server misbehaving|i\/o timeout|connection refused|network is unreachable/,
    "the node does not reach the registry",
  ],
  [/too many requests|\b429\b/i, "the registry limits how often the node may pull"],
  [/no space left/, "the node's disk is full"],
];

const containerOf = ({ spec: { containers, initContainers = [] } }: Pod, name: string) =>
  [...containers, ...initContainers].find((container) => container.name === name);

const image: Check = ({ status, pod, workload, remedies }) => {
  const waiting = waitingFor(
    status,
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
  );
  if (waiting === undefined) return undefined;
  const reference = containerOf(pod, status.name)?.image ?? status.image;
  const why =
    waiting.reason === "InvalidImageName"
      ? "it is no name of an image"
      : pullFailures.find(([pattern]) => pattern.test(waiting.message ?? ""))?.[1];
  return {
    seen: `${waiting.reason ?? ""}: ${short(waiting.message)}`,
    means: `The node cannot pull the image ${reference}: ${why ?? "the name or tag does not exist, or the cluster has no access to the registry"}.`,
    fix:
      workload.folder === undefined ? remedies.edit(imageOf(workload)) : restore(remedies, "the image that is built"),
  };
};

/** Why the runtime cannot create or start a container: what it says, what that means, and the fix. */
const creationFailures: readonly (readonly [RegExp, string, (workload: Workload, remedies: Remedies) => string])[] = [
  [
    // A container that ran before may say it here, instead of as a failed pull.
    /InvalidImageName|invalid reference format|couldn't parse image/,
    "The container cannot be created: the image's reference is no name of an image.",
    (workload, remedies) =>
      workload.folder === undefined ? remedies.edit(imageOf(workload)) : restore(remedies, "the image that is built"),
  ],
  [
    /secret "|configmap "|couldn't find key/i,
    "The container cannot be created: a Secret or ConfigMap that it uses does not exist, or lacks a key.",
    (_, remedies) => restore(remedies, "what the stack created"),
  ],
  [
    /runAsNonRoot|will run as root|non-numeric user/,
    "The container cannot be created: its image runs as root, which the cluster forbids.",
    (workload, { edit }) => edit(imageOf(workload)),
  ],
  [
    /executable file not found|no such file or directory|permission denied|exec format error/,
    "The container cannot be started: its command is not in the image, is not executable, or is for another processor.",
    (workload, { edit }) => edit(workload.hasCommand === true ? `${workload.key}.command` : imageOf(workload)),
  ],
];

const creation: Check = ({ status, workload, remedies }) => {
  const waiting = waitingFor(status, "CreateContainerConfigError", "CreateContainerError", "RunContainerError");
  const last = ended(status);
  // It never ran, so that it has neither an exit status of its own nor a log.
  const unstarted = ["StartError", "ContainerCannotRun"].includes(last?.reason ?? "") ? last : undefined;
  const found = waiting ?? unstarted;
  if (found === undefined) return undefined;
  const message = found.message ?? "";
  const [, means, fix] = creationFailures.find(([pattern]) => pattern.test(message)) ?? [
    undefined,
    "The container cannot be created.",
    ({ key }: Workload, { edit }: Remedies) => edit(key),
  ];
  return { seen: `${found.reason ?? ""}: ${short(message)}`, means, fix: fix(workload, remedies) };
};

const outOfMemory: Check = ({ status, workload: { key }, remedies }) =>
  ended(status)?.reason === "OOMKilled"
    ? {
        seen: `OOMKilled, ${status.restartCount} restarts`,
        means: "It was killed because it used more memory than its limit.",
        fix: remedies.edit(`${key}.resources.memory`, "Raise"),
      }
    : undefined;

/**
 * Kubelet restarts a container whose startup or liveness probe fails. Its exit status then says nothing about the program.
 * The event: https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/kuberuntime_container.go
 */
const restarted: Check = ({ status, pod, workload, remedies, events, now }) => {
  if (status.restartCount === 0) return undefined;
  const killing = events.findLast(
    ({ involvedObject, reason, message }) =>
      reason === "Killing" && involvedObject.name === pod.metadata.name && message.includes(`ontainer ${status.name} `),
  );
  const [, probe] = /failed (startup|liveness) probe/.exec(killing?.message ?? "") ?? [];
  if (probe === undefined || !isRecent(status, workload, now)) return undefined;
  const seen = `restarted ${status.restartCount} times, because its ${probe} probe failed`;
  const message = probeFailure(pod, events, status.name) ?? "";
  if (probe === "startup") {
    const container = containerOf(pod, status.name);
    const { means, fix } = healthTrouble(message, Infinity, pod, workload, remedies, container);
    return {
      seen: message === "" ? seen : `${seen}: ${short(message)}`,
      means: `It did not pass its health check within ${startSeconds(pod, status.name)} s. ${means}`,
      fix,
    };
  }
  return {
    seen,
    means: "It ran, and then accepted no more connections: the program is stuck, or has too little CPU or memory.",
    fix: `${remedies.kubectl} logs ${pod.metadata.name} -c ${status.name} --previous`,
  };
};

/** How long a container may take to pass its startup probe. */
function startSeconds(pod: Pod, name: string): number {
  const { periodSeconds = 10, failureThreshold = 3 } = containerOf(pod, name)?.startupProbe ?? {};
  return periodSeconds * failureThreshold;
}

/** If it has run for a while since, its last exit does not matter. */
const isRecent = ({ state }: ContainerStatus, workload: Workload, now: Date): boolean =>
  state.running === undefined ||
  now.getTime() - Date.parse(state.running.startedAt ?? now.toISOString()) < patience(workload) * 1000;

const crash: Check = ({ status, pod, workload, remedies: { kubectl, edit }, now }) => {
  const { name, key } = workload;
  const last = ended(status);
  const recent = last !== undefined && isRecent(status, workload, now);
  if (waitingFor(status, "CrashLoopBackOff") === undefined && !recent) return undefined;
  return {
    seen: `${status.state.waiting?.reason ?? "ended"}: status ${last?.exitCode ?? "?"} (${last?.reason ?? "unknown"}), ${status.restartCount} restarts`,
    means: crashMeans(workload.part?.kind, last?.exitCode),
    fix: `${kubectl} logs ${pod.metadata.name} -c ${status.name} --previous   # then: ${edit(name === proxyName ? key : `${imageOf(workload)} or ${key}.env`)}`,
  };
};

function crashMeans(kind: "sidecar" | "init" | undefined, exitCode: number | undefined): string {
  if (kind === "init")
    return "It fails, and the program starts only when it has ended with 0. See its log for the reason.";
  if (exitCode !== 0) return "The program exits soon after its start. See its log for the reason.";
  return `The program ends by itself, without an error. A ${kind ?? "service"} must run until it is stopped.`;
}

const checks: readonly Check[] = [image, creation, outOfMemory, restarted, crash];

/** Why the containers of a pod that is not ready do not run; undefined if none says so. */
export const containerTrouble = (
  pods: readonly Pod[],
  events: readonly Event[],
  of: Pick<Seen, "workload" | "remedies" | "now">,
): Trouble | undefined => {
  for (const check of checks)
    for (const pod of pods)
      for (const status of containersOf(pod, events)) {
        const workload = workloadOf(of.workload, pod, status.name);
        const trouble = status.ready ? undefined : check({ ...of, workload, status, pod, events });
        if (trouble) return titled(workload, trouble);
      }
  return undefined;
};

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
  const reported = [...initContainerStatuses, ...containerStatuses];
  const unreported = [...(spec.initContainers ?? []), ...spec.containers]
    .filter(({ name }) => !reported.some((one) => one.name === name))
    .map(({ name, image }) => ({ name, image, ready: false, restartCount: 0, state: {} }));
  return [...reported, ...unreported].map((container) => {
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
