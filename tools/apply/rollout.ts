/** Waits for rollouts, and says why one does not come to its end as soon as that is certain. */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, kubectlObjects, type LiveObject, type KubectlTarget } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";
import { proxyName } from "../../names/kubernetes.ts";

/** Milliseconds between looks, and for how long something may look hopeless: a registry that is asked again may know the image. */
const usualPace = { pause: 500, patience: 12_000 };

/** No look hangs on an API server that takes connections and does not answer. */
const bounded = "--request-timeout=30s";

/**
 * All of them at once: `kubectl rollout status` goes from one to the next, a quarter of a second each, which is minutes for a
 * thousand that are long there.
 * @param seconds after which a rollout counts as failed, where nothing certain was seen before
 * @throws Problem with what the cluster says of the pods
 */
export async function rollouts(
  target: KubectlTarget,
  namespace: string,
  deployments: readonly string[],
  seconds: number,
  { pause, patience } = usualPace,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  const stuckSince = new Map<string, number>();
  let left = deployments;
  while (left.length > 0) {
    const began = Date.now();
    try {
      const releases = await look(target, namespace, left);
      const done = new Set(releases.flatMap(({ name, deployment }) => (isRolledOut(deployment) ? name : [])));
      left = left.filter((name) => !done.has(name));
      const waited = releases.filter(({ name }) => !done.has(name));
      let probes: ReturnType<typeof probeFailures> | undefined;
      const probed = () => (probes ??= probeFailures(target, namespace));
      for (const release of waited) {
        const { name } = release;
        if (!(await isCertain(release, patience, probed))) stuckSince.delete(name);
        else if (!stuckSince.has(name)) stuckSince.set(name, Date.now());
        else if (Date.now() - (stuckSince.get(name) ?? 0) >= patience)
          throw failure(`The rollout of ${name} cannot finish`, name, reasonsOf(release, await probed()));
      }
      if (left.length > 0 && Date.now() > end) throw unfinished(left, waited[0], await probed(), seconds);
    } catch (error) {
      // An API server that is away for a moment says nothing of a rollout.
      if (!(error instanceof CommandError) || Date.now() > end) throw error;
    }
    // Of a thousand, a look itself takes a second.
    if (left.length > 0) await sleep(Math.max(pause, Date.now() - began));
  }
}

function unfinished(
  left: readonly string[],
  release: Release | undefined,
  probes: ReadonlyMap<string, string>,
  seconds: number,
): Problem {
  const name = release?.name ?? left[0] ?? "";
  const others = left.length === 1 ? "" : `, nor those of ${left.length - 1} others,`;
  const reasons = release === undefined ? ["there is no such Deployment"] : reasonsOf(release, probes);
  return failure(`The rollout of ${name}${others} did not finish in ${seconds} s`, name, reasons);
}

const failure = (what: string, name: string, reasons: readonly string[]) =>
  new Problem(
    `${what}; the release before it still serves.\n  ${reasons.join("\n  ")}`,
    `Fix ${name === proxyName ? "proxy" : `services.${name}`} in the stack's config and run this again.`,
  );

/** As kubectl sees it: https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go */
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

/** A Deployment with its newest release. What is left of older ones may be broken as well, and is about to go. */
interface Release {
  readonly name: string;
  readonly deployment: LiveObject;
  readonly set: LiveObject | undefined;
  readonly pods: readonly LiveObject[];
}

async function look(target: KubectlTarget, namespace: string, deployments: readonly string[]): Promise<Release[]> {
  const all = await kubectlObjects(target, ["get", "deployments.apps,replicasets.apps,pods", "-n", namespace, bounded]);
  const revision = (object: LiveObject) => object.metadata.annotations?.["deployment.kubernetes.io/revision"];
  const owned = Map.groupBy(
    all,
    ({ metadata }) => (metadata["ownerReferences"] as { uid: string }[] | undefined)?.[0]?.uid,
  );
  const ownedBy = (owner: LiveObject | undefined) => owned.get(owner?.metadata["uid"] as string | undefined) ?? [];
  const wanted = new Set(deployments);
  return all
    .filter(({ kind, metadata }) => kind === "Deployment" && wanted.has(metadata.name))
    .map((deployment) => {
      const { observedGeneration } = (deployment["status"] ?? {}) as { observedGeneration?: number };
      const isSeen = observedGeneration === deployment.metadata["generation"];
      const set = isSeen ? ownedBy(deployment).find((each) => revision(each) === revision(deployment)) : undefined;
      return { name: deployment.metadata.name, deployment, set, pods: set === undefined ? [] : ownedBy(set) };
    });
}

interface ContainerStatus {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly running?: { readonly startedAt: string };
  };
  readonly lastState?: { readonly terminated?: { readonly reason: string; readonly exitCode: number } };
}

const containersOf = (pod: LiveObject) =>
  ((pod["status"] as { containerStatuses?: ContainerStatus[] } | undefined)?.containerStatuses ?? []).filter(
    ({ ready }) => !ready,
  );

/** Reasons that waiting does not change. https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go */
const final = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
];

/** Whether no pod of the release will be ready, as far as can be known. One that only starts slowly says nothing certain. */
async function isCertain(
  { set, pods }: Release,
  patience: number,
  probed: () => Promise<ReadonlyMap<string, string>>,
): Promise<boolean> {
  if (refusals(set).length > 0) return true;
  const containers = pods.flatMap(containersOf);
  const isFinal = ({ state: { waiting }, restartCount }: ContainerStatus) =>
    waiting !== undefined &&
    (final.includes(waiting.reason) || (waiting.reason === "CrashLoopBackOff" && restartCount >= 2));
  if (containers.some(isFinal)) return true;
  const runsFor = ({ state }: ContainerStatus) => Date.now() - Date.parse(state.running?.startedAt ?? "");
  if (!containers.some((container) => runsFor(container) > patience)) return false;
  // A service that starts refuses connections or says 503; that there is no such path is another matter.
  const probes = await probed();
  return pods.some((pod) => /statuscode: 4(?!29)\d\d/.test(probes.get(pod.metadata.name) ?? ""));
}

const refusals = (set: LiveObject | undefined): string[] =>
  (
    (set?.["status"] as { conditions?: { type: string; status: string; message: string }[] } | undefined)?.conditions ??
    []
  )
    .filter(({ type, status }) => type === "ReplicaFailure" && status === "True")
    .map(({ message }) => message);

/** By a pod's name, the last of kubelet's events such as "Startup probe failed: HTTP probe failed with statuscode: 503". */
async function probeFailures(target: KubectlTarget, namespace: string): Promise<ReadonlyMap<string, string>> {
  const unhealthy = [
    "get",
    "events",
    "-n",
    namespace,
    bounded,
    "--field-selector=reason=Unhealthy",
    "--sort-by=.lastTimestamp",
  ];
  const events = (await kubectlObjects(target, unhealthy)) as unknown as {
    involvedObject: { name: string };
    message: string;
  }[];
  return new Map(events.map(({ involvedObject, message }) => [involvedObject.name, message.trim()]));
}

function reasonsOf({ set, pods }: Release, probes: ReadonlyMap<string, string>): string[] {
  const waiting = pods.flatMap((pod) =>
    containersOf(pod).map(({ state, lastState, restartCount }) => {
      const last = lastState?.terminated
        ? `last ended with status ${lastState.terminated.exitCode} (${lastState.terminated.reason})`
        : undefined;
      const probe = probes.get(pod.metadata.name);
      const now = state.waiting
        ? `${state.waiting.reason}: ${state.waiting.message ?? ""}`
        : `runs, but does not answer as healthy${probe === undefined ? "" : ` (${probe})`}`;
      return `pod ${pod.metadata.name}: ${[now, last, restartCount > 0 ? `${restartCount} restarts` : undefined].filter(Boolean).join("; ")}`;
    }),
  );
  return [...new Set([...waiting, ...refusals(set)])];
}
