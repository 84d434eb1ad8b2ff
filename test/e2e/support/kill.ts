/** Kills commands while they work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { projectDir } from "../../../tools/cli/paths.ts";
import { tree } from "../../../tools/cli/procfs.ts";

/**
 * Starts a command, and kills it after some milliseconds together with all that it has started. A process group is not
 * enough: the Pulumi CLI gives each plugin a group of its own.
 *
 * @param whole false to kill the command alone: a plugin then finishes the request that it has begun
 * @returns whether it was still running
 */
export async function killAfter(
  milliseconds: number,
  program: string,
  args: readonly string[],
  { env = {}, whole = true }: { env?: Readonly<Record<string, string>>; whole?: boolean } = {},
): Promise<boolean> {
  const child = spawn(program, args, { cwd: projectDir, env: { ...process.env, ...env }, stdio: "ignore" });
  const exit = once(child, "exit");
  await Promise.race([exit, sleep(milliseconds)]);
  const running = child.exitCode === null && child.pid !== undefined;
  if (running) for (const pid of whole ? tree(child.pid) : [child.pid]) kill(pid);
  await exit;
  return running;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // It has ended by itself.
  }
}
