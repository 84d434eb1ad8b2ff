/** Looks at a stack until what fails there is nothing that passes by itself, or the time is over. */
import { setTimeout as sleep } from "node:timers/promises";
import { duration } from "../cli/progress.ts";
import { examine } from "./examine.ts";
import { firstFailure, type Report } from "./report.ts";
import type { Sources } from "./sources.ts";

export interface Patience {
  /** How long to go on, seconds; with 0 it is looked at once. */
  readonly wait: number;
  /** Between two looks, seconds. @default 10 */
  readonly pause?: number;
  /** Told what is being done. */
  readonly say: (what: string) => void;
}

export async function follow(sources: Sources, { wait, pause = 10, say }: Patience): Promise<Report> {
  const end = Date.now() + wait * 1000;
  const tell = (what: string) => {
    say(wait === 0 ? what : `${duration(Math.max(0, end - Date.now()) / 1000)} left: ${what}`);
  };
  for (;;) {
    const report = await examine(sources, tell);
    const failure = firstFailure(report);
    const left = end - Date.now();
    if (failure?.passing !== true || left <= 0) return report;
    tell(`${failure.title}: ${failure.seen}`);
    await sleep(Math.min(pause * 1000, left));
  }
}
