/** Recurrence rules of RFC 5545, as far as GKE's maintenance windows use them. Days are in UTC, as Google reads them. */

const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
const day = 24 * 3_600_000;

export interface Recurrence {
  readonly frequency: "DAILY" | "WEEKLY" | "MONTHLY";
  readonly interval: number;
  /** Index of the weekday, from Sunday; `nth` counts within a month, -1 is the last. @default - by the start */
  readonly byDay?: readonly { readonly weekday: number; readonly nth?: number }[];
  readonly byMonthDay?: readonly number[];
  readonly bySetPos?: readonly number[];
  /** First day of a week. */
  readonly weekStart: number;
}

/**
 * Google takes no frequency above a day, and a rule that ends would leave no window.
 * https://cloud.google.com/sdk/gcloud/reference/container/clusters/update#--maintenance-window-recurrence
 * @returns undefined for a text that is no such rule
 */
export function parseRecurrence(text: string): Recurrence | undefined {
  const parts = text.split(";").map((part) => part.split("="));
  const values = new Map(parts.map(([name = "", value = ""]) => [name, value]));
  const isKnown = ([name = "", value = "", ...rest]: readonly string[]) =>
    rest.length === 0 && forms.get(name)?.test(value) === true;
  const frequency = values.get("FREQ") as Recurrence["frequency"] | undefined;
  if (values.size < parts.length || !parts.every(isKnown) || frequency === undefined) return undefined;
  const numbers = (name: string) => values.get(name)?.split(",").map(Number);
  const byDay = values
    .get("BYDAY")
    ?.split(",")
    .map((each) => {
      const nth = each.slice(0, -2);
      return { weekday: weekdays.indexOf(each.slice(-2)), ...(nth !== "" && { nth: Number(nth) }) };
    });
  const [byMonthDay, bySetPos] = [numbers("BYMONTHDAY"), numbers("BYSETPOS")];
  const inMonths = [byMonthDay, bySetPos, byDay?.find(({ nth }) => nth !== undefined)];
  if (frequency !== "MONTHLY" && inMonths.some((each) => each !== undefined)) return undefined;
  if (bySetPos !== undefined && byDay === undefined && byMonthDay === undefined) return undefined;
  return {
    frequency,
    interval: Number(values.get("INTERVAL") ?? 1),
    weekStart: weekdays.indexOf(values.get("WKST") ?? "MO"),
    ...(byDay && { byDay }),
    ...(byMonthDay && { byMonthDay }),
    ...(bySetPos && { bySetPos }),
  };
}

const list = (each: string) => new RegExp(`^${each}(,${each})*$`);
const forms: ReadonlyMap<string, RegExp> = new Map([
  ["FREQ", /^(DAILY|WEEKLY|MONTHLY)$/],
  ["INTERVAL", /^[1-9]\d?$/],
  ["BYDAY", list(`([-+]?[1-5])?(${weekdays.join("|")})`)],
  ["BYMONTHDAY", list("[-+]?([1-9]|[12]\\d|3[01])")],
  ["BYSETPOS", list("[-+]?([1-9]|[12]\\d|3[01])")],
  ["WKST", new RegExp(`^(${weekdays.join("|")})$`)],
]);

/**
 * @param first start of the first window, in milliseconds, as the others
 * @returns the starts in a span, in order
 */
export function occurrences(rule: Recurrence, first: number, from: number, to: number): number[] {
  const begin = first + Math.max(0, Math.floor((from - first) / day)) * day;
  const days = Array.from({ length: Math.max(0, Math.floor((to - begin) / day) + 1) }, (_, at) => begin + at * day);
  return days.filter((time) => time >= from && isOn(rule, new Date(first), new Date(time)));
}

function isOn({ frequency, interval, byDay, weekStart, ...rest }: Recurrence, first: Date, date: Date): boolean {
  const days = Math.round((date.getTime() - first.getTime()) / day);
  const weekday = date.getUTCDay();
  const hasWeekday = (of: number) => byDay?.some((each) => each.weekday === of) ?? true;
  if (frequency === "DAILY") return days % interval === 0 && hasWeekday(weekday);
  if (frequency === "WEEKLY") {
    const week = Math.floor((((first.getUTCDay() - weekStart + 7) % 7) + days) / 7);
    return week % interval === 0 && (byDay === undefined ? weekday === first.getUTCDay() : hasWeekday(weekday));
  }
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const months = (year - first.getUTCFullYear()) * 12 + month - first.getUTCMonth();
  return months % interval === 0 && daysOf({ byDay, ...rest }, first, year, month).includes(date.getUTCDate());
}

/** Days of a month that the rule selects. */
function daysOf(
  {
    byDay,
    byMonthDay,
    bySetPos,
  }: { readonly [Key in "byDay" | "byMonthDay" | "bySetPos"]?: Recurrence[Key] | undefined },
  first: Date,
  year: number,
  month: number,
): number[] {
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const all = Array.from({ length }, (_, at) => at + 1);
  const isDay = (date: number) =>
    byDay?.some(({ weekday, nth }) => {
      if (new Date(Date.UTC(year, month, date)).getUTCDay() !== weekday) return false;
      return nth === undefined || nth === (nth > 0 ? Math.ceil(date / 7) : -Math.ceil((length - date + 1) / 7));
    }) ?? true;
  const isMonthDay = (date: number) =>
    byMonthDay?.some((each) => (each > 0 ? each : length + 1 + each) === date) ?? true;
  const chosen =
    byDay === undefined && byMonthDay === undefined
      ? all.filter((date) => date === first.getUTCDate())
      : all.filter((date) => isDay(date) && isMonthDay(date));
  return bySetPos === undefined ? chosen : bySetPos.flatMap((at) => chosen.at(at > 0 ? at - 1 : at) ?? []);
}
