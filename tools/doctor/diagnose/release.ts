/** Checks the job of a service's release: the new pods start only after it has succeeded. */
import { nameLabel, releaseName } from "../../../names/kubernetes.ts";
import type { Deployment, Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import { remediesOf, type Subject } from "../subject.ts";
import { unknown } from "./behindProxy.ts";
import { createdAt, endOf, failureOf, hasFailed, newestFirst, shownTime, stuck, type Run } from "./jobs.ts";
import type { Workload } from "./trouble.ts";

export function release(objects: Objects | string, workload: Workload, subject: Subject, now: Date): Finding {
  if (typeof objects === "string") return unknown(objects);
  const { name, key } = workload;
  const own = objects.jobs.filter(({ metadata }) => metadata.labels?.[nameLabel] === releaseName(name));
  const [job] = newestFirst(own);
  const deployment = objects.deployments.find(({ metadata }) => metadata.name === name);
  if (job === undefined)
    return {
      state: "warning",
      seen: "there is no such job",
      means: "It was never applied, or somebody deleted it. The next update runs it.",
      fix: subject.apply,
    };
  const remedies = remediesOf(subject);
  const run: Run = { ...workload, start: `${key}.release`, deadline: `${key}.release.timeoutSeconds` };
  const id = `${job.metadata.name}, ${shownTime(createdAt(job))}`;
  const consequence = isServing(deployment)
    ? "The new pods do not start before it succeeds; those that run serve on."
    : `No pod of ${name} starts before it succeeds.`;
  if (hasFailed(job)) {
    const { seen, means, fix } = failureOf(job, objects, run, remedies, now);
    return { state: "failed", seen: `it failed (${id}): ${seen}`, means: `${means} ${consequence}`, fix };
  }
  if (endOf(job) !== undefined) return { state: "ok", seen: `it succeeded (${id})` };
  const trouble = stuck(job, objects, run, remedies, now);
  if (trouble !== undefined)
    return {
      state: "failed",
      ...trouble,
      seen: `it cannot start (${id}): ${trouble.seen}`,
      means: `${trouble.means} ${consequence}`,
    };
  return {
    state: isServing(deployment) ? "warning" : "failed",
    seen: `it is in progress (${id})`,
    means: consequence,
    fix: `${subject.kubectl} logs --follow job/${job.metadata.name}`,
    passing: true,
  };
}

const isServing = (deployment: Deployment | undefined): boolean => (deployment?.status?.readyReplicas ?? 0) > 0;
