/** What the cluster says about pods that have not started: for errors of a rollout, and for the doctor. */

import { proxyName } from "../../names/kubernetes.ts";

/** The fields of a Pod that tell whether it has started. */
export interface StartingPod {
  readonly metadata: { readonly name: string };
  readonly spec?: PodContainers;
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly StartingContainer[];
    readonly initContainerStatuses?: readonly StartingContainer[];
  };
}
interface StartingContainer {
  readonly name?: string;
  /** Of a sidecar: whether what comes after it may start. */
  readonly started?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode: number };
  };
}
/** The containers of a pod by name, as its template has them. */
export interface PodContainers {
  readonly containers?: readonly { readonly name: string; readonly image?: string }[];
  readonly initContainers?: readonly {
    readonly name: string;
    readonly image?: string;
    readonly restartPolicy?: string;
  }[];
}

export interface PodEvent {
  /** `fieldPath` of a container: `spec.initContainers{sql}` */
  readonly involvedObject: { readonly name: string; readonly fieldPath?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface NotStarted {
  /** `unscheduled`: no node has taken the pod. `creating`: its node has not created the containers. */
  readonly step: "unscheduled" | "creating";
  /** Reason of the node's newest warning, such as FailedMount. @default - there is none */
  readonly reason?: string;
  /** `Pending: 0/1 nodes are available: 1 Insufficient cpu.` or `ContainerCreating: FailedMount: …`, on one line. */
  readonly seen: string;
}

/** A container that is beside the program, or before it. */
export interface PodPart {
  readonly kind: "sidecar" | "init";
  /** `the sidecar sql`, `the init container wait` */
  readonly title: string;
  /** Below the workload's key: `.sidecars.sql`, `.init[0]`. Of the proxy's: `.metrics`. */
  readonly key: string;
  /** Whether it has the program's own image. */
  readonly ownImage: boolean;
}

/** @returns undefined for the program itself */
export function partOf(
  { containers = [], initContainers = [] }: PodContainers,
  name: string,
  workload: string,
): PodPart | undefined {
  const found = initContainers.find((each) => each.name === name);
  if (found === undefined) return undefined;
  const isSidecar = ({ restartPolicy }: { readonly restartPolicy?: string }) => restartPolicy === "Always";
  const kind = isSidecar(found) ? "sidecar" : "init";
  const index = initContainers.filter((each) => !isSidecar(each)).indexOf(found);
  const ownKey = kind === "sidecar" ? `.sidecars.${name}` : `.init[${index}]`;
  return {
    kind,
    title: kind === "sidecar" ? `the sidecar ${name}` : `the init container ${name}`,
    key: workload === proxyName ? `.${name}` : ownKey,
    ownImage: found.image === containers[0]?.image,
  };
}

/** The sidecar or init container that runs, and that all others wait for; undefined if there is none. */
export function runningFirst<Status extends StartingContainer>(
  { initContainers = [] }: PodContainers,
  statuses: readonly Status[],
): Status | undefined {
  return statuses.find(({ name, started, state }) => {
    const isSidecar = initContainers.find((each) => each.name === name)?.restartPolicy === "Always";
    return state?.running !== undefined && !(isSidecar && started === true);
  });
}

/** Waiting reasons of a container that its node has not created yet. */
const creating = ["ContainerCreating", "PodInitializing"];
/** Warnings about an earlier step, or about a container that runs. */
const ofOtherSteps = ["FailedScheduling", "Unhealthy", "BackOff"];

/**
 * Why a pod has not started; undefined if it has, or if its container says why itself.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 * @param events of the namespace, the newest last
 */
export function notStarted(
  { metadata, spec = {}, status = {} }: StartingPod,
  events: readonly PodEvent[],
): NotStarted | undefined {
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = status;
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False")
    return { step: "unscheduled", seen: `Pending: ${oneLine(scheduled.message ?? "not scheduled")}` };
  const containers = [...initContainerStatuses, ...containerStatuses];
  const waiting = containers.flatMap(({ state }) => state?.waiting?.reason ?? []);
  const isCreating =
    containers.length === 0 ? status.phase === "Pending" : waiting.some((one) => creating.includes(one));
  // With an init container, the others wait as well: one that fails says so itself, and so does one that runs.
  if (!isCreating || waiting.some((one) => !creating.includes(one))) return undefined;
  if (initContainerStatuses.some(({ state }) => state?.terminated !== undefined && state.terminated.exitCode !== 0))
    return undefined;
  if (runningFirst(spec, initContainerStatuses) !== undefined) return undefined;
  const warning = events.findLast(
    ({ involvedObject, type, reason = "" }) =>
      involvedObject.name === metadata.name && type === "Warning" && !ofOtherSteps.includes(reason),
  );
  const step = waiting[0] ?? "Pending";
  if (warning === undefined) return { step: "creating", seen: `${step}: its node has not created the containers yet` };
  const { reason = "", message = "" } = warning;
  return { step: "creating", reason, seen: `${step}: ${reason}: ${oneLine(message)}` };
}

/** Waiting reasons that do not go away by waiting. https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go */
export const final = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
];

/** What keeps the containers of a pod from being created, with the name of each. */
export const imageTroubles = ({ status = {} }: StartingPod): { readonly name: string; readonly seen: string }[] =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].flatMap(({ name = "", state }) => {
    const { reason = "", message = "" } = state?.waiting ?? {};
    return final.includes(reason) ? [{ name, seen: `${reason}: ${oneLine(message)}` }] : [];
  });

/**
 * The newest failure of a probe of a pod: "Startup probe failed: HTTP probe failed with statuscode: 503".
 * @param container of which one. @default - any of them
 */
export const probeFailure = (
  { metadata }: Pick<StartingPod, "metadata">,
  events: readonly PodEvent[],
  container?: string,
): string | undefined =>
  events
    .findLast(
      ({ involvedObject: { name, fieldPath }, reason }) =>
        name === metadata.name &&
        reason === "Unhealthy" &&
        (container === undefined || (fieldPath?.endsWith(`{${container}}`) ?? true)),
    )
    ?.message?.trim();

/** At most `limit` characters on one line, with control and formatting characters as escapes: for a terminal. */
export function oneLine(text: string, limit = 300): string {
  const escaped = text
    .trim()
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .replaceAll(
      /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
      (character) => `\\u${character.codePointAt(0)?.toString(16).padStart(4, "0") ?? ""}`,
    );
  return escaped.length > limit ? `${escaped.slice(0, limit - 1)}…` : escaped;
}
