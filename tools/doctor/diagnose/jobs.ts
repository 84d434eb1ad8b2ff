/** Why a Job has failed, or does not start: of a release, or a run of a schedule. */
import { oneLine } from "../../apply/podStates.ts";
import type { Condition, Job, Objects, Pod } from "../gather/objects.ts";
import { containerTrouble } from "./containers.ts";
import { nodeTrouble, placementTrouble, refusalOf } from "./placement.ts";
import { creationTrouble, isReady } from "./pods.ts";
import { imageOf, short, type Remedies, type Trouble, type Workload } from "./trouble.ts";

/** What runs in a Job, and the keys of the config to edit. */
export interface Run extends Workload {
  /** Key of the command and arguments, such as `services.shop.release`. */
  readonly start: string;
  /** Key of the longest time that it may take. */
  readonly deadline: string;
}

/** How a Job ended; undefined while it has not. */
export const endOf = ({ status }: Job): Condition | undefined =>
  status?.conditions?.find(({ type, status: is }) => ["Complete", "Failed"].includes(type) && is === "True");
export const hasFailed = (job: Job): boolean => endOf(job)?.type === "Failed";

const time = (text: string | undefined): number => Date.parse(text ?? "") || 0;
export const createdAt = ({ metadata }: Job): number => time(metadata.creationTimestamp);
export const newestFirst = (jobs: readonly Job[]): Job[] => [...jobs].sort((a, b) => createdAt(b) - createdAt(a));

/** `2026-06-01 03:00 UTC` */
export const shownTime = (date: Date | number): string =>
  `${new Date(date).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const podsOf = ({ metadata: { name } }: Job, pods: readonly Pod[]): Pod[] =>
  pods
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.kind === "Job" && owner.name === name))
    .sort((a, b) => time(b.metadata.creationTimestamp) - time(a.metadata.creationTimestamp));

/** The end of a container that did not succeed. */
function endedBadly({ status }: Pod) {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return all.flatMap(({ state }) => state.terminated ?? []).find(({ exitCode }) => exitCode !== 0);
}

/** The last lines of a log, on one line. */
function lastLines(message: string): string {
  const lines = message.split("\n").flatMap((line) => (line.trim() === "" ? [] : oneLine(line, 200)));
  return lines.length === 0 ? ", and its log is empty" : `: ${lines.slice(-3).join(" | ")}`;
}

/** Why the Job has failed. */
export function failureOf(
  job: Job,
  { pods, events }: Pick<Objects, "pods" | "events">,
  run: Run,
  remedies: Remedies,
  now: Date,
): Trouble {
  const { name } = job.metadata;
  const { reason = "", message = "" } = endOf(job) ?? {};
  const { kubectl, edit } = remedies;
  if (reason === "DeadlineExceeded") {
    // Its pods are gone by then.
    const warning = events.findLast(
      ({ type, involvedObject: of }) => type === "Warning" && of.kind === "Pod" && of.name.startsWith(`${name}-`),
    );
    const said = warning === undefined ? "" : `; its pod: ${warning.reason}: ${short(warning.message)}`;
    return {
      seen: `it did not end within ${job.spec.activeDeadlineSeconds ?? "its"} s${said}`,
      means: "Kubernetes ended it: it hangs, takes longer than it may, or never started.",
      fix: `${edit(run.deadline, "Raise")}   # or make it faster: its log is in the cluster's log storage`,
    };
  }
  const pod = podsOf(job, pods).find((each) => endedBadly(each) !== undefined);
  const ended = pod && endedBadly(pod);
  if (pod === undefined || ended === undefined)
    return {
      seen: `${reason}: ${short(message)}`,
      means: "Its pods are gone, and with them what they said.",
      fix: `${kubectl} describe job ${name}`,
    };
  if (ended.reason === "OOMKilled")
    return {
      seen: "OOMKilled",
      means: "It was killed because it used more memory than its limit.",
      fix: edit(`${run.key}.resources.memory`, "Raise"),
    };
  const unstarted = ["StartError", "ContainerCannotRun"].includes(ended.reason ?? "")
    ? containerTrouble([pod], events, { workload: run, remedies, now })
    : undefined;
  if (unstarted !== undefined) return { ...unstarted, fix: edit(run.start) };
  return {
    seen: `it exited with status ${ended.exitCode}${lastLines(ended.message ?? "")}`,
    means: "The program ended with an error.",
    fix: `${kubectl} logs ${pod.metadata.name}   # then: ${edit(`${imageOf(run)} or ${run.start}`)}`,
  };
}

/** A pod may need a new node, which takes 1 to 3 minutes. */
const newNode = 5 * 60_000;

/** Why the pods of a Job that has not ended do not run; undefined if they do, or are on their way. */
export function stuck(job: Job, objects: Objects, run: Run, remedies: Remedies, now: Date): Trouble | undefined {
  const { events, nodes } = objects;
  const own = podsOf(job, objects.pods);
  const waiting = own.filter(
    (pod) => !isReady(pod) && !["Failed", "Succeeded"].includes(pod.status.phase) && endedBadly(pod) === undefined,
  );
  const first = (find: (pod: Pod) => Trouble | undefined) => waiting.map(find).find((trouble) => trouble !== undefined);
  if (own.length === 0) {
    const refused = events.findLast(
      ({ involvedObject: of, reason }) =>
        of.kind === "Job" && of.name === job.metadata.name && reason === "FailedCreate",
    );
    return refused && refusalOf(refused.message, `describe job ${job.metadata.name}`, remedies);
  }
  return (
    first((pod) => nodeTrouble(pod, nodes, remedies)) ??
    containerTrouble(waiting, events, { workload: run, remedies, now }) ??
    first((pod) => {
      const trouble = placementTrouble(pod, { events, nodes }, run, remedies);
      return trouble && { ...trouble, passing: now.getTime() - time(pod.metadata.creationTimestamp) < newNode };
    }) ??
    first((pod) => creationTrouble(pod, { events }, run, remedies, now))
  );
}
