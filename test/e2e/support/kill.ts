/** Kills commands while they work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { projectDir } from "../../../tools/cli/paths.ts";
import { startTime, tree } from "../../../tools/cli/procfs.ts";

/** A command that was killed, or had ended before. */
export interface Killed {
  /** Whether it was still running. */
  readonly running: boolean;
  /** Ends what it had started, if that still runs. */
  readonly end: () => void;
}

/**
 * Starts a command, and kills it after some milliseconds together with all that it has started. A process group is not
 * enough: the Pulumi CLI gives each plugin a group of its own.
 *
 * @param whole false to kill the command alone. The CLI's plugins then finish the request that they have begun, and run
 * on for minutes
 */
export async function killAfter(
  milliseconds: number,
  program: string,
  args: readonly string[],
  { env = {}, whole = true }: { env?: Readonly<Record<string, string>>; whole?: boolean } = {},
): Promise<Killed> {
  const child = spawn(program, args, { cwd: projectDir, env: { ...process.env, ...env }, stdio: "ignore" });
  const exit = once(child, "exit");
  await Promise.race([exit, sleep(milliseconds)]);
  const running = child.exitCode === null && child.pid !== undefined;
  const started = (running ? tree(child.pid) : []).map((pid) => ({ pid, since: startTime(pid) }));
  const end = () => {
    // Process ids are used again.
    for (const { pid, since } of started) if (since !== undefined && startTime(pid) === since) kill(pid);
  };
  if (whole) end();
  else child.kill("SIGKILL");
  await exit;
  return { running, end };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // It has ended by itself.
  }
}
