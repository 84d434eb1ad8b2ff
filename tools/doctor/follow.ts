/** Examines a stack repeatedly, as long as the failure is temporary and the time is not up. */
import { setTimeout as sleep } from "node:timers/promises";
import { duration } from "../cli/progress.ts";
import { examine } from "./examine.ts";
import { firstFailure, type Report } from "./report.ts";
import type { Sources } from "./sources.ts";

export interface FollowOptions {
  /** How long to repeat; 0 examines once. Seconds. */
  readonly wait: number;
  /** Pause between two examinations. Seconds. @default 10 */
  readonly pause?: number;
  /** Receives progress texts. */
  readonly say: (what: string) => void;
}

export async function follow(sources: Sources, { wait, pause = 10, say }: FollowOptions): Promise<Report> {
  const end = Date.now() + wait * 1000;
  const report = (what: string) => {
    say(wait === 0 ? what : `${duration(Math.max(0, end - Date.now()) / 1000)} left: ${what}`);
  };
  for (;;) {
    const found = await examine(sources, report);
    const failure = firstFailure(found);
    const remaining = end - Date.now();
    if (failure?.passing !== true || remaining <= 0) return found;
    report(`${failure.title}: ${failure.seen}`);
    await sleep(Math.min(pause * 1000, remaining));
  }
}
