/** Checks a service that runs at given times: its CronJob, and the runs that Kubernetes still knows. */
import { lastTime } from "../../../config/cronTimes.ts";
import { secretsOf, type CronJob, type Job, type Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import { remediesOf, type Subject } from "../subject.ts";
import { unknown } from "./behindProxy.ts";
import { createdAt, endOf, failureOf, hasFailed, newestFirst, shownTime, stuck, type Run } from "./jobs.ts";
import { short, type Workload } from "./trouble.ts";

/** The controller starts a run within seconds of its time. */
const patience = 10 * 60_000;

export function schedule(objects: Objects | string, workload: Workload, subject: Subject, now: Date): Finding {
  if (typeof objects === "string") return unknown(objects);
  const { name, key } = workload;
  const cronJob = objects.cronJobs.find(({ metadata }) => metadata.name === name);
  if (cronJob === undefined)
    return {
      state: "failed",
      seen: `there is no CronJob ${name}`,
      means: "Nothing starts its runs: the CronJob was never applied, or somebody deleted it.",
      fix: subject.apply,
    };
  if (cronJob.spec.suspend === true)
    return {
      state: "failed",
      seen: `the CronJob ${name} is suspended`,
      means: "Somebody suspended it: no run starts.",
      fix: `${subject.kubectl} patch cronjob ${name} -p '{"spec":{"suspend":false}}'   # starts a run at once if its time has passed`,
    };
  const run: Run = {
    ...workload,
    start: `${key}.${workload.hasCommand === true ? "command" : "args"}`,
    deadline: `${key}.deadlineSeconds`,
  };
  const runs = newestFirst(
    objects.jobs.filter(({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.kind === "CronJob" && owner.name === name),
    ),
  );
  const seen: Seen = { cronJob, runs, objects, run, subject, now };
  return stuckRun(seen) ?? failedRun(seen) ?? missed(seen) ?? skipped(seen) ?? changed(seen) ?? well(seen);
}

interface Seen {
  readonly cronJob: CronJob;
  /** The newest first. */
  readonly runs: readonly Job[];
  readonly objects: Objects;
  readonly run: Run;
  readonly subject: Subject;
  readonly now: Date;
}

/** `shop-cleanup-29349480, 2026-06-01 03:00 UTC` */
const idOf = (job: Job): string => `${job.metadata.name}, ${shownTime(createdAt(job))}`;

function stuckRun({ runs, objects, run, subject, now }: Seen): Finding | undefined {
  const [newest] = runs;
  if (newest === undefined || endOf(newest) !== undefined) return undefined;
  const trouble = stuck(newest, objects, run, remediesOf(subject), now);
  if (trouble === undefined) return undefined;
  const seen = `a run cannot start (${idOf(newest)}): ${trouble.seen}`;
  return { state: trouble.passing === true ? "warning" : "failed", ...trouble, seen };
}

function failedRun({ cronJob, runs, objects, run, subject, now }: Seen): Finding | undefined {
  const ended = runs.filter((job) => endOf(job) !== undefined);
  const [last] = ended;
  if (last === undefined || !hasFailed(last)) return undefined;
  const firstGood = ended.findIndex((job) => !hasFailed(job));
  const count = firstGood === -1 ? ended.length : firstGood;
  const { kubectl } = subject;
  const name = cronJob.metadata.name;
  const trouble = failureOf(last, objects, run, remediesOf(subject), now);
  const seen = `${count === 1 ? "the last run" : `each of the last ${count} runs`} failed (${idOf(last)}): ${trouble.seen}`;
  const success = cronJob.status?.lastSuccessfulTime;
  const before =
    success === undefined ? "None has succeeded yet." : `It last succeeded ${shownTime(Date.parse(success))}.`;
  if (changedAt(cronJob) > Date.parse(endOf(last)?.lastTransitionTime ?? ""))
    return {
      state: "warning",
      seen,
      means: `It was changed since, so that the next run may succeed. ${before}`,
      fix: `${kubectl} create job --from=cronjob/${name} ${name}-now   # runs it now`,
    };
  return { state: "failed", seen, means: `${trouble.means} ${before}`, fix: trouble.fix };
}

/** When somebody last wrote what the CronJob should be; 0 if that is not known. */
const changedAt = ({ metadata: { managedFields = [] } }: CronJob): number =>
  Math.max(
    0,
    ...managedFields.map(({ time, subresource }) => (subresource === undefined ? Date.parse(time ?? "") || 0 : 0)),
  );

/** The newest time of the schedule before a moment, in milliseconds; 0 if none is certain. */
const dueBefore = ({ spec }: CronJob, moment: number): number =>
  lastTime(spec.schedule, spec.timeZone ?? "Etc/UTC", new Date(moment))?.getTime() ?? 0;

const isActive = ([newest]: readonly Job[]): boolean => newest !== undefined && endOf(newest) === undefined;

/** `kubectl create job --from` marks its Jobs. The controller takes no account of them. */
const ofController = (runs: readonly Job[]): Job[] =>
  runs.filter(({ metadata }) => metadata.annotations?.["cronjob.kubernetes.io/instantiate"] !== "manual");

/** A time has passed long ago, and no run has come. */
function missed({ cronJob, runs, objects, subject, now }: Seen): Finding | undefined {
  if (isActive(ofController(runs)) && cronJob.spec.concurrencyPolicy !== "Allow") return undefined;
  const { name, creationTimestamp = "" } = cronJob.metadata;
  const { lastScheduleTime = "" } = cronJob.status ?? {};
  const due = dueBefore(cronJob, now.getTime() - patience);
  const since = Math.max(Date.parse(creationTimestamp) || 0, Date.parse(lastScheduleTime) || 0, changedAt(cronJob));
  // Unless the cluster says since when it has the CronJob, nothing is certain.
  if (since === 0 || due <= since) return undefined;
  const warning = objects.events.findLast(
    ({ type, involvedObject: of }) => type === "Warning" && of.kind === "CronJob" && of.name === name,
  );
  const said = warning === undefined ? "" : `: ${warning.reason}: ${short(warning.message)}`;
  return {
    state: "failed",
    seen: `no run has come at ${shownTime(due)}${said}`,
    means: `The cluster's controller of CronJobs did not start it${lastScheduleTime === "" ? "" : `; it started the last one at ${shownTime(Date.parse(lastScheduleTime))}`}.`,
    fix: `${subject.kubectl} describe cronjob ${name}`,
  };
}

/** With `concurrency` forbid, a run that takes longer than the interval is why others do not come. */
function skipped({ cronJob, runs, run, subject, now }: Seen): Finding | undefined {
  const [newest] = ofController(runs);
  if (newest === undefined || endOf(newest) !== undefined || cronJob.spec.concurrencyPolicy !== "Forbid")
    return undefined;
  const due = dueBefore(cronJob, now.getTime() - patience);
  if (due <= Math.max(createdAt(newest), changedAt(cronJob))) return undefined;
  return {
    state: "warning",
    seen: `the run of ${shownTime(due)} was skipped, because one is in progress (${idOf(newest)})`,
    means: "A run takes longer than the time to the next one: it hangs, or the schedule is too close.",
    fix: `${subject.kubectl} logs job/${newest.metadata.name}   # then: ${remediesOf(subject).edit(`${run.key}.schedule or ${run.deadline}`)}`,
  };
}

/** What will run, but is not what the config says, because somebody changed it in the cluster. */
function changed({ cronJob, objects, run: { name }, subject }: Seen): Finding | undefined {
  const { spec } = cronJob;
  const { template } = spec.jobTemplate.spec;
  const missing = secretsOf(template).filter((secret) => objects.missingSecrets.includes(secret));
  if (missing.length > 0)
    return {
      state: "warning",
      seen: `there is no Secret ${missing.join(", ")}`,
      means: "The next run will not start: somebody deleted it.",
      fix: subject.apply,
    };
  const settings = subject.services[name];
  const image = template.spec.containers.find((container) => container.name === name)?.image;
  const differs = (
    [
      ["schedule", spec.schedule, settings?.schedule],
      ["time zone", spec.timeZone ?? "Etc/UTC", settings?.timeZone ?? "Etc/UTC"],
      ["image", image, settings?.image],
    ] as const
  ).find(([, is, should]) => is !== undefined && should !== undefined && is !== should);
  if (differs === undefined) return undefined;
  const [what, is, should] = differs;
  return {
    state: "warning",
    seen: `its ${what} is ${is ?? ""}`,
    means: `The config has ${should ?? ""}: it was not applied, or somebody changed it in the cluster.`,
    fix: subject.apply,
  };
}

function well({ cronJob: { spec, status }, runs }: Seen): Finding {
  const zone = spec.timeZone === undefined ? "" : ` ${spec.timeZone}`;
  const last = runs.find((job) => endOf(job) !== undefined);
  const success = status?.lastSuccessfulTime;
  const ended =
    last !== undefined
      ? `the last run succeeded (${idOf(last)})`
      : success === undefined
        ? "no run has ended yet"
        : `a run last succeeded ${shownTime(Date.parse(success))}`;
  return { state: "ok", seen: `${spec.schedule}${zone}: ${ended}${isActive(runs) ? "; one is in progress" : ""}` };
}
