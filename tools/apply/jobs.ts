/** Runs the jobs of releases: a release's pods start only after its job has succeeded. */
import { setTimeout as sleep } from "node:timers/promises";
import { nameLabel } from "../../names/kubernetes.ts";
import { CommandError, kubectl, kubectlObjects, type KubectlTarget, type LiveObject } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";
import { linesOf, logOf, specOf, startOf, statusesOf, type ContainerStatus, type Ended } from "./podContainers.ts";
import { imageTroubles, notStarted, partOf, runningFirst, type PodPart } from "./podStates.ts";

export const isJob = ({ kind }: { readonly kind: string }): boolean => kind === "Job";

function conditionOf(job: LiveObject, types: readonly string[]) {
  const { conditions = [] } = (job["status"] ?? {}) as {
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
  return conditions.find(({ type, status }) => types.includes(type) && status === "True");
}

/** How a Job ended; undefined while it has not. */
export function endOf(job: LiveObject): { readonly failed: boolean; readonly reason: string } | undefined {
  const end = conditionOf(job, ["Complete", "Failed"]);
  return end && { failed: end.type === "Failed", reason: end.reason ?? "" };
}

const labelOf = ({ metadata }: KubernetesObject | LiveObject): string =>
  (metadata.labels as Record<string, string> | undefined)?.[nameLabel] ?? "";
/** `services.shop.release` for the Job `shop-release-0123456789`. */
const serviceOf = (job: KubernetesObject | LiveObject): string => labelOf(job).replace(/-release$/, "");
const serviceIn = (name: string): string => name.replace(/-release-\w+$/, "");

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
  const seen = new Map<string, readonly Fault[]>();
  const logged = new Set<string>();
  /** A container that is waited for has its log only as long as its pod is there. */
  const readLogs = async (name: string): Promise<void> => {
    const faults = seen.get(name) ?? [];
    if (logged.has(name) || faults.every(({ running }) => running === undefined)) return;
    logged.add(name);
    seen.set(
      name,
      await Promise.all(
        faults.map(async (fault) => {
          const log = fault.running && (await logOf(target, namespace, fault.running.pod, fault.running.status));
          return log === undefined ? fault : { ...fault, lines: withLog(fault.lines.join("; "), log) };
        }),
      ),
    );
  };
  let pending = names;
  while (pending.size > 0) {
    try {
      const all = await kubectlObjects(target, ["get", "jobs.batch,pods", "-n", namespace, "--request-timeout=30s"]);
      for (const name of pending) {
        const job = all.find(({ kind, metadata }) => kind === "Job" && metadata.name === name);
        const pods = all.filter((each) => isPodOf(each, name));
        const service = job === undefined ? serviceIn(name) : serviceOf(job);
        const faults = pods.flatMap((pod) => faultsOf(pod, service));
        const isEnding = job !== undefined && conditionOf(job, ["FailureTarget", "Failed"]) !== undefined;
        // A pod that is stopped says how it was stopped, and no longer what it waited for.
        const isKnown = isEnding && (seen.get(name)?.some(({ part }) => part !== undefined) ?? false);
        if (isEnding ? faults.length > 0 && !isKnown : pods.length > 0) seen.set(name, faults);
        if (isEnding) await readLogs(name);
        const says = async (what: string) => {
          await readLogs(name);
          return failure(what, name, service, seen.get(name) ?? [], builds, await servingOf(target, namespace, job));
        };
        if (job === undefined) throw await says("was deleted");
        const end = endOf(job);
        if (end?.failed === true)
          throw await says(end.reason === "DeadlineExceeded" ? `did not end within ${deadlineOf(job)} s` : "failed");
        if (!pods.some((pod) => imageTroubles(startOf(pod)).length > 0 || isKept(pod))) stuckSince.delete(name);
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

/** What keeps a pod of a Job from its end, or why it failed. */
interface Fault {
  /** The sidecar or init container at fault. @default - the program, or nothing that runs */
  readonly part?: PodPart | undefined;
  readonly lines: readonly string[];
  /** What runs and does not end, so that only its log says why. @default - nothing */
  readonly running?: { readonly pod: LiveObject; readonly status: ContainerStatus };
}

/** The pod does not start, an image does not come, or containers have ended with an error, or one is waited for. */
function faultsOf(pod: LiveObject, service: string): Fault[] {
  const start = notStarted(startOf(pod), []);
  if (start !== undefined) return [{ lines: [start.seen] }];
  const partIn = (name: string) => partOf(specOf(pod), name, service);
  const troubles = imageTroubles(startOf(pod));
  if (troubles.length > 0)
    return troubles.map(({ name, seen }) => {
      const part = partIn(name);
      return { part, lines: [part === undefined ? seen : `${part.title}: ${seen}`] };
    });
  const { before, own } = statusesOf(pod);
  // A sidecar is stopped after the program, so that how it then ends says nothing.
  const failed = [...before, ...own].flatMap(({ name, state: { terminated } }) => {
    const part = partIn(name);
    return part?.kind === "sidecar" ? [] : exitOf(part, terminated);
  });
  if (failed.length > 0) return failed;
  const crashes = before.flatMap(({ name, state, lastState }) =>
    state.waiting?.reason === "CrashLoopBackOff" ? exitOf(partIn(name), lastState?.terminated) : [],
  );
  if (crashes.length > 0) return crashes;
  const status = runningFirst(specOf(pod), before);
  const part = status && partIn(status.name);
  if (status === undefined || part === undefined) return [];
  const what = part.kind === "init" ? "it runs, and the job waits for its end" : "it runs, but is not ready";
  return [{ part, lines: [`${part.title}: ${what}`], running: { pod, status } }];
}

/** With the last lines of its log, which are in the message of a container that has ended with an error. */
function exitOf(part: PodPart | undefined, ended: Ended | undefined): Fault[] {
  const { exitCode = 0, reason = "", message = "" } = ended ?? {};
  if (exitCode === 0) return [];
  const known = reason === "Error" || reason === "" ? "" : ` (${reason})`;
  return [{ part, lines: withLog(`${part?.title ?? "it"} exited with status ${exitCode}${known}`, linesOf(message)) }];
}

const withLog = (what: string, log: readonly string[]): string[] =>
  log.length === 0
    ? [`${what}, and its log is empty`]
    : [`${what}; its last log lines:`, ...log.map((line) => `  ${line}`)];

/** Whether a sidecar crashes again and again before the program has started, which it then never does. */
function isKept(pod: LiveObject): boolean {
  const { before, own } = statusesOf(pod);
  return (
    own.every(({ state }) => state.waiting?.reason === "PodInitializing") &&
    before.some(({ state, restartCount }) => state.waiting?.reason === "CrashLoopBackOff" && restartCount >= 2)
  );
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
  service: string,
  faults: readonly Fault[],
  builds: Readonly<Record<string, string>>,
  serving: string,
): Problem {
  const { part, running } = faults.find((fault) => fault.part !== undefined) ?? {};
  const key = `services.${service}${part?.key ?? ".release"}`;
  const folder = part?.ownImage === false || running !== undefined ? undefined : builds[service];
  const lines = faults.flatMap((fault) => fault.lines.map((line) => `\n  ${line}`)).join("");
  const other = running !== undefined && part?.kind === "init" ? ", or what it waits for" : "";
  return new Problem(
    `The release job of ${service} (${name}) ${what}${serving}.${lines}`,
    `Fix ${folder === undefined ? "" : `the program in ${folder}, or `}${key} in the stack's config${other}, and run this again.`,
  );
}
