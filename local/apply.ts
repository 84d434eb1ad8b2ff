/**
 * Applies a stack's objects with kubectl: server-side, in one ApplySet, pruned only after the rollouts have finished.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#alternative-kubectl-apply-f-directory-prune
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "./evaluate.ts";
import { CommandError, kubectl, kubectlObjects, type LiveObject, type Place } from "./kubectl.ts";
import { Problem } from "./problem.ts";

const setName = "gke-microservices";
const partOf = "applyset.kubernetes.io/part-of";
const serverSide = ["apply", "--server-side", "--force-conflicts", "--field-manager", setName, "-f", "-"];

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

  const isNew = (await kubectlObjects(place, ["get", "namespace", namespace, "--ignore-not-found"])).length === 0;
  // Before the set: a set cannot hold the namespace that its parent lives in, and would prune it with all that is in it.
  const newSpaces = await changesOf(place, namespaces);
  if (newSpaces.length > 0) await refusable(() => kubectl(place, serverSide, { input: text(namespaces) }));

  const changed = await changesOf(place, members);
  const left = isNew ? [] : await leftOver(place, namespace, members);
  const broken = isNew ? [] : await unfinished(place, namespace, members);
  if (changed.length === 0 && left.length === 0 && broken.length === 0) return { applied: newSpaces, pruned: [] };

  if (changed.length > 0) say(`applying ${changed.join(", ")}`);
  const labelled = members.map((object) => withLabel(object, setId(namespace)));
  await refusable(() => kubectl(place, serverSide, { input: text(labelled) }));

  const deployments = members.filter(({ kind }) => kind === "Deployment").map(({ metadata }) => metadata.name);
  if (deployments.length > 0) say("waiting for the rollouts");
  await Promise.all(deployments.map((name) => rollout(place, namespace, name, rolloutSeconds)));

  // Only now: with new pods stuck, the old ones still mount what would be pruned.
  const env = { KUBECTL_APPLYSET: "true" };
  await refusable(() =>
    kubectl(place, [...serverSide, "--prune", `--applyset=${setName}`, "-n", namespace], { input: text(members), env }),
  );
  return { applied: [...newSpaces, ...changed], pruned: left };
}

const text = (items: readonly KubernetesObject[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items });
const id = ({ kind, metadata }: KubernetesObject | LiveObject) => `${kind}/${metadata.name}`;

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

/** Which objects a server-side apply would create or change; the server itself is asked, so its defaults do not count. */
async function changesOf(place: Place, objects: readonly KubernetesObject[]): Promise<string[]> {
  if (objects.length === 0) return [];
  const input = text(objects);
  const wanted = await refusable(() => kubectlObjects(place, [...serverSide, "--dry-run=server"], input));
  const live = new Map(
    (await kubectlObjects(place, ["get", "--ignore-not-found", "-f", "-"], input)).map((object) => [
      id(object),
      object,
    ]),
  );
  return wanted.filter((object) => !isDeepStrictEqual(comparable(object), comparable(live.get(id(object))))).map(id);
}

/** An object without what the server notes by itself, and without the set's own mark. */
function comparable(object: LiveObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { metadata, ...rest } = object;
  const { managedFields, resourceVersion, generation, uid, creationTimestamp, labels, ...kept } = metadata;
  const { [partOf]: _, ...own } = labels ?? {};
  return { ...rest, status: undefined, metadata: { ...kept, labels: own } };
}

/** What is in the set and no longer wanted. The set itself says of which kinds it is: those of a past config count too. */
async function leftOver(place: Place, namespace: string, members: readonly KubernetesObject[]): Promise<string[]> {
  const [parent] = await kubectlObjects(place, ["get", "secret", setName, "-n", namespace, "--ignore-not-found"]);
  const kinds = (parent?.metadata.annotations ?? {})["applyset.kubernetes.io/contains-group-kinds"];
  if (!kinds) return [];
  const live = await kubectlObjects(place, ["get", kinds, "-n", namespace, "-l", `${partOf}=${setId(namespace)}`]);
  const wanted = new Set(members.map(id));
  return live.map(id).filter((name) => !wanted.has(name));
}

/** Deployments whose last rollout has not finished, as after an interrupted run. */
async function unfinished(place: Place, namespace: string, members: readonly KubernetesObject[]): Promise<string[]> {
  const wanted = new Set(members.map(id));
  const live = await kubectlObjects(place, ["get", "deployments", "-n", namespace]);
  return live
    .filter((object) => {
      const { replicas } = object["spec"] as { replicas: number };
      const { updatedReplicas, availableReplicas, observedGeneration } = (object["status"] ?? {}) as Record<
        string,
        number | undefined
      >;
      return (
        updatedReplicas !== replicas ||
        availableReplicas !== replicas ||
        observedGeneration !== object.metadata["generation"]
      );
    })
    .map(id)
    .filter((name) => wanted.has(name));
}

/** @throws Problem with what the cluster says of the pods, if the rollout does not finish in time */
export async function rollout(place: Place, namespace: string, name: string, seconds: number): Promise<void> {
  try {
    await kubectl(place, ["rollout", "status", `deployment/${name}`, "-n", namespace, `--timeout=${seconds}s`]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const reasons = await rolloutReasons(place, namespace, name);
    throw new Problem(
      `The rollout of ${name} did not finish in ${seconds} s; the release before it still serves.\n  ${reasons.join("\n  ") || error.output}`,
      `Mend services.${name} in the stack's config and run this again.`,
    );
  }
}

interface ContainerStatus {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: { readonly waiting?: { readonly reason: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly reason: string; readonly exitCode: number } };
}

/** The kubelet's event, such as "Startup probe failed: HTTP probe failed with statuscode: 503". */
interface ProbeFailure {
  readonly involvedObject: { readonly name: string };
  readonly message: string;
}

async function rolloutReasons(place: Place, namespace: string, name: string): Promise<string[]> {
  const selector = ["-n", namespace, "-l", `app.kubernetes.io/name=${name}`];
  const pods = await kubectlObjects(place, ["get", "pods", ...selector]);
  const unhealthy = ["get", "events", "-n", namespace, "--field-selector=reason=Unhealthy", "--sort-by=.lastTimestamp"];
  const probes = (await kubectlObjects(place, unhealthy)) as unknown as ProbeFailure[];
  const waiting = pods.flatMap((pod) => {
    const statuses = (pod["status"] as { containerStatuses?: ContainerStatus[] }).containerStatuses ?? [];
    return statuses
      .filter(({ ready }) => !ready)
      .map(({ state, lastState, restartCount }) => {
        const last = lastState?.terminated
          ? `last ended with status ${lastState.terminated.exitCode} (${lastState.terminated.reason})`
          : undefined;
        const probe = probes.findLast(({ involvedObject }) => involvedObject.name === pod.metadata.name);
        const now = state.waiting
          ? `${state.waiting.reason}: ${state.waiting.message ?? ""}`
          : `runs, but does not answer as healthy${probe === undefined ? "" : ` (${probe.message.trim()})`}`;
        return `pod ${pod.metadata.name}: ${[now, last, restartCount > 0 ? `${restartCount} restarts` : undefined].filter(Boolean).join("; ")}`;
      });
  });
  const sets = await kubectlObjects(place, ["get", "replicasets", ...selector]);
  const refused = sets.flatMap((set) =>
    ((set["status"] as { conditions?: { type: string; status: string; message: string }[] }).conditions ?? [])
      .filter(({ type, status }) => type === "ReplicaFailure" && status === "True")
      .map(({ message }) => message),
  );
  return [...new Set([...waiting, ...refused])];
}

/** What the API server refuses is a problem of the config, not of this program. */
async function refusable<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `The cluster refused the objects:\n${error.output}`,
      "Mend what it names in the stack's config; nothing else was changed.",
    );
  }
}
