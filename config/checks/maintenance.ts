/**
 * Google refuses a maintenance policy that leaves too little time for upgrades, and only when the cluster is created.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
 */
import { keyOf, type AddProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

type Maintenance = Extract<Settings["cluster"], { kind: "gke" }>["maintenance"];
type Interval = readonly [from: number, to: number];

const hour = 3_600_000;
const day = 24 * hour;

/** Shorter windows do not count. */
const shortest = 4 * hour;
const neededHours = 48;
/**
 * The span in which those hours must lie: 32 days by the error of Google's API, 92 by the newer page above. What fails both
 * is refused, what fails the shorter one alone is a warning.
 */
const [strictDays, looseDays] = [32, 92];
/** Exclusions without any upgrade; the span's days less two. */
const [maxExclusions, strictExclusionDays, looseExclusionDays] = [3, 30, 90];

const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/** Windows over 400 days; those that touch are one. */
function windows({ start, end, recurrence }: Maintenance): Interval[] {
  const first = Date.parse(start);
  const length = Date.parse(end) - first;
  const [, frequency, interval = "1", days] =
    /^FREQ=(\w+)(?:;INTERVAL=(\d+))?(?:;BYDAY=([\w,]+))?$/.exec(recurrence) ?? [];
  const firstDay = new Date(first).getUTCDay();
  const byDay = days?.split(",") ?? (frequency === "DAILY" ? weekdays : [weekdays[firstDay]]);
  const joined: [number, number][] = [];
  for (let index = 0; index < 400; index++) {
    const from = first + index * day;
    // A week begins on Monday, if the rule does not say otherwise.
    const turn = frequency === "DAILY" ? index : Math.floor((((firstDay + 6) % 7) + index) / 7);
    if (turn % Number(interval) !== 0 || !byDay.includes(weekdays[new Date(from).getUTCDay()])) continue;
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], from + length);
    else joined.push([from, from + length]);
  }
  return joined;
}

/** The least hours of windows in any span of so many days. */
function leastHours(open: readonly Interval[], from: number, days: number): number {
  const span = days * day;
  // The least is found where a window ends, or where the span ends at the beginning of one.
  const begins = [from, ...open.map(([, to]) => to), ...open.map(([begin]) => begin - span)];
  const hours = begins
    .filter((begin) => begin >= from && begin + span <= from + 360 * day)
    .map((begin) => open.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, begin + span) - Math.max(a, begin)), 0));
  return Math.min(...hours) / hour;
}

/** Windows less the exclusions in which nothing is upgraded; what remains of one counts from four hours on. */
function available(maintenance: Maintenance): { readonly open: readonly Interval[]; readonly from: number } {
  const held = Object.values(maintenance.exclusions)
    .filter(({ scope }) => scope === "NO_UPGRADES")
    .map(({ start, end }): Interval => [Date.parse(start), Date.parse(end)]);
  let open = windows(maintenance);
  for (const [from, to] of held)
    open = open.flatMap(([a, b]) =>
      [[a, Math.min(b, from)] as const, [Math.max(a, to), b] as const].filter(([x, y]) => y > x),
    );
  return { open: open.filter(([a, b]) => b - a >= shortest), from: Date.parse(maintenance.start) };
}

const span = (start: string, end: string) => Date.parse(end) - Date.parse(start);

export function checkMaintenance(maintenance: Maintenance, add: AddProblem): void {
  const { start, end, recurrence, exclusions } = maintenance;
  const refused: unknown[] = [];
  const refuse: AddProblem = (...problem) => {
    refused.push(problem);
    add(...problem);
  };
  if (span(start, end) < shortest)
    refuse(
      ["maintenance", "end"],
      end,
      `is less than 4 hours after start, which is "${start}", and Google counts no shorter window`,
      "choose a later end",
    );
  for (const [name, exclusion] of Object.entries(exclusions)) {
    const length = span(exclusion.start, exclusion.end);
    if (length <= 0)
      refuse(
        ["maintenance", "exclusions", name, "end"],
        exclusion.end,
        `is not after start, which is "${exclusion.start}"`,
        "choose a later end",
      );
    else if (exclusion.scope === "NO_UPGRADES" && length > looseExclusionDays * day)
      refuse(
        ["maintenance", "exclusions", name, "end"],
        exclusion.end,
        `is ${Math.ceil(length / day)} days after start, and Google holds all upgrades back for at most ${looseExclusionDays}`,
        "choose an earlier end, or the scope NO_MINOR_UPGRADES",
      );
  }
  const withoutUpgrades = Object.values(exclusions).filter(({ scope }) => scope === "NO_UPGRADES").length;
  if (withoutUpgrades > maxExclusions)
    refuse(
      ["maintenance", "exclusions"],
      Object.keys(exclusions),
      `has ${withoutUpgrades} exclusions with scope NO_UPGRADES, and Google takes ${maxExclusions}`,
      "remove some, or give them the scope NO_MINOR_UPGRADES",
    );
  if (refused.length > 0) return;
  const { open, from } = available(maintenance);
  const hours = leastHours(open, from, looseDays);
  if (hours < neededHours)
    add(
      ["maintenance", "recurrence"],
      recurrence,
      `leaves ${Math.floor(hours)} hours of windows in some ${looseDays} days, and Google needs ${neededHours} in windows of 4 hours or more`,
      "name more days, or make the window longer",
    );
}

/** What Google may refuse, depending on which of its two numbers holds. */
export function maintenanceWarnings({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke") return [];
  const { maintenance } = cluster;
  const { open, from } = available(maintenance);
  const hours = leastHours(open, from, strictDays);
  const long = Object.entries(maintenance.exclusions).filter(
    ([, { scope, start, end }]) => scope === "NO_UPGRADES" && span(start, end) > strictExclusionDays * day,
  );
  const source = `Google's API has refused this ("longer than ${strictDays}d without ${neededHours}h maintenance availability"), its documentation allows it (${neededHours} hours in ${looseDays} days)`;
  return [
    ...(hours < neededHours
      ? [
          `${keyOf(["cluster", "maintenance", "recurrence"])}: ${JSON.stringify(maintenance.recurrence)} leaves ${Math.floor(hours)} hours of windows in some ${strictDays} days: ${source}; name more days, or make the window longer`,
        ]
      : []),
    ...long.map(
      ([name]) =>
        `${keyOf(["cluster", "maintenance", "exclusions", name])}: is longer than ${strictExclusionDays} days: ${source}; choose an earlier end`,
    ),
  ];
}
