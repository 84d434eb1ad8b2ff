/** When a schedule's times were, as the clocks of its zone showed them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lastTime } from "../../config/cronTimes.ts";

const at = (schedule: string, zone: string, before: string) =>
  lastTime(schedule, zone, new Date(before))?.toISOString().replace(":00.000Z", "Z");

for (const [schedule, zone, before, expected] of [
  ["0 3 * * *", "Etc/UTC", "2026-06-01T12:00:00Z", "2026-06-01T03:00Z"],
  ["0 3 * * *", "Etc/UTC", "2026-06-01T02:59:59Z", "2026-05-31T03:00Z"],
  ["0 3 * * *", "Etc/UTC", "2026-06-01T03:00:00Z", "2026-06-01T03:00Z"],
  ["0 3 * * *", "Asia/Tokyo", "2026-06-01T12:00:00Z", "2026-05-31T18:00Z"],
  ["30 5 * * *", "Asia/Kolkata", "2026-06-01T12:00:00Z", "2026-06-01T00:00Z"],
  ["*/15 * * * *", "Etc/UTC", "2026-06-01T12:44:00Z", "2026-06-01T12:30Z"],
  ["@weekly", "Etc/UTC", "2026-06-01T12:00:00Z", "2026-05-31T00:00Z"],
  ["@yearly", "Etc/UTC", "2026-06-01T12:00:00Z", "2026-01-01T00:00Z"],
  ["0 9 * * mon-fri", "Etc/UTC", "2026-05-31T12:00:00Z", "2026-05-29T09:00Z"],
  // Both kinds of day are given, so that one of them is enough: the 15th, or a Monday.
  ["0 0 15 * 1", "Etc/UTC", "2026-05-17T12:00:00Z", "2026-05-15T00:00Z"],
  ["0 0 15 * 1", "Etc/UTC", "2026-05-20T12:00:00Z", "2026-05-18T00:00Z"],
  ["0 0 31 * *", "Etc/UTC", "2026-07-01T12:00:00Z", "2026-05-31T00:00Z"],
  // In Berlin the clocks skip 02:30 on 29 March 2026, and summer time begins.
  ["30 2 * * *", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T01:30Z"],
  ["30 2 * * *", "Europe/Berlin", "2026-03-30T12:00:00Z", "2026-03-30T00:30Z"],
  ["30 4 28 * *", "Europe/Berlin", "2026-03-30T12:00:00Z", "2026-03-28T03:30Z"],
  // Longer ago than a year, or never.
  ["0 0 29 2 *", "Etc/UTC", "2026-06-01T12:00:00Z", undefined],
  ["0 0 * *", "Etc/UTC", "2026-06-01T12:00:00Z", undefined],
  ["0 0 * * *", "Europe/Nowhere", "2026-06-01T12:00:00Z", undefined],
] as const)
  test(`${schedule} in ${zone}, before ${before}: ${expected ?? "none"}`, () => {
    assert.equal(at(schedule, zone, before), expected);
  });
