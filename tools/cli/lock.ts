/** Keeps two commands from working on the same folder at once. A lock whose process has ended is no obstacle. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.ts";
import { startTime } from "./procfs.ts";

/**
 * Runs the work while this process holds the lock; it may be taken again inside.
 * @param file the lock, outside any folder that the work removes
 * @throws Problem when another process holds it
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${startTime(process.pid) ?? ""}`;
  mkdirSync(dirname(file), { recursive: true });
  let holder = take(file, mine);
  if (holder === mine) return work();
  // A process that was just killed takes a moment to end.
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

/** @returns nothing when the lock was free and is now held, otherwise what its file says */
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
  // A file without a start is of a process that ended before it had written all.
  return started !== undefined && startTime(Number(pid)) === started;
}
