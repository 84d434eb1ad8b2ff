/** Runs measurements, each in a new process. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { run } from "../../cli/run.ts";
import { projectDir } from "../../cli/paths.ts";
import { Problem } from "../../cli/problem.ts";
import type { Command } from "./results.ts";

/** Runs a program of this folder. @returns its output */
export const runProgram = (program: string, ...args: readonly string[]): Promise<string> =>
  run(process.execPath, [join(import.meta.dirname, program), ...args], { cwd: projectDir });

/** Runs a program of this folder. @returns the JSON on its last line */
export async function measured<T>(program: string, ...args: readonly string[]): Promise<T> {
  const text = await runProgram(program, ...args);
  return JSON.parse(text.trim().split("\n").at(-1) ?? "") as T;
}

/** Runs a whole command, with its output to a file. The shell reports the CPU time of its children. */
export async function timed(command: readonly string[], output: string): Promise<Command> {
  const [out, errors] = [openSync(output, "w"), openSync(`${output}.errors`, "w")];
  const began = performance.now();
  const child = spawn(
    "bash",
    ["-c", 'times=$1; shift; "$@" || exit; times > "$times"', "bash", `${output}.times`, ...command],
    {
      cwd: projectDir,
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", out, errors],
    },
  );
  const [status] = (await once(child, "close")) as [number | null];
  const seconds = (performance.now() - began) / 1000;
  closeSync(out);
  closeSync(errors);
  if (status !== 0)
    throw new Problem(
      `${command.join(" ")} failed:\n${readFileSync(`${output}.errors`, "utf8").slice(-2000)}`,
      "Fix that first.",
    );
  return { seconds, cpuSeconds: cpuSeconds(readFileSync(`${output}.times`, "utf8")) };
}

/** CPU seconds from bash's `times`, whose second line has the user and system time of the children. */
export function cpuSeconds(times: string): number {
  const [, children = ""] = times.split("\n");
  const found = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  if (found.length !== 2) throw new Error(`unexpected output of "times":\n${times}`);
  return found.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
