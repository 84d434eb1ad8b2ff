/** What the cluster says about pods that have not started: for errors of a rollout, and for the doctor. */

/** The fields of a Pod that tell whether it has started. */
export interface StartingPod {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly StartingContainer[];
    readonly initContainerStatuses?: readonly StartingContainer[];
  };
}
interface StartingContainer {
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

export interface PodEvent {
  readonly involvedObject: { readonly name: string };
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
  { metadata, status = {} }: StartingPod,
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
  // With an init container, the others wait as well: one that fails says so itself.
  if (!isCreating || waiting.some((one) => !creating.includes(one))) return undefined;
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

/** What keeps the containers of a pod from being created. */
export const imageTroubles = ({ status = {} }: StartingPod): string[] =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].flatMap(({ state }) => {
    const { reason = "", message = "" } = state?.waiting ?? {};
    return final.includes(reason) ? [`${reason}: ${oneLine(message)}`] : [];
  });

/** The newest failure of a probe of a pod: "Startup probe failed: HTTP probe failed with statuscode: 503". */
export const probeFailure = (
  { metadata }: Pick<StartingPod, "metadata">,
  events: readonly PodEvent[],
): string | undefined =>
  events
    .findLast(({ involvedObject, reason }) => involvedObject.name === metadata.name && reason === "Unhealthy")
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
