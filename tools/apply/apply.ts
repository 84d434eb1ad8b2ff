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
 * @param builds folders that images are built from, by service; for the error of a rollout
 * @throws Problem with the cause of a failed rollout
 */
export async function apply(
  target: KubectlTarget,
  live: Live,
  objects: readonly KubernetesObject[],
  rolloutSeconds: number,
  say: (step: string) => void,
  builds: Readonly<Record<string, string>> = {},
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

  if (kinds === undefined) {
    // First apply: there is nothing to compare with.
    say(`applying ${objects.length} objects`);
    await put(target, namespaces);
    await applySet(target, namespace, members);
    await rolledOut(names(members.filter(isDeployment)));
    return { applied: objects.map(id), pruned: [] };
  }

  const current = () => withLiveReplicas(target, namespace, setName, members);
  const labelled = [...namespaces, ...(await current()).map((object) => withLabel(object, setId(namespace)))];
  const changed = await differing(target, labelled, live);
  const desired = new Set(members.map(id));
  const obsolete = live.objects.filter(
    (object) => object.metadata.labels?.[partOf] === setId(namespace) && !desired.has(id(object)),
  );
  // Also wait for rollouts that an interrupted run did not complete.
  const unfinished = live.objects.filter(
    (object) => isDeployment(object) && desired.has(id(object)) && !isRolledOut(object),
  );

  // An autoscaler would change the number of pods that a Deployment gets instead of it.
  const autoscalers = obsolete.filter(isAutoscaler);
  if (autoscalers.length > 0) await remove(target, autoscalers);

  // The services first, then the proxy: a new route takes effect once its service answers, and if that never does, the
  // old route stays. The edge last: its controller watches each kind apart, and a new reference that it sees before what
  // it refers to takes the host out of service until it sees that as well.
  const isProxy = (object: KubernetesObject | LiveObject) => isDeployment(object) && object.metadata.name === proxyName;
  const isOther = (object: KubernetesObject) => !isProxy(object) && !isEdge(object);
  for (const isNext of [isOther, isProxy, isEdge]) {
    const part = changed.filter(isNext);
    if (part.length > 0) {
      say(`applying ${part.map(id).join(", ")}`);
      await put(target, part);
    }
    await rolledOut([...new Set(names([...part, ...unfinished.filter(isNext)].filter(isDeployment)))]);
  }
  // Prune only now: if the new pods are stuck, the old ones still mount the obsolete objects, and those that end still
  // use them. A new kind needs "kubectl apply --prune", which records it in the set. Otherwise deleting avoids applying
  // everything again.
  if (obsolete.some(({ kind }) => inUse.has(kind))) {
    say("waiting for the old pods, which still get requests");
    await drained(target, namespace);
  }
  if (obsolete.length > 0) say(`pruning ${obsolete.map(id).join(", ")}`);
  if (members.some((object) => !kinds.includes(groupKind(object)))) await applySet(target, namespace, await current());
  else if (obsolete.length > 0) await remove(target, obsolete);
  return { applied: changed.map(id), pruned: obsolete.map(id) };
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
const isEdge = ({ kind }: KubernetesObject) => ["Ingress", "Gateway", "HTTPRoute", "GRPCRoute"].includes(kind);
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
