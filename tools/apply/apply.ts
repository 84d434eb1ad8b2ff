/**
 * Applies a stack's objects with kubectl: server-side, as one ApplySet. It prunes only after the rollouts have completed.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#alternative-kubectl-apply-f-directory-prune
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { concurrently } from "../cli/concurrently.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";
import { CommandError, kubectl, kubectlObjects, type LiveObject, type KubectlTarget } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";
import { proxyName, stackLabel } from "../../names/kubernetes.ts";
import { isAutoscaler, withLiveReplicas } from "./autoscaled.ts";
import { drained } from "./drain.ts";
import { clearFor, endOf, isJob, succeeded, usedByJobs } from "./jobs.ts";
import { isRolledOut, rollouts } from "./rollout.ts";
import { pairDigest, recordUnchanged, unchangedBefore } from "./knownUnchanged.ts";

const setName = "gke-microservices";
const partOf = "applyset.kubernetes.io/part-of";
const serverSide = ["apply", "--server-side", "--force-conflicts", "--field-manager", setName, "-f", "-"];

/** Progress text while pods start. */
export const waitingForRollouts = "waiting for the rollouts";

export interface Changes {
  /** `Kind/name` of each object that was created or changed. */
  readonly applied: readonly string[];
  /** `Kind/name` of each object that was deleted. */
  readonly pruned: readonly string[];
}

export interface ApplyOptions {
  /** Folders that images are built from, by service; for the error of a rollout. @default - none */
  readonly builds?: Readonly<Record<string, string>>;
  /** By `Kind/name`, the step of those objects that do not come first. @default - all come first */
  readonly stages?: ReadonlyMap<string, number>;
}

/** The live objects of a stack. */
export interface Live {
  readonly namespace: string;
  /** Kinds in the ApplySet, including those of past configs; undefined if it was never applied. */
  readonly kinds: readonly string[] | undefined;
  /** The namespace, and all objects of those kinds in it. */
  readonly objects: readonly LiveObject[];
}

/** Reads the live objects. It needs only the stack's namespace, so it can run in parallel with the Pulumi program. */
export async function liveState(target: KubectlTarget, namespace: string): Promise<Live> {
  const [spaces, kinds] = await Promise.all([
    kubectlObjects(target, ["get", "namespace", namespace, "--ignore-not-found"]),
    kindsOfSet(target, namespace),
  ]);
  const members = kinds === undefined ? [] : await kubectlObjects(target, ["get", kinds.join(), "-n", namespace]);
  return { namespace, kinds, objects: [...spaces, ...members] };
}

/**
 * Applies the objects that differ.
 * @param say receives each step as text
 * @throws Problem with the cause of a failed rollout, or of a release's job that failed
 */
export async function apply(
  target: KubectlTarget,
  live: Live,
  objects: readonly KubernetesObject[],
  rolloutSeconds: number,
  say: (step: string) => void,
  { builds = {}, stages = new Map() }: ApplyOptions = {},
): Promise<Changes> {
  const { namespace, kinds } = live;
  // Keep the namespace out of the set: the set's parent is in it, and pruning it would delete everything in it.
  const namespaces = objects.filter(isNamespace);
  const members = objects.filter((object) => !isNamespace(object));
  refuseOthersNamespace(live, namespaces);
  refuseEndingNamespace(live);
  const rolledOut = async (deployments: readonly string[]) => {
    if (deployments.length > 0) say(waitingForRollouts);
    await rollouts(target, namespace, deployments, rolloutSeconds, { builds });
  };

  const stageOf = (object: KubernetesObject | LiveObject) => stages.get(id(object)) ?? 0;
  const last = Math.max(0, ...stages.values());
  const current = () => withLiveReplicas(target, namespace, setName, members);
  const inSet = (some: readonly KubernetesObject[]) => some.map((object) => withLabel(object, setId(namespace)));
  /** Applies what has changed, and waits also for what an interrupted run did not complete. */
  const carryOut = async (
    part: readonly KubernetesObject[],
    unfinished: readonly (KubernetesObject | LiveObject)[],
  ) => {
    const wanted = part.filter(isJob);
    const jobs = [...wanted, ...members.filter((job) => isJob(job) && unfinished.some((each) => id(each) === id(job)))];
    const again = jobs.length === 0 ? new Set() : await clearFor(target, namespace, jobs);
    const repeated = inSet(jobs.filter((job) => again.has(job.metadata.name) && !wanted.includes(job)));
    const all = [...part, ...repeated];
    if (all.length > 0) {
      say(`applying ${all.map(id).join(", ")}`);
      await put(target, all);
    }
    if (jobs.length > 0) {
      say(`waiting for ${names(jobs).join(", ")}`);
      await succeeded(target, namespace, jobs, { builds });
    }
    await rolledOut([...new Set(names([...all, ...unfinished].filter(isDeployment)))]);
    return repeated;
  };

  if (kinds === undefined) {
    // First apply: there is nothing to compare with.
    say(`applying ${objects.length} objects`);
    await put(target, namespaces);
    const first = members.filter((object) => stageOf(object) === 0);
    await applySet(target, namespace, first);
    await rolledOut(names(first.filter(isDeployment)));
    for (let stage = 1; stage <= last; stage += 1)
      await carryOut(inSet(members.filter((object) => stageOf(object) === stage)), []);
    if (last > 0) await applySet(target, namespace, members);
    return { applied: objects.map(id), pruned: [] };
  }

  const labelled = [...namespaces, ...inSet(await current())];
  const changed = await differing(target, labelled, live);
  const desired = new Set(members.map(id));
  const unneeded = live.objects.filter(
    (object) => object.metadata.labels?.[partOf] === setId(namespace) && !desired.has(id(object)),
  );
  const isUnfinished = (object: LiveObject) =>
    isDeployment(object) ? !isRolledOut(object) : isJob(object) && endOf(object)?.failed !== false;
  const unfinished = live.objects.filter((object) => desired.has(id(object)) && isUnfinished(object));

  // An autoscaler would change the number of pods that a Deployment gets instead of it.
  const autoscalers = unneeded.filter(isAutoscaler);
  if (autoscalers.length > 0) await remove(target, autoscalers);

  // The services first, with what releases wait for before them, then the proxy: a new route takes effect once its
  // service answers, and if that never does, the old route stays. The edge last: its controller watches each kind apart,
  // and a new reference that it sees before what it refers to takes the host out of service until it sees that as well.
  const isProxy = (object: KubernetesObject | LiveObject) => isDeployment(object) && object.metadata.name === proxyName;
  const isOther = (object: KubernetesObject | LiveObject) => !isProxy(object) && !isEdge(object);
  const isAt = (stage: number) => (object: KubernetesObject | LiveObject) =>
    isOther(object) && stageOf(object) === stage;
  const repeated: KubernetesObject[] = [];
  for (const isNext of [...Array.from({ length: last + 1 }, (_, stage) => isAt(stage)), isProxy, isEdge])
    repeated.push(...(await carryOut(changed.filter(isNext), unfinished.filter(isNext))));
  // Prune only now: if the new pods are stuck, the old ones still mount the obsolete objects, and those that end still
  // use them. A new kind needs "kubectl apply --prune", which records it in the set. Otherwise deleting avoids applying
  // everything again.
  const hasJobs = kinds.some((kind) => /^(Cron)?Job\.batch$/.test(kind));
  const kept = hasJobs ? await usedByJobs(target, namespace, unneeded) : [];
  const obsolete = unneeded.filter((object) => !kept.includes(object));
  if (obsolete.some(({ kind }) => inUse.has(kind))) {
    say("waiting for the old pods, which still get requests");
    await drained(target, namespace);
  }
  if (obsolete.length > 0) say(`pruning ${obsolete.map(id).join(", ")}`);
  if (members.some((object) => !kinds.includes(groupKind(object))))
    await applySet(target, namespace, [...(await current()), ...kept.map(asApplied)]);
  else if (obsolete.length > 0) await remove(target, obsolete);
  return { applied: [...changed, ...repeated].map(id), pruned: obsolete.map(id) };
}

/** @throws Problem if a label says that the namespace belongs to another stack, which would lose its objects */
function refuseOthersNamespace(live: Live, namespaces: readonly KubernetesObject[]): void {
  const owner = (object: KubernetesObject | LiveObject | undefined) =>
    (object?.metadata.labels as Record<string, string> | undefined)?.[stackLabel];
  const [found, ours] = [owner(live.objects.find(isNamespace)), owner(namespaces[0])];
  if (found === undefined || ours === undefined || found === ours) return;
  throw new Problem(
    `The namespace ${live.namespace} belongs to the stack ${found}, says its label ${stackLabel}. Nothing was changed.`,
    `Set another "namespace" in the stack's config. If that stack is gone: kubectl label namespace ${live.namespace} ${stackLabel}-`,
  );
}

/** @throws Problem while the namespace is being deleted: what is applied into it goes with it */
function refuseEndingNamespace({ namespace, objects }: Live): void {
  if (objects.find(isNamespace)?.metadata["deletionTimestamp"] === undefined) return;
  throw new Problem(
    `The namespace ${namespace} is being deleted, with everything in it. Nothing was changed.`,
    "Wait until it is gone, and run this again.",
  );
}

const list = (items: readonly (KubernetesObject | LiveObject)[]) =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items });
const id = ({ kind, metadata }: KubernetesObject | LiveObject) => `${kind}/${metadata.name}`;
const names = (objects: readonly (KubernetesObject | LiveObject)[]) => objects.map(({ metadata }) => metadata.name);
const isNamespace = ({ kind }: KubernetesObject | LiveObject) => kind === "Namespace";
const isEdge = ({ kind }: KubernetesObject | LiveObject) =>
  ["Ingress", "Gateway", "HTTPRoute", "GRPCRoute"].includes(kind);
/** Kinds that pods use over the network while they end. They have the content of others already. */
const inUse = new Set(["Deployment", "NetworkPolicy", "Service"]);
const isDeployment = ({ kind }: KubernetesObject | LiveObject) => kind === "Deployment";

/** `Deployment.apps`, as in the annotation of the set's parent. */
function groupKind({ apiVersion, kind }: KubernetesObject): string {
  const [group] = apiVersion.includes("/") ? apiVersion.split("/") : [];
  return group === undefined ? kind : `${kind}.${group}`;
}

/** The ApplySet's id, as defined by KEP-3659: https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune */
const setId = (namespace: string) =>
  `applyset-${createHash("sha256").update(`${setName}.${namespace}.Secret.`).digest("base64url")}-v1`;

const withLabel = (object: KubernetesObject, set: string): KubernetesObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    labels: { ...(object.metadata["labels"] as Record<string, string> | undefined), [partOf]: set },
  },
});

/** The kinds in the annotation of the set's parent. */
async function kindsOfSet(target: KubectlTarget, namespace: string): Promise<string[] | undefined> {
  const [parent] = await kubectlObjects(target, ["get", "secret", setName, "-n", namespace, "--ignore-not-found"]);
  const kinds = parent?.metadata.annotations?.["applyset.kubernetes.io/contains-group-kinds"];
  return kinds?.split(",").filter((kind) => kind !== "");
}

async function put(target: KubectlTarget, objects: readonly KubernetesObject[]): Promise<void> {
  await refusable(() => kubectl(target, serverSide, { input: list(objects) }));
}

async function remove(target: KubectlTarget, objects: readonly LiveObject[]): Promise<void> {
  await kubectl(target, ["delete", "--ignore-not-found", "-f", "-"], { input: list(objects) });
}

/** Applies the whole set, and prunes it. */
async function applySet(target: KubectlTarget, namespace: string, members: readonly KubernetesObject[]): Promise<void> {
  const args = [...serverSide, "--prune", `--applyset=${setName}`, "-n", namespace];
  await refusable(() => kubectl(target, args, { input: list(members), env: { KUBECTL_APPLYSET: "true" } }));
}

/** Objects per kubectl call, and calls in parallel. kubectl sends 300 requests at once, then 50 per second. */
const [objectsPerCall, callsAtOnce] = [250, 4];

/** The objects as a server-side apply would make them, with the API server's defaults (a dry run). */
async function dryRunApply(target: KubectlTarget, objects: readonly KubernetesObject[]): Promise<LiveObject[]> {
  const count = Math.ceil(objects.length / objectsPerCall);
  const size = Math.ceil(objects.length / count);
  const chunks = Array.from({ length: count }, (_, index) => objects.slice(index * size, (index + 1) * size));
  const dryRun = (chunk: readonly KubernetesObject[]) =>
    kubectlObjects(target, [...serverSide, "--dry-run=server"], list(chunk));
  return (await refusable(() => concurrently(callsAtOnce, chunks, dryRun))).flat();
}

/** The objects that applying would change. */
async function differing(
  target: KubectlTarget,
  objects: readonly KubernetesObject[],
  live: Live,
): Promise<KubernetesObject[]> {
  const where = `${target.context} ${live.namespace}`;
  const before = new Map(live.objects.map((object) => [id(object), comparable(object)]));
  const digests = new Map(objects.map((object) => [id(object), pairDigest(object, before.get(id(object)))]));
  const known = unchangedBefore(where);
  const unchecked = objects.filter((object) => !known.has(digests.get(id(object)) ?? ""));
  const changed = new Set(
    (await dryRunApply(target, unchecked))
      .filter((object) => !isDeepStrictEqual(comparable(object), before.get(id(object))))
      .map(id),
  );
  for (const object of changed) digests.delete(object);
  if (unchecked.length > 0) recordUnchanged(where, [...digests.values()]);
  return objects.filter((object) => changed.has(id(object)));
}

/** An object without its status and the metadata that the API server sets. */
function comparable({ metadata, ...rest }: LiveObject): unknown {
  const { managedFields, resourceVersion, generation, uid, creationTimestamp, ...kept } = metadata;
  return { ...rest, status: undefined, metadata: kept };
}

/** A live object as this program would apply it, so that it stays as it is. */
const asApplied = (object: LiveObject): KubernetesObject => comparable(object) as KubernetesObject;

/** Reports objects that the API server rejects as a problem of the config, not of this program. */
async function refusable<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `The API server rejected the objects:\n${error.output}`,
      "Fix what it names in the stack's config. Nothing else was changed.",
    );
  }
}
