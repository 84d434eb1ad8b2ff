/** When the times of a schedule were. */
import { cronTimes, type CronTimes } from "./cron.ts";

const [minute, day] = [60_000, 24 * 3_600_000];
/** Longer ago is no news: a schedule of each year has been in it. */
const mostDays = 367;

/**
 * @param before the newest time of the schedule that is not after it
 * @returns undefined if there was none within a year, or the schedule or its zone is not known
 */
export function lastTime(schedule: string, timeZone: string, before: Date): Date | undefined {
  const times = cronTimes(schedule);
  const wallOf = times && clock(timeZone);
  if (times === undefined || wallOf === undefined) return undefined;
  const now = Math.floor(before.getTime() / minute) * minute;
  const wall = wallOf(now);
  const [hours, minutes] = [times.hours, times.minutes].map((values) => [...values].sort((a, b) => b - a));
  const today = Math.floor(wall / day) * day;
  for (let date = today; date > today - mostDays * day; date -= day) {
    if (!isOn(times, new Date(date))) continue;
    for (const hour of hours ?? [])
      for (const each of minutes ?? []) {
        const time = date + (hour * 60 + each) * minute;
        const found = time <= wall ? instantOf(time, wall - now, wallOf) : undefined;
        if (found !== undefined && found <= now) return new Date(found);
      }
  }
  return undefined;
}

function isOn({ days, months, weekdays, eitherDay }: CronTimes, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const [isDay, isWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return eitherDay ? isDay || isWeekday : isDay && isWeekday;
}

type Clock = (instant: number) => number;

/** What the clocks of a zone show, as if they were in UTC; undefined for an unknown zone. */
function clock(timeZone: string): Clock | undefined {
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      ...{ timeZone, hourCycle: "h23", year: "numeric", month: "numeric" },
      ...{ day: "numeric", hour: "numeric", minute: "numeric" },
    });
    return (instant) => {
      const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
      const { year = 0, month = 1, day: date = 1, hour = 0, minute: minutes = 0 } = parts;
      return Date.UTC(year, month - 1, date, hour, minutes);
    };
  } catch {
    return undefined;
  }
}

/** @returns undefined for a time that the clocks skip in spring: there is no run */
function instantOf(wall: number, offset: number, wallOf: Clock): number | undefined {
  const guess = wall - offset;
  const instant = wall - (wallOf(guess) - guess);
  return wallOf(instant) === wall ? instant : undefined;
}
