/** The containers of a rollout's pods, sidecars and init containers among them: which fails, and what its log says. */
import { CommandError, kubectl, type KubectlTarget, type LiveObject } from "../cli/kubectl.ts";
import { oneLine, partOf, runningFirst, type PodPart, type StartingPod } from "./podStates.ts";

/** Keeps a poll from hanging on an API server that accepts connections but does not answer. */
export const bounded = "--request-timeout=30s";

export const startOf = (pod: LiveObject) => pod as unknown as StartingPod;

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly started?: boolean;
  readonly state: {
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly running?: { readonly startedAt: string };
    readonly terminated?: Ended;
  };
  readonly lastState?: { readonly terminated?: Ended };
}
export interface Ended {
  readonly reason: string;
  readonly exitCode: number;
  readonly message?: string;
}
interface PodStatus {
  readonly containerStatuses?: ContainerStatus[];
  readonly initContainerStatuses?: ContainerStatus[];
}

/** The states of a pod's sidecars and init containers, and those of its program. */
export function statusesOf(pod: LiveObject): { readonly before: ContainerStatus[]; readonly own: ContainerStatus[] } {
  const { containerStatuses = [], initContainerStatuses = [] } = (pod["status"] ?? {}) as PodStatus;
  return { before: initContainerStatuses, own: containerStatuses };
}

/** The containers that are not ready, without those that wait for others of them. */
export function containersOf(pod: LiveObject): ContainerStatus[] {
  const { before, own } = statusesOf(pod);
  const unready = [...before, ...own].filter(({ ready }) => !ready);
  const first = unready.filter(({ state }) => state.waiting?.reason !== "PodInitializing");
  return first.length > 0 ? first : unready;
}

export const specOf = (pod: LiveObject) => startOf(pod).spec ?? {};

/** What a container does, on one line. @param probe the newest failure of its probes */
export function stateOf(
  { waiting, terminated }: ContainerStatus["state"],
  part: PodPart | undefined,
  probe?: string,
): string {
  if (waiting !== undefined) return `${waiting.reason}: ${oneLine(waiting.message ?? "")}`;
  if (terminated !== undefined) return `ended with status ${terminated.exitCode} (${terminated.reason})`;
  if (part?.kind === "init") return "running, and the program waits for its end";
  return `running, but not ready${probe === undefined ? "" : ` (${oneLine(probe)})`}`;
}

/** How many lines of a crashed container's log an error shows. Node's message is in front of a stack trace of 10. */
const logLines = 20;

/** The container that keeps a pod from being ready, as far as one does by itself. */
export interface Culprit {
  /** The sidecar or init container. @default - the program, or none by itself */
  readonly part?: PodPart | undefined;
  /** The last lines of it, if it crashes, or if the program waits for its end. @default - there is none */
  readonly log?: readonly string[];
  /** Whether it crashes. */
  readonly crashes?: boolean;
}

/** The first container that crashes, else an init container that the program waits for, else a sidecar that is not ready. */
export async function culpritOf(
  target: KubectlTarget,
  namespace: string,
  workload: string,
  pods: readonly LiveObject[],
): Promise<Culprit> {
  const all = pods.flatMap((pod) => containersOf(pod).map((status) => ({ pod, status })));
  const found =
    all.find(({ pod, status }) => crashes(pod, status)) ??
    all.find(({ pod, status }) => isFirst(pod, status)) ??
    all.find(({ pod, status }) => partIn(pod, status, workload) !== undefined && !isBeingCreated(status));
  if (found === undefined) return {};
  const { pod, status } = found;
  const part = partIn(pod, status, workload);
  const isCrash = crashes(pod, status);
  if (!isCrash && !isFirst(pod, status)) return { part };
  const log = await logOf(target, namespace, pod, status);
  return log === undefined ? { part } : { part, crashes: isCrash, log };
}

/** The last lines of a container's log: of the run before, if it waits. Undefined if its node has removed it. */
export async function logOf(
  target: KubectlTarget,
  namespace: string,
  pod: LiveObject,
  { name, state }: Pick<ContainerStatus, "name" | "state">,
): Promise<string[] | undefined> {
  const of = ["logs", pod.metadata.name, "-c", name, "-n", namespace, `--tail=${logLines}`, bounded];
  const previous = state.waiting === undefined ? [] : ["--previous"];
  try {
    return linesOf(await kubectl(target, [...of, ...previous], { confidential: true }));
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** The last lines of a text, without empty ones, for a terminal. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .flatMap((line) => (line.trim() === "" ? [] : oneLine(line.trimEnd(), 200)))
    .slice(-logLines);

const partIn = (pod: LiveObject, { name }: ContainerStatus, workload: string) => partOf(specOf(pod), name, workload);

const isBeingCreated = ({ state }: ContainerStatus) =>
  ["PodInitializing", "ContainerCreating"].includes(state.waiting?.reason ?? "");

function crashes(pod: LiveObject, status: ContainerStatus): boolean {
  const { waiting, terminated } = status.state;
  return waiting?.reason === "CrashLoopBackOff" || (terminated !== undefined && partIn(pod, status, "") !== undefined);
}

/** An init container that runs, while all others wait for its end. */
function isFirst(pod: LiveObject, status: ContainerStatus): boolean {
  const first = runningFirst(specOf(pod), statusesOf(pod).before);
  return first?.name === status.name && partIn(pod, status, "")?.kind === "init";
}
