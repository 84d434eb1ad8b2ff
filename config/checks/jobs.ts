/** What runs to its end: the times of schedules, and the names of releases' jobs. */
import { releaseName } from "../../names/kubernetes.ts";
import { clockChanges } from "../clocks.ts";
import { cronTrouble, minutesOfDay } from "../cron.ts";
import { keyOf, nearest, problem, type ConfigProblem } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";

export function checkJobs({ services }: Pick<Settings, "services">): ConfigProblem[] {
  return Object.entries(services).flatMap(([name, service]) => [
    ...checkSchedule(name, service),
    ...(service.release !== undefined && Object.hasOwn(services, releaseName(name))
      ? [
          problem(
            ["services", releaseName(name)],
            releaseName(name),
            `is the name of the job in services.${name}.release`,
            "choose another name",
          ),
        ]
      : []),
  ]);
}

function checkSchedule(name: string, { schedule, timeZone }: ServiceSettings): ConfigProblem[] {
  const trouble = schedule === undefined ? undefined : cronTrouble(schedule);
  return [
    ...(trouble === undefined ? [] : [problem(["services", name, "schedule"], schedule, trouble.rule, trouble.fix)]),
    ...(timeZone === undefined || isTimeZone(timeZone)
      ? []
      : [problem(["services", name, "timeZone"], timeZone, "is not the name of a time zone", zoneFix(timeZone))]),
  ];
}

/** @param now milliseconds since 1970 */
export function jobWarnings({ services }: Pick<Settings, "services">, now = Date.now()): string[] {
  return Object.entries(services).flatMap(([name, { schedule, timeZone = "Etc/UTC" }]) => {
    const times = schedule === undefined ? undefined : minutesOfDay(schedule);
    if (times === undefined) return [];
    const kinds = clockChanges(timeZone, now)
      .filter(({ from, to }) => times.some((time) => time >= from && time < to))
      .map(({ kind }) => (kind === "twice" ? "comes twice" : "does not come"));
    return kinds.length === 0
      ? []
      : [
          `${keyOf(["services", name, "schedule"])}: ${[...new Set(kinds)].sort().reverse().join(", and ")} on the day on which clocks change in ${timeZone}; choose another hour, or leave out timeZone`,
        ];
  });
}

/** The names of three letters that the files have. JavaScript knows more of them. */
const short = ["CET", "EET", "EST", "GMT", "HST", "MET", "MST", "PRC", "ROC", "ROK", "UCT", "UTC", "WET"];
const zones = (): readonly string[] => ["Etc/UTC", ...Intl.supportedValuesOf("timeZone")];

/** The name as the files have it, whatever its case. */
const listed = (name: string): string | undefined => zones().find((zone) => zone.toLowerCase() === name.toLowerCase());

/**
 * Kubernetes reads the names from files, so that their case counts. The list has only one of several names of a zone.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones
 */
export function isTimeZone(name: string): boolean {
  const known = listed(name);
  if (known !== undefined) return known === name;
  if (/^[A-Z]{3}$/.test(name)) return short.includes(name);
  if (!/^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function zoneFix(name: string): string {
  const same = listed(name);
  if (same !== undefined) return `write ${same}`;
  const place = name.replace(/.*\//, "").toLowerCase().replaceAll(" ", "_");
  const near = zones().find((zone) => zone.toLowerCase().endsWith(`/${place}`)) ?? nearest(name, zones());
  return `write the name of a place, such as ${near ?? "Europe/Paris"}, or Etc/UTC`;
}
