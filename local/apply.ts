/**
 * Applies a stack's objects with kubectl: server-side, in one ApplySet, and takes away what is left over only after the rollouts.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#alternative-kubectl-apply-f-directory-prune
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { atOnce } from "./atOnce.ts";
import type { KubernetesObject } from "./evaluate.ts";
import { CommandError, kubectl, kubectlObjects, type LiveObject, type Place } from "./kubectl.ts";
import { Problem } from "./problem.ts";
import { isRolledOut, rollouts } from "./rollout.ts";

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

/** Applies what differs, and nothing if nothing does. `say` is told each step. @throws Problem that names the cause of a failed rollout */
export async function apply(
  place: Place,
  objects: readonly KubernetesObject[],
  rolloutSeconds: number,
  say: (step: string) => void,
): Promise<Changes> {
  const namespaces = objects.filter(({ kind }) => kind === "Namespace");
  const members = objects.filter(({ kind }) => kind !== "Namespace");
  const namespace = namespaces[0]?.metadata.name ?? "default";
  const rolledOut = async (deployments: readonly string[]) => {
    if (deployments.length > 0) say(waitingForRollouts);
    await rollouts(place, namespace, deployments, rolloutSeconds);
  };

  // Before the set: a set cannot hold the namespace that its parent lives in, and would prune it with all that is in it.
  const [spaces, wantedSpaces, kinds] = await Promise.all([
    kubectlObjects(place, ["get", "namespace", namespace, "--ignore-not-found"]),
    asApplied(place, namespaces),
    kindsOfSet(place, namespace),
  ]);
  const newSpaces = differing(namespaces, wantedSpaces, spaces);
  if (newSpaces.length > 0) await refusable(() => kubectl(place, serverSide, { input: list(namespaces) }));

  if (kinds === undefined) {
    // There is nothing to compare with yet.
    say(`applying ${members.length} objects`);
    await applySet(place, namespace, members);
    await rolledOut(names(members.filter(isDeployment)));
    return { applied: [...newSpaces, ...members].map(id), pruned: [] };
  }

  const newKinds = members.map(groupKind).filter((kind) => !kinds.includes(kind));
  const all = [...new Set([...kinds, ...newKinds])].join();
  const labelled = members.map((object) => withLabel(object, setId(namespace)));
  const [live, wantedLive] = await Promise.all([
    kubectlObjects(place, ["get", all, "-n", namespace]),
    asApplied(place, labelled),
  ]);
  const changed = differing(labelled, wantedLive, live);
  const wanted = new Set(members.map(id));
  const left = live.filter(
    (object) => object.metadata.labels?.[partOf] === setId(namespace) && !wanted.has(id(object)),
  );
  // Beside what changes: what an interrupted run left unfinished.
  const unfinished = live.filter((object) => isDeployment(object) && wanted.has(id(object)) && !isRolledOut(object));

  if (changed.length > 0) {
    say(`applying ${changed.map(id).join(", ")}`);
    await refusable(() => kubectl(place, serverSide, { input: list(changed) }));
  }
  await rolledOut([...new Set(names([...changed.filter(isDeployment), ...unfinished]))]);
  // Only now: with new pods stuck, the old ones still mount what would go. The set is asked to prune where it has to learn of a
  // kind; otherwise what it would find is deleted, which spares applying everything once more.
  if (left.length > 0) say(`taking away ${left.map(id).join(", ")}`);
  if (newKinds.length > 0) await applySet(place, namespace, members);
  else if (left.length > 0) await kubectl(place, ["delete", "--ignore-not-found", "-f", "-"], { input: list(left) });
  return { applied: [...newSpaces, ...changed].map(id), pruned: left.map(id) };
}

const list = (items: readonly (KubernetesObject | LiveObject)[]) =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items });
const id = ({ kind, metadata }: KubernetesObject | LiveObject) => `${kind}/${metadata.name}`;
const names = (objects: readonly (KubernetesObject | LiveObject)[]) => objects.map(({ metadata }) => metadata.name);
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

/** Of which kinds the set is, those of a past config too; undefined where it was never applied. */
async function kindsOfSet(place: Place, namespace: string): Promise<string[] | undefined> {
  const [parent] = await kubectlObjects(place, ["get", "secret", setName, "-n", namespace, "--ignore-not-found"]);
  const kinds = parent?.metadata.annotations?.["applyset.kubernetes.io/contains-group-kinds"];
  return kinds?.split(",").filter((kind) => kind !== "");
}

/** Applies the whole set, and prunes it. */
async function applySet(place: Place, namespace: string, members: readonly KubernetesObject[]): Promise<void> {
  const args = [...serverSide, "--prune", `--applyset=${setName}`, "-n", namespace];
  await refusable(() => kubectl(place, args, { input: list(members), env: { KUBECTL_APPLYSET: "true" } }));
}

/** So many objects are asked about in one call, for kubectl sends 300 requests and then 50 a second; so many calls run beside each other. */
const [objectsPerCall, callsAtOnce] = [250, 4];

/** What a server-side apply would make of the objects: the server itself is asked, with its defaults. */
async function asApplied(place: Place, objects: readonly KubernetesObject[]): Promise<LiveObject[]> {
  const count = Math.ceil(objects.length / objectsPerCall);
  const size = Math.ceil(objects.length / count);
  const chunks = Array.from({ length: count }, (_, index) => objects.slice(index * size, (index + 1) * size));
  const dryRun = (chunk: readonly KubernetesObject[]) =>
    kubectlObjects(place, [...serverSide, "--dry-run=server"], list(chunk));
  return (await refusable(() => atOnce(callsAtOnce, chunks, dryRun))).flat();
}

/** Those that would not stay as they are. */
function differing<T extends KubernetesObject>(
  objects: readonly T[],
  wanted: readonly LiveObject[],
  live: readonly LiveObject[],
): T[] {
  const before = new Map(live.map((object) => [id(object), comparable(object)]));
  const changed = new Set(
    wanted.filter((object) => !isDeepStrictEqual(comparable(object), before.get(id(object)))).map(id),
  );
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
