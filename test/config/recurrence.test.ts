/** Recurrence rules of RFC 5545 give the days that its examples give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { occurrences, parseRecurrence } from "../../config/recurrence.ts";

const day = 24 * 3_600_000;
/** Month and day of each occurrence in the given number of days from the start on. */
const dates = (rule: string, start: string, days: number) => {
  const parsed = parseRecurrence(rule);
  assert.ok(parsed !== undefined, rule);
  const first = Date.parse(start);
  return occurrences(parsed, first, first, first + days * day).map((time) => new Date(time).toISOString().slice(5, 10));
};

test("days, weeks and months, with intervals", () => {
  const rows: [string, string, number, string[]][] = [
    ["FREQ=DAILY;INTERVAL=10", "2026-01-01T09:00:00Z", 45, ["01-01", "01-11", "01-21", "01-31", "02-10"]],
    ["FREQ=WEEKLY", "2026-01-01T09:00:00Z", 15, ["01-01", "01-08", "01-15"]],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "2026-01-06T09:00:00Z", 21, ["01-06", "01-11", "01-20", "01-25"]],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "2026-01-06T09:00:00Z", 21, ["01-06", "01-18", "01-20"]],
    ["FREQ=MONTHLY", "2026-01-31T09:00:00Z", 100, ["01-31", "03-31"]],
    ["FREQ=MONTHLY;BYDAY=1FR", "2026-01-01T09:00:00Z", 70, ["01-02", "02-06", "03-06"]],
    ["FREQ=MONTHLY;BYDAY=-2MO", "2026-01-01T09:00:00Z", 60, ["01-19", "02-16"]],
    ["FREQ=MONTHLY;BYDAY=5SA", "2026-01-01T09:00:00Z", 151, ["01-31", "05-30"]],
    ["FREQ=MONTHLY;BYMONTHDAY=-1,1", "2026-01-01T09:00:00Z", 45, ["01-01", "01-31", "02-01"]],
    ["FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01T09:00:00Z", 80, ["02-13", "03-13"]],
    ["FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01T09:00:00Z", 60, ["01-30", "02-27"]],
    ["FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=1", "2025-12-01T09:00:00Z", 400, ["12-01", "12-01"]],
  ];
  for (const [rule, start, days, expected] of rows) assert.deepEqual(dates(rule, start, days), expected, rule);
});

test("occurrences in a later span are those of the whole", () => {
  const rule = parseRecurrence("FREQ=WEEKLY;INTERVAL=3;BYDAY=SA") ?? assert.fail();
  const first = Date.parse("2019-01-05T09:00:00Z");
  const all = occurrences(rule, first, first, first + 4000 * day);
  const [from, to] = [first + 2000 * day + 1, first + 2300 * day];
  assert.deepEqual(
    occurrences(rule, first, from, to),
    all.filter((time) => time >= from && time <= to),
  );
});
