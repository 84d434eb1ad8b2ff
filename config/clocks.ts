/** Changes of clocks: local times that a day leaves out, or has twice. */

const [minute, hour] = [60_000, 3_600_000];

/** Local times as minutes of the day, from the first to before the second. */
export interface ClockChange {
  readonly kind: "left out" | "twice";
  readonly from: number;
  readonly to: number;
}

/** What the clocks of a zone do within a year from a time. */
export function clockChanges(timeZone: string, from: number): ClockChange[] {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    ...({ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const),
  });
  const local = (time: number): number => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const at = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(at("year"), at("month") - 1, at("day"), at("hour"), at("minute"));
  };
  const begin = Math.floor(from / hour) * hour;
  const offset = (time: number) => local(time) - time;
  const days = Array.from({ length: 366 }, (_, day) => begin + day * 24 * hour);
  return days.flatMap((day, index) => {
    const next = days[index + 1];
    if (next === undefined || offset(day) === offset(next)) return [];
    let [low, high] = [day, next];
    while (high - low > minute) {
      const middle = low + Math.floor((high - low) / 2 / minute) * minute;
      if (offset(middle) === offset(day)) low = middle;
      else high = middle;
    }
    const [before, after] = [offset(day), offset(next)];
    const [first, last] = [high + Math.min(before, after), high + Math.max(before, after)];
    const ofDay = (time: number) => Math.floor((time % (24 * hour)) / minute);
    const start = ofDay(first);
    return [{ kind: after > before ? "left out" : "twice", from: start, to: start + (last - first) / minute } as const];
  });
}
