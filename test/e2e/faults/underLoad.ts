/** Runs work on the stack under load, and reports how many requests failed, and for how long. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure, LoadOptions, LoadResult } from "./openLoad.ts";

/** Requests per second. */
const rate = Number(process.env["LOAD_RATE"] ?? 500);
/** Least number of requests per change; a tenth of it in the short version. */
export const least = process.env["SHORT"] === undefined ? 60_000 : 6_000;

/** Time that the load's process may need before its first request. Milliseconds. */
const startMs = 1000;

export interface Observed<T> {
  readonly result: T;
  readonly load: LoadResult;
  readonly requests: number;
  /** Seconds from the first failure to the last; 0 without failures. */
  readonly outage: number;
}

/**
 * Fails if the load was below the promised rate, because requests that are not sent cannot fail.
 * @param requests least number of requests. The load also continues until `work` has ended and its old pods are gone
 */
export async function underLoad<T>(
  options: Omit<LoadOptions, "rate">,
  work: () => Promise<T>,
  requests = least,
): Promise<Observed<T>> {
  const child = fork(join(import.meta.dirname, "openLoad.ts"), [JSON.stringify({ ...options, rate })]);
  const began = Date.now();
  try {
    await sleep(3000);
    const result = await work();
    await sleep(Math.max(15_000, (requests / rate) * 1000 + startMs - (Date.now() - began)));
    const answer = once(child, "message") as Promise<[LoadResult]>;
    child.send("stop");
    const [load] = await answer;
    const all = Object.values(load.sent).reduce((sum, count) => sum + count, 0);
    const achieved = (all - load.sent.websocket) / load.seconds;
    assert.ok(achieved >= 0.95 * rate, `${achieved.toFixed(0)} requests per second instead of ${rate}`);
    assert.ok(Math.min(...Object.values(load.sent)) > 0, JSON.stringify(load.sent));
    assert.ok(all >= requests, `${all} requests instead of ${requests}`);
    const times = load.failures.map(({ at }) => at);
    return {
      result,
      load,
      requests: all,
      outage: times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000,
    };
  } finally {
    child.kill();
  }
}

/** Failures grouped by what was seen, the most frequent first. */
export function kindsOf(failures: readonly Failure[]): string[] {
  const counts = new Map<string, number>();
  for (const { kind, what } of failures) {
    const key = `${kind}: ${what.replaceAll(/[0-9a-f]{32}/g, "…")}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([key, count]) => `${count} × ${key}`);
}
