/** What a change means for what runs to its end: the jobs of releases, and schedules. */
import { nameLabel } from "../../names/kubernetes.ts";
import { at } from "../../policy/rule.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";
import type { Consequence, Registrations } from "./consequence.ts";

export function jobConsequences(before: Registrations, after: Registrations): Consequence[] {
  const [times, now] = [schedulesOf(before), schedulesOf(after)];
  const of = (schedules: ReadonlyMap<string, string>, holds: (name: string, time: string) => boolean) =>
    [...schedules].filter(([name, time]) => holds(name, time));
  const texts = (entries: readonly (readonly [string, string])[]) => entries.map(([name, time]) => `${name}: ${time}`);
  return [
    ...about(
      "Before the new pods of these services start, the job of their release runs; if it fails, those that run serve on",
      newReleases(before, after),
    ),
    ...about("These services run by a schedule, which is new", texts(of(now, (name) => !times.has(name)))),
    ...about(
      "These services run at other times",
      of(now, (name, time) => times.has(name) && times.get(name) !== time).map(
        ([name, time]) => `${name}: ${time}, so far ${times.get(name) ?? ""}`,
      ),
    ),
    ...about("These services do not run by their schedule any more", texts(of(times, (name) => !now.has(name)))),
  ];
}

const about = (text: string, names: readonly string[]): Consequence[] => (names.length === 0 ? [] : [{ text, names }]);

/** Services whose release has a Job that is not there yet: its name has a hash of all that it runs. */
function newReleases(before: Registrations, after: Registrations): string[] {
  const jobs = ({ objects }: Registrations) => objects.filter(({ kind }) => kind === "Job");
  const known = new Set(jobs(before).map(({ metadata }) => metadata.name));
  return jobs(after)
    .filter(({ metadata }) => !known.has(metadata.name))
    .map(serviceOf);
}

function serviceOf(job: KubernetesObject): string {
  const label = at(job, `metadata.labels["${nameLabel}"]`);
  return (typeof label === "string" ? label : job.metadata.name).replace(/-release$/, "");
}

/** By name, the times of each CronJob: `0 3 * * * (Asia/Tokyo)` */
function schedulesOf({ objects }: Registrations): Map<string, string> {
  return new Map(
    objects
      .filter(({ kind }) => kind === "CronJob")
      .map((object) => {
        const { schedule, timeZone = "Etc/UTC" } = object["spec"] as { schedule: string; timeZone?: string };
        return [object.metadata.name, `${schedule} (${timeZone})`];
      }),
  );
}
