/** Waits for rollouts to complete. Fails with the reason as soon as it is certain that one cannot complete. */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, kubectlObjects, type LiveObject, type KubectlTarget } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";
import { proxyName } from "../../names/kubernetes.ts";
import {
  bounded,
  containersOf,
  culpritOf,
  specOf,
  startOf,
  stateOf,
  type ContainerStatus,
  type Culprit,
} from "./podContainers.ts";
import { final, notStarted, oneLine, partOf, probeFailure, type NotStarted, type PodEvent } from "./podStates.ts";

export interface RolloutOptions {
  /** Folders that images are built from, by service; for the error's fix. @default - none */
  readonly builds?: Readonly<Record<string, string>>;
  /** Poll interval in milliseconds. @default 500 */
  readonly pause?: number;
  /** How long a rollout may look stuck: on a retry, a registry may have the image. Milliseconds. @default 12000 */
  readonly patience?: number;
}

/**
 * Waits for all Deployments at once. `kubectl rollout status` takes a quarter of a second for each, one after another:
 * minutes for a thousand that have completed long ago.
 * @param seconds timeout, after which a rollout counts as failed
 * @throws Problem with what the cluster reports about the pods
 */
export async function rollouts(
  target: KubectlTarget,
  namespace: string,
  deployments: readonly string[],
  seconds: number,
  { builds = {}, pause = 500, patience = 12_000 }: RolloutOptions = {},
): Promise<void> {
  const started = Date.now();
  const end = started + seconds * 1000;
  const stuckSince = new Map<string, number>();
  const earlierRestarts = new Map<string, number>();
  let pending = deployments;
  while (pending.length > 0) {
    const began = Date.now();
    try {
      const releases = await releasesOf(target, namespace, pending);
      const done = new Set(releases.flatMap(({ name, deployment }) => (isRolledOut(deployment) ? name : [])));
      pending = pending.filter((name) => !done.has(name));
      const waited = releases.filter(({ name }) => !done.has(name));
      for (const pod of waited.flatMap(({ pods }) => pods))
        if (!earlierRestarts.has(pod.metadata.name))
          earlierRestarts.set(pod.metadata.name, restartsBefore(pod, started));
      let events: Promise<PodEvent[]> | undefined;
      const warned = () => (events ??= warnings(target, namespace));
      const cause = async (name: string): Promise<Cause> => {
        const release = waited.find((each) => each.name === name);
        return {
          name,
          builds,
          serving: release === undefined ? "none" : servingOf(release),
          reasons: release === undefined ? ["there is no such Deployment"] : reasonsOf(release, await warned()),
          ...(await culpritOf(target, namespace, name, release?.pods ?? [])),
          obstacle: obstacleOf(release),
        };
      };
      for (const release of waited) {
        const { name } = release;
        if (!(await isCertain(release, patience, warned, earlierRestarts))) stuckSince.delete(name);
        else if (!stuckSince.has(name)) stuckSince.set(name, Date.now());
      }
      const isStuck = (since: number) => Date.now() - since >= patience;
      if ([...stuckSince.values()].some(isStuck)) {
        // Those that look stuck since a moment ago would be the next error.
        const stuck = pending.filter((name) => stuckSince.has(name));
        throw failure("cannot complete", await causesOf(stuck, cause), stuck.length);
      }
      if (pending.length > 0 && Date.now() > end)
        throw failure(`did not complete within ${seconds} s`, await causesOf(pending, cause), pending.length);
    } catch (error) {
      // An API server that is briefly unavailable is not a failed rollout.
      if (!(error instanceof CommandError) || Date.now() > end) throw error;
    }
    // With a thousand Deployments, the poll itself takes a second.
    if (pending.length > 0) await sleep(Math.max(pause, Date.now() - began));
  }
}

/** Why a rollout fails, for its error. */
interface Cause extends Culprit {
  /** The Deployment. */
  readonly name: string;
  readonly builds: Readonly<Record<string, string>>;
  /** Which pods answer requests meanwhile. */
  readonly serving: "previous" | "some" | "none";
  /** One line for each thing that the cluster reports. */
  readonly reasons: readonly string[];
  /** What keeps pods from being created or started, other than the service's own config. @default - nothing */
  readonly obstacle: "deleted" | "refused" | "cordoned" | "no room" | undefined;
}

/** How many rollouts an error explains; of the others it counts. */
const mostExplained = 5;

const causesOf = (names: readonly string[], cause: (name: string) => Promise<Cause>): Promise<Cause[]> =>
  Promise.all(names.slice(0, mostExplained).map(cause));

const servingTexts: Readonly<Record<Cause["serving"], string>> = {
  previous: "the previous release still serves",
  some: "some of its pods serve",
  none: "none of its pods serves",
};

/** @param what happened to the rollouts @param count of the rollouts, of which some may have no cause here */
function failure(what: string, causes: readonly Cause[], count: number): Problem {
  const fixes = causes.map(fixOf).join("; ");
  const fix = `${fixes.charAt(0).toUpperCase()}${fixes.slice(1)} and run this again.`;
  const [first] = causes;
  if (count === 1 && first !== undefined)
    return new Problem(
      `The rollout of ${first.name} ${what}; ${servingTexts[first.serving]}.\n  ${linesOf(first).join("\n  ")}`,
      fix,
    );
  const parts = causes.flatMap((cause) => [
    `${cause.name}: ${servingTexts[cause.serving]}`,
    ...linesOf(cause).map((line) => `  ${line}`),
  ]);
  const others = count > causes.length ? [`and ${count - causes.length} others`] : [];
  return new Problem(`${count} rollouts ${what}:\n  ${[...parts, ...others].join("\n  ")}`, fix);
}

const linesOf = ({ reasons, part, log }: Cause): string[] => {
  if (log === undefined) return [...reasons];
  const of = part === undefined ? "" : ` of ${part.title}`;
  if (log.length === 0) return [...reasons, part === undefined ? "its log is empty" : `the log${of} is empty`];
  const title = part === undefined ? "its last log lines:" : `the last log lines${of}:`;
  return [...reasons, title, ...log.map((line) => `  ${line}`)];
};

/** What fixes it, as the start of a sentence in lower case. */
function fixOf({ name, builds, part, crashes, obstacle }: Cause): string {
  const workload = name === proxyName ? "proxy" : `services.${name}`;
  const key = `${workload}${part?.key ?? ""}`;
  const folder = crashes === true && part?.ownImage !== false ? builds[name] : undefined;
  if (folder !== undefined)
    return `fix the program in ${folder}, which the image of ${name} is built from, or ${key} in the stack's config,`;
  switch (obstacle) {
    case "deleted":
      return `find out who deletes the Deployment ${name},`;
    case "refused":
      return `raise the quota that it names, or fix ${key} in the stack's config,`;
    case "cordoned":
      return "uncordon a node (kubectl get nodes shows those with SchedulingDisabled), or wait for its upgrade,";
    case "no room":
      return `lower ${workload}.resources in the stack's config, or give the cluster more room,`;
    default:
      return part?.kind === "init" && crashes === false
        ? `fix ${key} in the stack's config, or what it waits for,`
        : `fix ${key} in the stack's config`;
  }
}

function obstacleOf(release: Release | undefined): Cause["obstacle"] {
  if (release === undefined) return "deleted";
  if (refusals(release.set).length > 0) return "refused";
  const unscheduled = release.pods.flatMap((pod) => notStarted(startOf(pod), []) ?? []).filter(isUnscheduled);
  if (unscheduled.length === 0) return undefined;
  return unscheduled.every(isCordoned) ? "cordoned" : "no room";
}

const isUnscheduled = ({ step }: NotStarted): boolean => step === "unscheduled";
/** Whether a pod waits for a node that takes new pods, and not for room on one. */
const isCordoned = ({ seen }: NotStarted): boolean =>
  seen.includes("were unschedulable") && !seen.includes("Insufficient");

/** Available pods that are not of the newest revision are of the one before. */
function servingOf({ deployment, pods }: Release): Cause["serving"] {
  const { availableReplicas = 0 } = (deployment["status"] ?? {}) as { availableReplicas?: number };
  const ready = pods.filter((pod) => {
    const { conditions = [] } = (pod["status"] ?? {}) as { conditions?: { type: string; status: string }[] };
    return conditions.some(({ type, status }) => type === "Ready" && status === "True");
  });
  if (availableReplicas > ready.length) return "previous";
  return ready.length > 0 ? "some" : "none";
}

/** The same conditions as kubectl's: https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go */
export function isRolledOut({ metadata, ...object }: LiveObject): boolean {
  const { replicas = 1 } = object["spec"] as { replicas?: number };
  const status = (object["status"] ?? {}) as Record<string, number | undefined>;
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return (
    observedGeneration >= Number(metadata["generation"]) &&
    updatedReplicas >= replicas &&
    (status["replicas"] ?? 0) <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}

/** A Deployment with the ReplicaSet and pods of its newest revision. Older pods may fail too, but are about to be deleted. */
interface Release {
  readonly name: string;
  readonly deployment: LiveObject;
  readonly set: LiveObject | undefined;
  readonly pods: readonly LiveObject[];
}

async function releasesOf(
  target: KubectlTarget,
  namespace: string,
  deployments: readonly string[],
): Promise<Release[]> {
  const all = await kubectlObjects(target, ["get", "deployments.apps,replicasets.apps,pods", "-n", namespace, bounded]);
  const revision = (object: LiveObject) => object.metadata.annotations?.["deployment.kubernetes.io/revision"];
  const owned = Map.groupBy(
    all,
    ({ metadata }) => (metadata["ownerReferences"] as { uid: string }[] | undefined)?.[0]?.uid,
  );
  const ownedBy = (owner: LiveObject | undefined) => owned.get(owner?.metadata["uid"] as string | undefined) ?? [];
  const names = new Set(deployments);
  return all
    .filter(({ kind, metadata }) => kind === "Deployment" && names.has(metadata.name))
    .map((deployment) => {
      const { observedGeneration } = (deployment["status"] ?? {}) as { observedGeneration?: number };
      const isSeen = observedGeneration === deployment.metadata["generation"];
      const set = isSeen ? ownedBy(deployment).find((each) => revision(each) === revision(deployment)) : undefined;
      return { name: deployment.metadata.name, deployment, set, pods: set === undefined ? [] : ownedBy(set) };
    });
}

/** Whether no pod of the release can become ready. A pod that only starts slowly does not count. */
async function isCertain(
  { set, pods }: Release,
  patience: number,
  warned: () => Promise<readonly PodEvent[]>,
  earlierRestarts: ReadonlyMap<string, number>,
): Promise<boolean> {
  if (refusals(set).length > 0) return true;
  const containers = pods.flatMap(containersOf);
  const isFinal = (pod: LiveObject) =>
    containersOf(pod).some(
      ({ state: { waiting }, restartCount }) =>
        waiting !== undefined &&
        (final.includes(waiting.reason) ||
          (waiting.reason === "CrashLoopBackOff" && restartCount - (earlierRestarts.get(pod.metadata.name) ?? 0) >= 2)),
    );
  if (pods.some(isFinal)) return true;
  const runsFor = ({ state }: ContainerStatus) => Date.now() - Date.parse(state.running?.startedAt ?? "");
  if (!containers.some((container) => runsFor(container) > patience)) return false;
  // A starting service refuses connections or answers 503. A 4xx such as 404 means that the health path is wrong.
  const events = await warned();
  return pods.some((pod) => /statuscode: 4(?!29)\d\d/.test(probeFailure(pod, events) ?? ""));
}

/** A node that starts again restarts its containers: those of a pod from before this rollout say nothing about it. */
function restartsBefore(pod: LiveObject, started: number): number {
  const isOlder = Date.parse(String(pod.metadata["creationTimestamp"])) < started - 60_000;
  return isOlder ? Math.max(0, ...containersOf(pod).map(({ restartCount }) => restartCount)) : 0;
}

const refusals = (set: LiveObject | undefined): string[] =>
  (
    (set?.["status"] as { conditions?: { type: string; status: string; message: string }[] } | undefined)?.conditions ??
    []
  )
    .filter(({ type, status }) => type === "ReplicaFailure" && status === "True")
    .map(({ message }) => message);

/** Warnings about the objects of the namespace, from kubelet and the scheduler; the newest last. */
async function warnings(target: KubectlTarget, namespace: string): Promise<PodEvent[]> {
  const all = ["get", "events", "-n", namespace, bounded, "--field-selector=type=Warning", "--sort-by=.lastTimestamp"];
  return (await kubectlObjects(target, all)) as unknown as PodEvent[];
}

function reasonsOf({ set, pods }: Release, events: readonly PodEvent[]): string[] {
  const waiting = pods.flatMap((pod) => {
    const start = notStarted(startOf(pod), events);
    if (start !== undefined) return [`pod ${pod.metadata.name}: ${start.seen}`];
    return containersOf(pod).map(({ name, state, lastState, restartCount }) => {
      const last = lastState?.terminated
        ? `last exited with status ${lastState.terminated.exitCode} (${lastState.terminated.reason})${startFailure(lastState.terminated)}`
        : undefined;
      const part = partOf(specOf(pod), name, "");
      const title = part === undefined ? "" : `${part.title}: `;
      const now = stateOf(state, part, probeFailure(pod, events, name));
      return `pod ${pod.metadata.name}: ${title}${[now, last, restartCount > 0 ? `${restartCount} restarts` : undefined].filter(Boolean).join("; ")}`;
    });
  });
  const all = [...new Set([...waiting, ...refusals(set)])];
  return all.length > 0 ? all : ["no pod of it has been created yet"];
}

/** What the container's runtime says of a program that it could not start, such as a command that is not in the image. */
const startFailure = ({ reason, message = "" }: { readonly reason: string; readonly message?: string }): string =>
  ["StartError", "ContainerCannotRun"].includes(reason) ? `: ${oneLine(message)}` : "";
