/** Waits for rollouts, and says why one does not come to its end as soon as that is certain. */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, kubectl, kubectlObjects, type LiveObject, type Place } from "./kubectl.ts";
import { Problem } from "./problem.ts";

/** Milliseconds between looks, and for how long something may look hopeless: a registry that is asked again may know the image. */
const usualPace = { pause: 2000, patience: 12_000 };

/**
 * @param seconds after which a rollout counts as failed, where nothing certain was seen before
 * @throws Problem with what the cluster says of the pods
 */
export async function rollouts(
  place: Place,
  namespace: string,
  deployments: readonly string[],
  seconds: number,
  pace = usualPace,
): Promise<void> {
  if (deployments.length === 0) return;
  const ended = new AbortController();
  const limit = AbortSignal.timeout(seconds * 1000);
  const wait = kubectl(
    place,
    [
      ...["rollout", "status", "-n", namespace, `--timeout=${seconds}s`],
      ...deployments.map((name) => `deployment/${name}`),
    ],
    { signal: AbortSignal.any([ended.signal, limit]) },
  ).then(() => undefined);
  const watch = hopeless(place, namespace, deployments, pace, ended.signal);
  try {
    const found = await Promise.race([wait, watch]);
    if (found !== undefined) throw failure(`The rollout of ${found.name} cannot finish`, found.name, found.reasons);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const stuck = (await look(place, namespace, deployments)).filter(({ deployment }) => !isRolledOut(deployment));
    const [first] = stuck;
    if (first === undefined) throw error;
    const { name } = first.deployment.metadata;
    const others = stuck.length === 1 ? "" : `, nor those of ${stuck.length - 1} others,`;
    const reasons = await reasonsOf(place, namespace, first);
    throw failure(
      `The rollout of ${name}${others} did not finish in ${seconds} s`,
      name,
      reasons.length > 0 ? reasons : [error.output],
    );
  } finally {
    ended.abort();
    await Promise.allSettled([wait, watch]);
  }
}

const failure = (what: string, name: string, reasons: readonly string[]) =>
  new Problem(
    `${what}; the release before it still serves.\n  ${reasons.join("\n  ")}`,
    `Fix ${name === "nginx-proxy" ? "proxy" : `services.${name}`} in the stack's config and run this again.`,
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
  readonly deployment: LiveObject;
  readonly set: LiveObject | undefined;
  readonly pods: readonly LiveObject[];
}

async function look(place: Place, namespace: string, deployments: readonly string[]): Promise<Release[]> {
  const all = await kubectlObjects(place, ["get", "deployments.apps,replicasets.apps,pods", "-n", namespace]);
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
      return { deployment, set, pods: set === undefined ? [] : ownedBy(set) };
    });
}

/** Looks at the releases until one has had a certain cause for a while. Nothing when it is told to end. */
async function hopeless(
  place: Place,
  namespace: string,
  deployments: readonly string[],
  { pause, patience }: typeof usualPace,
  ended: AbortSignal,
): Promise<{ name: string; reasons: string[] } | undefined> {
  const since = new Map<string, number>();
  while (!ended.aborted) {
    await sleep(pause, undefined, { signal: ended }).catch(() => undefined);
    try {
      for (const release of await look(place, namespace, deployments)) {
        const { name } = release.deployment.metadata;
        if (!(await isCertain(place, namespace, release, patience))) since.delete(name);
        else if (!since.has(name)) since.set(name, Date.now());
        else if (Date.now() - (since.get(name) ?? 0) >= patience)
          return { name, reasons: await reasonsOf(place, namespace, release) };
      }
    } catch (error) {
      if (!(error instanceof CommandError)) throw error; // An API server that is away says nothing of a rollout.
    }
  }
  return undefined;
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
  place: Place,
  namespace: string,
  { deployment, set, pods }: Release,
  patience: number,
): Promise<boolean> {
  if (isRolledOut(deployment)) return false;
  if (refusals(set).length > 0) return true;
  const containers = pods.flatMap(containersOf);
  const isFinal = ({ state: { waiting }, restartCount }: ContainerStatus) =>
    waiting !== undefined &&
    (final.includes(waiting.reason) || (waiting.reason === "CrashLoopBackOff" && restartCount >= 2));
  if (containers.some(isFinal)) return true;
  const runsFor = ({ state }: ContainerStatus) => Date.now() - Date.parse(state.running?.startedAt ?? "");
  if (!containers.some((container) => runsFor(container) > patience)) return false;
  // A service that starts refuses connections or says 503; that there is no such path is another matter.
  const probes = await probeFailures(place, namespace);
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
async function probeFailures(place: Place, namespace: string): Promise<ReadonlyMap<string, string>> {
  const unhealthy = ["get", "events", "-n", namespace, "--field-selector=reason=Unhealthy", "--sort-by=.lastTimestamp"];
  const events = (await kubectlObjects(place, unhealthy)) as unknown as {
    involvedObject: { name: string };
    message: string;
  }[];
  return new Map(events.map(({ involvedObject, message }) => [involvedObject.name, message.trim()]));
}

async function reasonsOf(place: Place, namespace: string, { set, pods }: Release): Promise<string[]> {
  const probes = await probeFailures(place, namespace);
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
