/** Runs the jobs of releases: a release's pods start only after its job has succeeded. */
import { setTimeout as sleep } from "node:timers/promises";
import { nameLabel } from "../../names/kubernetes.ts";
import { CommandError, kubectl, kubectlObjects, type KubectlTarget, type LiveObject } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";
import { imageTroubles, notStarted, oneLine } from "./podStates.ts";

export const isJob = ({ kind }: { readonly kind: string }): boolean => kind === "Job";

/** How a Job ended; undefined while it has not. */
export function endOf(job: LiveObject): { readonly failed: boolean; readonly reason: string } | undefined {
  const { conditions = [] } = (job["status"] ?? {}) as {
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
  const end = conditions.find(({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True");
  return end && { failed: end.type === "Failed", reason: end.reason ?? "" };
}

const labelOf = ({ metadata }: KubernetesObject | LiveObject): string =>
  (metadata.labels as Record<string, string> | undefined)?.[nameLabel] ?? "";
/** `services.shop.release` for the Job `shop-release-0123456789`. */
const serviceOf = (job: KubernetesObject | LiveObject): string => labelOf(job).replace(/-release$/, "");

/** The objects that a Job which has not ended may still mount: a pod that takes the place of another one needs them. */
export async function usedByJobs(
  target: KubectlTarget,
  namespace: string,
  objects: readonly LiveObject[],
): Promise<readonly LiveObject[]> {
  const mounted = objects.filter(({ kind }) => ["ConfigMap", "Secret"].includes(kind));
  if (mounted.length === 0) return [];
  const jobs = (await kubectlObjects(target, ["get", "jobs.batch", "-n", namespace])).filter(
    (job) => endOf(job) === undefined,
  );
  const pods = jobs.map((job) => JSON.stringify(job["spec"]));
  return mounted.filter(({ metadata }) => pods.some((pod) => pod.includes(JSON.stringify(metadata.name))));
}

export interface JobOptions {
  /** Folders that images are built from, by service; for the error's fix. @default - none */
  readonly builds?: Readonly<Record<string, string>>;
  /** Poll interval in milliseconds. @default 500 */
  readonly pause?: number;
  /** How long a pod may look stuck. Milliseconds. @default 12000 */
  readonly patience?: number;
}

/**
 * Deletes what stands in the way of Jobs: those of the same name that failed, and those of other releases that have not
 * ended. Two releases of a service never run their jobs at the same time.
 * @returns the names of those that must be applied again
 */
export async function clearFor(
  target: KubectlTarget,
  namespace: string,
  jobs: readonly KubernetesObject[],
): Promise<ReadonlySet<string>> {
  const live = await kubectlObjects(target, ["get", "jobs.batch", "-n", namespace]);
  const names = new Set(jobs.map(({ metadata }) => metadata.name));
  const labels = new Set(jobs.map(labelOf));
  const obstacles = live.filter((job) => {
    const end = endOf(job);
    return names.has(job.metadata.name) ? end?.failed === true : labels.has(labelOf(job)) && end === undefined;
  });
  if (obstacles.length > 0)
    // Only when its pods have ended is a Job gone.
    await kubectl(target, [
      ...["delete", "jobs.batch", "-n", namespace, "--ignore-not-found", "--cascade=foreground"],
      ...obstacles.map(({ metadata }) => metadata.name),
    ]);
  return new Set(obstacles.map(({ metadata }) => metadata.name).filter((name) => names.has(name)));
}

/**
 * Waits until the Jobs have succeeded.
 * @throws Problem with the last lines of the one that failed
 */
export async function succeeded(
  target: KubectlTarget,
  namespace: string,
  jobs: readonly KubernetesObject[],
  { builds = {}, pause = 500, patience = 12_000 }: JobOptions = {},
): Promise<void> {
  const began = Date.now();
  const longest = Math.max(...jobs.map(deadlineOf)) * 1000 + 120_000;
  const stuckSince = new Map<string, number>();
  const names = new Set(jobs.map(({ metadata }) => metadata.name));
  /** What was seen of each: a Job that is out of time deletes its pods. */
  const seen = new Map<string, readonly string[]>();
  let pending = names;
  while (pending.size > 0) {
    try {
      const all = await kubectlObjects(target, ["get", "jobs.batch,pods", "-n", namespace, "--request-timeout=30s"]);
      for (const name of pending) {
        const job = all.find(({ kind, metadata }) => kind === "Job" && metadata.name === name);
        const pods = all.filter((each) => isPodOf(each, name));
        if (pods.length > 0) seen.set(name, pods.flatMap(stateOf));
        const says = async (what: string) =>
          failure(what, name, job, seen.get(name) ?? [], builds, await servingOf(target, namespace, job));
        if (job === undefined) throw await says("was deleted");
        const end = endOf(job);
        if (end?.failed === true)
          throw await says(end.reason === "DeadlineExceeded" ? `did not end within ${deadlineOf(job)} s` : "failed");
        if (!pods.some((pod) => imageTroubles(pod).length > 0)) stuckSince.delete(name);
        else if (!stuckSince.has(name)) stuckSince.set(name, Date.now());
        if (Date.now() - (stuckSince.get(name) ?? Date.now()) >= patience) throw await says("cannot start");
        if (Date.now() - began > longest) throw await says("has not ended");
      }
      const ended = new Set(
        all.filter((each) => isJob(each) && endOf(each) !== undefined).map(({ metadata }) => metadata.name),
      );
      pending = new Set([...pending].filter((name) => !ended.has(name)));
    } catch (error) {
      // An API server that is briefly unavailable is not a failed job.
      if (!(error instanceof CommandError) || Date.now() - began > longest) throw error;
    }
    if (pending.size > 0) await sleep(pause);
  }
}

const deadlineOf = (job: KubernetesObject | LiveObject): number =>
  (job["spec"] as { activeDeadlineSeconds?: number } | undefined)?.activeDeadlineSeconds ?? 600;

const isPodOf = ({ kind, metadata }: LiveObject, job: string): boolean =>
  kind === "Pod" && (metadata["ownerReferences"] as { name: string }[] | undefined)?.[0]?.name === job;

interface Ended {
  readonly state?: {
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
  };
}

/** What a pod of a Job says: why it does not start, or its exit status with the last lines of its log. */
function stateOf(pod: LiveObject): string[] {
  const start = notStarted(pod, []);
  if (start !== undefined) return [start.seen];
  const troubles = imageTroubles(pod);
  if (troubles.length > 0) return [...troubles];
  const { containerStatuses = [], initContainerStatuses = [] } = (pod["status"] ?? {}) as {
    containerStatuses?: Ended[];
    initContainerStatuses?: Ended[];
  };
  return [...initContainerStatuses, ...containerStatuses].flatMap(({ state }) => {
    const { exitCode = 0, reason = "", message = "" } = state?.terminated ?? {};
    if (exitCode === 0) return [];
    const lines = message
      .split("\n")
      .flatMap((line) => (line.trim() === "" ? [] : `  ${oneLine(line.trimEnd(), 200)}`));
    const status = `it exited with status ${exitCode}${reason === "Error" || reason === "" ? "" : ` (${reason})`}`;
    return lines.length === 0
      ? [`${status}, and its log is empty`]
      : [`${status}; its last log lines:`, ...lines.slice(-20)];
  });
}

async function servingOf(target: KubectlTarget, namespace: string, job: LiveObject | undefined): Promise<string> {
  if (job === undefined) return "";
  const args = ["get", "deployment.apps", serviceOf(job), "-n", namespace, "--ignore-not-found"];
  const [deployment] = await kubectlObjects(target, args);
  const { availableReplicas = 0 } = (deployment?.["status"] ?? {}) as { availableReplicas?: number };
  return availableReplicas > 0 ? "; the previous release still serves" : "";
}

function failure(
  what: string,
  name: string,
  job: LiveObject | undefined,
  seen: readonly string[],
  builds: Readonly<Record<string, string>>,
  serving: string,
): Problem {
  const service = job === undefined ? name.replace(/-release-\w+$/, "") : serviceOf(job);
  const folder = builds[service];
  const lines = seen.map((line) => `\n  ${line}`).join("");
  return new Problem(
    `The release job of ${service} (${name}) ${what}${serving}.${lines}`,
    `Fix ${folder === undefined ? "" : `the program in ${folder}, or `}services.${service}.release in the stack's config, and run this again.`,
  );
}
