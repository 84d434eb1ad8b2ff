/**
 * Applies a stack's objects with kubectl: server-side, in one ApplySet, and takes away what is left over only after the rollouts.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#alternative-kubectl-apply-f-directory-prune
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { concurrently } from "../cli/concurrently.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";
import { CommandError, kubectl, kubectlObjects, type LiveObject, type KubectlTarget } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";
import { isRolledOut, rollouts } from "./rollout.ts";
import { pairDigest, recordUnchanged, unchangedBefore } from "./knownUnchanged.ts";

const setName = "gke-microservices";
const partOf = "applyset.kubernetes.io/part-of";
const serverSide = ["apply", "--server-side", "--force-conflicts", "--field-manager", setName, "-f", "-"];

/** What `say` is told while pods start. */
export const waitingForRollouts = "waiting for the rollouts";

export interface Changes {
  /** `Kind/name` of what was created or changed. */
  readonly applied: readonly string[];
  /** `Kind/name` of what was taken away. */
  readonly pruned: readonly string[];
}

/** What of a stack is in a cluster. */
export interface Live {
  readonly namespace: string;
  /** Of which kinds its set is, those of a past config too; undefined where it was never applied. */
  readonly kinds: readonly string[] | undefined;
  /** The namespace, and all objects of those kinds in it. */
  readonly objects: readonly LiveObject[];
}

/** Looks at what there is. It needs no more of the stack than its namespace, and so can run beside the program. */
export async function liveState(target: KubectlTarget, namespace: string): Promise<Live> {
  const [spaces, kinds] = await Promise.all([
    kubectlObjects(target, ["get", "namespace", namespace, "--ignore-not-found"]),
    kindsOfSet(target, namespace),
  ]);
  const members = kinds === undefined ? [] : await kubectlObjects(target, ["get", kinds.join(), "-n", namespace]);
  return { namespace, kinds, objects: [...spaces, ...members] };
}

/** Applies what differs, and nothing if nothing does. `say` is told each step. @throws Problem that names the cause of a failed rollout */
export async function apply(
  target: KubectlTarget,
  live: Live,
  objects: readonly KubernetesObject[],
  rolloutSeconds: number,
  say: (step: string) => void,
): Promise<Changes> {
  const { namespace, kinds } = live;
  // Outside the set: a set cannot hold the namespace that its parent lives in, and would prune it with all that is in it.
  const namespaces = objects.filter(isNamespace);
  const members = objects.filter((object) => !isNamespace(object));
  const rolledOut = async (deployments: readonly string[]) => {
    if (deployments.length > 0) say(waitingForRollouts);
    await rollouts(target, namespace, deployments, rolloutSeconds);
  };

  if (kinds === undefined) {
    // There is nothing to compare with yet.
    say(`applying ${objects.length} objects`);
    await put(target, namespaces);
    await applySet(target, namespace, members);
    await rolledOut(names(members.filter(isDeployment)));
    return { applied: objects.map(id), pruned: [] };
  }

  const labelled = [...namespaces, ...members.map((object) => withLabel(object, setId(namespace)))];
  const changed = await differing(target, labelled, live);
  const wanted = new Set(members.map(id));
  const left = live.objects.filter(
    (object) => object.metadata.labels?.[partOf] === setId(namespace) && !wanted.has(id(object)),
  );
  // Beside what changes: what an interrupted run left unfinished.
  const unfinished = live.objects.filter(
    (object) => isDeployment(object) && wanted.has(id(object)) && !isRolledOut(object),
  );

  if (changed.length > 0) {
    say(`applying ${changed.map(id).join(", ")}`);
    // The edge last: its controller watches each kind apart, and a new reference that it sees before what it refers to
    // takes the host out of service until it sees that as well.
    for (const part of [changed.filter((object) => !isEdge(object)), changed.filter(isEdge)])
      if (part.length > 0) await put(target, part);
  }
  await rolledOut([...new Set(names([...changed.filter(isDeployment), ...unfinished]))]);
  // Only now: with new pods stuck, the old ones still mount what would go. The set is asked to prune where it has to learn of a
  // kind; otherwise what it would find is deleted, which spares applying everything once more.
  if (left.length > 0) say(`taking away ${left.map(id).join(", ")}`);
  if (members.some((object) => !kinds.includes(groupKind(object)))) await applySet(target, namespace, members);
  else if (left.length > 0) await kubectl(target, ["delete", "--ignore-not-found", "-f", "-"], { input: list(left) });
  return { applied: changed.map(id), pruned: left.map(id) };
}

const list = (items: readonly (KubernetesObject | LiveObject)[]) =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items });
const id = ({ kind, metadata }: KubernetesObject | LiveObject) => `${kind}/${metadata.name}`;
const names = (objects: readonly (KubernetesObject | LiveObject)[]) => objects.map(({ metadata }) => metadata.name);
const isNamespace = ({ kind }: KubernetesObject) => kind === "Namespace";
const isEdge = ({ kind }: KubernetesObject) => ["Ingress", "Gateway", "HTTPRoute", "GRPCRoute"].includes(kind);
const isDeployment = ({ kind }: KubernetesObject | LiveObject) => kind === "Deployment";

/** `Deployment.apps`, as the set's parent notes it. */
function groupKind({ apiVersion, kind }: KubernetesObject): string {
  const [group] = apiVersion.includes("/") ? apiVersion.split("/") : [];
  return group === undefined ? kind : `${kind}.${group}`;
}

/** The set's id, as KEP-3659 defines it: https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune */
const setId = (namespace: string) =>
  `applyset-${createHash("sha256").update(`${setName}.${namespace}.Secret.`).digest("base64url")}-v1`;

const withLabel = (object: KubernetesObject, set: string): KubernetesObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    labels: { ...(object.metadata["labels"] as Record<string, string> | undefined), [partOf]: set },
  },
});

/** As its parent notes them. */
async function kindsOfSet(target: KubectlTarget, namespace: string): Promise<string[] | undefined> {
  const [parent] = await kubectlObjects(target, ["get", "secret", setName, "-n", namespace, "--ignore-not-found"]);
  const kinds = parent?.metadata.annotations?.["applyset.kubernetes.io/contains-group-kinds"];
  return kinds?.split(",").filter((kind) => kind !== "");
}

async function put(target: KubectlTarget, objects: readonly KubernetesObject[]): Promise<void> {
  await refusable(() => kubectl(target, serverSide, { input: list(objects) }));
}

/** Applies the whole set, and prunes it. */
async function applySet(target: KubectlTarget, namespace: string, members: readonly KubernetesObject[]): Promise<void> {
  const args = [...serverSide, "--prune", `--applyset=${setName}`, "-n", namespace];
  await refusable(() => kubectl(target, args, { input: list(members), env: { KUBECTL_APPLYSET: "true" } }));
}

/** So many objects are asked about in one call, for kubectl sends 300 requests and then 50 a second; so many calls run beside each other. */
const [objectsPerCall, callsAtOnce] = [250, 4];

/** What a server-side apply would make of the objects: the server itself is asked, with its defaults. */
async function asApplied(target: KubectlTarget, objects: readonly KubernetesObject[]): Promise<LiveObject[]> {
  const count = Math.ceil(objects.length / objectsPerCall);
  const size = Math.ceil(objects.length / count);
  const chunks = Array.from({ length: count }, (_, index) => objects.slice(index * size, (index + 1) * size));
  const dryRun = (chunk: readonly KubernetesObject[]) =>
    kubectlObjects(target, [...serverSide, "--dry-run=server"], list(chunk));
  return (await refusable(() => concurrently(callsAtOnce, chunks, dryRun))).flat();
}

/** Those that would not stay as they are. */
async function differing(
  target: KubectlTarget,
  objects: readonly KubernetesObject[],
  live: Live,
): Promise<KubernetesObject[]> {
  const where = `${target.context} ${live.namespace}`;
  const before = new Map(live.objects.map((object) => [id(object), comparable(object)]));
  const digests = new Map(objects.map((object) => [id(object), pairDigest(object, before.get(id(object)))]));
  const known = unchangedBefore(where);
  const asked = objects.filter((object) => !known.has(digests.get(id(object)) ?? ""));
  const changed = new Set(
    (await asApplied(target, asked))
      .filter((object) => !isDeepStrictEqual(comparable(object), before.get(id(object))))
      .map(id),
  );
  for (const object of changed) digests.delete(object);
  if (asked.length > 0) recordUnchanged(where, [...digests.values()]);
  return objects.filter((object) => changed.has(id(object)));
}

/** An object without what the server notes by itself. */
function comparable({ metadata, ...rest }: LiveObject): unknown {
  const { managedFields, resourceVersion, generation, uid, creationTimestamp, ...kept } = metadata;
  return { ...rest, status: undefined, metadata: kept };
}

/** What the API server refuses is a problem of the config, not of this program. */
async function refusable<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `The cluster refused the objects:\n${error.output}`,
      "Fix what it names in the stack's config; nothing else was changed.",
    );
  }
}
