/**
 * Times of a schedule, as Kubernetes reads them. Other programs know more: seconds, `L`, `W`, `#`, `H`, 7 for Sunday.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Words for the numbers from `least` on. */
  readonly words: readonly string[];
}

const fields: readonly Field[] = [
  { name: "minute", least: 0, most: 59, words: [] },
  { name: "hour", least: 0, most: 23, words: [] },
  { name: "day of the month", least: 1, most: 31, words: [] },
  {
    name: "month",
    least: 1,
    most: 12,
    words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "day of the week", least: 0, most: 6, words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const words: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
export const cronWords = Object.keys(words);

/** Most days of each month. */
const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export interface CronTrouble {
  readonly rule: string;
  readonly fix: string;
}

/** @returns what Kubernetes would refuse, or would never run; undefined for a good schedule */
export function cronTrouble(schedule: string): CronTrouble | undefined {
  const text = schedule.trim();
  if (schedule.startsWith("@")) {
    if (cronWords.includes(schedule)) return undefined;
    return /^@every/.test(text)
      ? {
          rule: "counts from the last run, which a new cluster does not know",
          fix: "write a step, such as */15 * * * *",
        }
      : { rule: "is no word of cron", fix: `write five fields, or one of ${cronWords.join(", ")}` };
  }
  if (/^(CRON_)?TZ=/.test(text)) return { rule: "has a time zone", fix: "write it as timeZone" };
  const parts = text.split(/\s+/);
  if (parts.length !== fields.length)
    return {
      rule: `has ${parts.length === 1 ? "1 field" : `${parts.length} fields`}, and cron has five: ${fields.map(({ name }) => name).join(", ")}`,
      fix:
        parts.length > 5 ? "leave out seconds and years, such as 0 3 * * *" : "write such as 0 3 * * * (each day at 3)",
    };
  const read = fields.map((field, index) => valuesOf(parts[index] ?? "", field));
  const wrong = read.find((each) => "rule" in each);
  if (wrong !== undefined && "rule" in wrong) return wrong;
  const [, , days, months] = read as ReadonlySet<number>[];
  const comes = [...(months ?? [])].some((month) => Math.min(...(days ?? [])) <= (daysOfMonth[month - 1] ?? 0));
  // Where both are given, either of the two days is enough.
  return comes || !/^[*?]/.test(parts[4] ?? "")
    ? undefined
    : { rule: "never comes: no such month has that day", fix: "write a day that the month has" };
}

/** The times of a schedule, as the numbers that each field has. */
export interface CronTimes {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Whether one of the two kinds of day is enough: where both are given. */
  readonly eitherDay: boolean;
}

/** @returns undefined for what is no good schedule */
export function cronTimes(schedule: string): CronTimes | undefined {
  if (cronTrouble(schedule) !== undefined) return undefined;
  const text = schedule.trim();
  const parts = (words[text] ?? text).split(/\s+/);
  const [minutes, hours, days, months, weekdays] = fields.map((field, index) => {
    const values = valuesOf(parts[index] ?? "", field);
    return "rule" in values ? new Set<number>() : values;
  });
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  // https://pkg.go.dev/github.com/robfig/cron/v3: a step above 1 makes a star a list.
  const isAny = (part = "") => part.split(",").some((item) => /^[*?](\/0*1)?$/.test(item));
  return { minutes, hours, days, months, weekdays, eitherDay: !isAny(parts[2]) && !isAny(parts[4]) };
}

/** Minutes of the day at which a schedule may run; undefined if it runs each hour, or is none. */
export function minutesOfDay(schedule: string): readonly number[] | undefined {
  const times = cronTimes(schedule);
  if (times === undefined || times.hours.size === 24) return undefined;
  return [...times.hours].flatMap((hour) => [...times.minutes].map((minute) => hour * 60 + minute));
}

function valuesOf(part: string, field: Field): ReadonlySet<number> | CronTrouble {
  const values = new Set<number>();
  for (const item of part.split(",")) {
    const trouble = addItem(item, field, values);
    if (trouble !== undefined) return trouble;
  }
  return values;
}

function addItem(item: string, field: Field, values: Set<number>): CronTrouble | undefined {
  const { name, least, most } = field;
  const says = (rule: string, fix: string): CronTrouble => ({
    rule: `has ${item || "nothing"} as ${name}, which ${rule}`,
    fix,
  });
  const form = /^(?<range>[*?]|(?<from>\w+)(-(?<to>\w+))?)(\/(?<step>\d+))?$/.exec(item)?.groups;
  if (form === undefined)
    return says(
      "Kubernetes does not know",
      "write *, a number, a range such as 1-5, a list such as 1,3 or a step such as */5",
    );
  const numberOf = (text: string) =>
    /^\d+$/.test(text)
      ? Number(text)
      : field.words.includes(text.toLowerCase())
        ? field.words.indexOf(text.toLowerCase()) + least
        : undefined;
  const isAny = form["from"] === undefined;
  const from = isAny ? least : numberOf(form["from"] ?? "");
  const to =
    isAny || (form["step"] !== undefined && form["to"] === undefined)
      ? most
      : numberOf(form["to"] ?? form["from"] ?? "");
  const step = Number(form["step"] ?? 1);
  if (from === undefined || to === undefined)
    return says(
      "Kubernetes does not know",
      `write numbers from ${least} to ${most}${field.words.length > 0 ? `, or words such as ${field.words[1] ?? ""}` : ""}`,
    );
  if (name === "day of the week" && (from === 7 || to === 7))
    return says("is after Saturday: Sunday is 0", "write 0 for Sunday, in a list if need be, such as 5,6,0");
  if (from < least || to > most) return says("is out of range", `write numbers from ${least} to ${most}`);
  if (from > to) return says("ends before it begins", `write two ranges, such as ${from}-${most},${least}-${to}`);
  if (step === 0) return says("has no steps", "write a step of at least 1");
  for (let value = from; value <= to; value += step) values.add(value);
  return undefined;
}
