/** A lock file that keeps two commands from using the same folder at once. A lock of an ended process does not count. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.ts";
import { startTime } from "./procfs.ts";

/**
 * Runs the work while this process holds the lock. The lock is reentrant.
 * @param file the lock file, outside any folder that the work removes
 * @throws Problem if another process holds the lock
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${startTime(process.pid) ?? ""}`;
  mkdirSync(dirname(file), { recursive: true });
  let holder = take(file, mine);
  if (holder === mine) return work();
  // A killed process takes a moment to end.
  for (let tries = 0; holder !== undefined && alive(holder) && tries < 10; tries++) await sleep(100);
  if (holder !== undefined && !alive(holder)) {
    rmSync(file, { force: true });
    holder = take(file, mine);
  }
  if (holder !== undefined) {
    throw new Problem(
      `Another command is working on the local Kubernetes (process ${holder.split(" ")[0] ?? "?"}).`,
      "Wait until it has ended, or end it with Ctrl-C, then run this again.",
    );
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @returns undefined if this call took the lock, otherwise the content of the lock file */
function take(file: string, mine: string): string | undefined {
  try {
    writeFileSync(file, mine, { flag: "wx" });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    return readFileSync(file, "utf8");
  }
}

function alive(holder: string): boolean {
  const [pid, started] = holder.split(" ");
  // Without a start time, the process ended before it had written the whole file.
  return started !== undefined && startTime(Number(pid)) === started;
}
