/**
 * Google refuses a maintenance policy that leaves too little time for upgrades, and only when the cluster is created.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
 */
import { keyOf, type AddProblem } from "../problems.ts";
import { occurrences, parseRecurrence } from "../recurrence.ts";
import type { Settings } from "../schema.ts";

type Gke = Extract<Settings["cluster"], { kind: "gke" }>;
type Maintenance = Gke["maintenance"];
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

/** At most so many exclusions of any scope. https://github.com/hashicorp/terraform-provider-google-beta/pull/5947 */
const mostExclusions = 20;

/**
 * Days from now until which minor upgrades can be held back at the very most: until the end of the version's support, which
 * is 24 months after its release in the channel EXTENDED, and 14 in the others, with half a year for the Rapid channel.
 * https://cloud.google.com/kubernetes-engine/versioning#lifecycle
 */
const supportDays = { extended: 915, standard: 610 };

/** Windows that touch a span; those that touch each other are one. */
function windows({ start, end, recurrence }: Maintenance, [from, to]: Interval): Interval[] {
  const rule = parseRecurrence(recurrence);
  if (rule === undefined) return [];
  const first = Date.parse(start);
  const length = Date.parse(end) - first;
  const joined: [number, number][] = [];
  for (const begin of occurrences(rule, first, from - length, to)) {
    const last = joined.at(-1);
    if (last !== undefined && begin <= last[1]) last[1] = Math.max(last[1], begin + length);
    else joined.push([begin, begin + length]);
  }
  return joined;
}

const withoutUpgrades = ({ exclusions }: Maintenance): Interval[] =>
  Object.values(exclusions)
    .filter(({ scope }) => scope === "NO_UPGRADES")
    .map(({ start, end }) => [Date.parse(start), Date.parse(end)]);

/**
 * The least hours of windows in any span of so many days: in the first 400 days, and around each exclusion, which may be
 * years after the start.
 */
function leastHours(maintenance: Maintenance, days: number): number {
  const first = Date.parse(maintenance.start);
  const span = days * day;
  const periods = [
    [first, first + 400 * day] as const,
    ...withoutUpgrades(maintenance).map(([from, to]) => [Math.max(first, from - span), to + span] as const),
  ];
  return (
    Math.min(
      ...periods.flatMap(([from, to]) => {
        const open = available(maintenance, [from, to]);
        // The least is found where a window ends, or where the span ends at the beginning of one.
        const begins = [from, ...open.map(([, end]) => end), ...open.map(([begin]) => begin - span)];
        return begins
          .filter((begin) => begin >= from && begin + span <= to)
          .map((begin) =>
            open.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, begin + span) - Math.max(a, begin)), 0),
          );
      }),
    ) / hour
  );
}

/** Windows less the exclusions in which nothing is upgraded; what remains of one counts from four hours on. */
function available(maintenance: Maintenance, period: Interval): readonly Interval[] {
  let open = windows(maintenance, period);
  for (const [from, to] of withoutUpgrades(maintenance))
    open = open.flatMap(([a, b]) =>
      [[a, Math.min(b, from)] as const, [Math.max(a, to), b] as const].filter(([x, y]) => y > x),
    );
  return open.filter(([a, b]) => b - a >= shortest);
}

const moreTime = (maintenance: Maintenance) =>
  withoutUpgrades(maintenance).length === 0
    ? "name more days, or make the window longer"
    : "name more days, make the window longer, or exclude less";

const span = (start: string, end: string) => Date.parse(end) - Date.parse(start);

export function checkMaintenance(
  { maintenance, releaseChannel }: Pick<Gke, "maintenance" | "releaseChannel">,
  add: AddProblem,
  now = Date.now(),
): void {
  const { start, end, recurrence, exclusions } = maintenance;
  const supported = supportDays[releaseChannel === "EXTENDED" ? "extended" : "standard"];
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
    else if (exclusion.scope !== "NO_UPGRADES" && Date.parse(exclusion.end) > now + supported * day)
      refuse(
        ["maintenance", "exclusions", name, "end"],
        exclusion.end,
        `is later than the support of any version in the channel ${releaseChannel}, and Google holds no minor upgrade back beyond that`,
        "choose an earlier end, within a year from now",
      );
  }
  const count = Object.keys(exclusions).length;
  if (count > mostExclusions)
    refuse(
      ["maintenance", "exclusions"],
      Object.keys(exclusions),
      `has ${count} exclusions, and Google takes ${mostExclusions}`,
      "remove some, such as those of the past",
    );
  const complete = withoutUpgrades(maintenance).length;
  if (complete > maxExclusions)
    refuse(
      ["maintenance", "exclusions"],
      Object.keys(exclusions),
      `has ${complete} exclusions with scope NO_UPGRADES, and Google takes ${maxExclusions}`,
      "remove some, or give them the scope NO_MINOR_UPGRADES",
    );
  if (refused.length > 0) return;
  const hours = leastHours(maintenance, looseDays);
  if (hours < neededHours)
    add(
      ["maintenance", "recurrence"],
      recurrence,
      `leaves ${Math.floor(hours)} hours of windows in some ${looseDays} days, and Google needs ${neededHours} in windows of 4 hours or more`,
      moreTime(maintenance),
    );
}

/** What Google may refuse, depending on which of its two numbers holds. */
export function maintenanceWarnings({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke") return [];
  const { maintenance } = cluster;
  const hours = leastHours(maintenance, strictDays);
  const long = Object.entries(maintenance.exclusions).filter(
    ([, { scope, start, end }]) => scope === "NO_UPGRADES" && span(start, end) > strictExclusionDays * day,
  );
  const source = `Google's API has refused this ("longer than ${strictDays}d without ${neededHours}h maintenance availability"), its documentation allows it (${neededHours} hours in ${looseDays} days)`;
  return [
    ...(hours < neededHours
      ? [
          `${keyOf(["cluster", "maintenance", "recurrence"])}: ${JSON.stringify(maintenance.recurrence)} leaves ${Math.floor(hours)} hours of windows in some ${strictDays} days: ${source}; ${moreTime(maintenance)}`,
        ]
      : []),
    ...long.map(
      ([name]) =>
        `${keyOf(["cluster", "maintenance", "exclusions", name])}: is longer than ${strictExclusionDays} days: ${source}; choose an earlier end`,
    ),
  ];
}
