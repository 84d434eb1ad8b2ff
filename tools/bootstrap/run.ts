/** Runs the bootstrap script, step by step. */
import { Problem } from "../cli/problem.ts";
import { CommandError, run } from "../cli/run.ts";
import { bootstrapScript } from "./script.ts";
import type { BootstrapArgs } from "./steps.ts";

/** Prints what the script prints. @throws Problem that names the step that failed */
export async function runScript(args: BootstrapArgs): Promise<void> {
  let printed = "";
  const onOutput = (text: string) => {
    printed += text;
    process.stdout.write(text);
  };
  try {
    await run("sh", ["-s"], { input: bootstrapScript(args), onOutput });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Problem(
        "There is no sh on this machine.",
        "Run the script on a machine that has it, such as Cloud Shell: without --run, the command prints it.",
      );
    if (!(error instanceof CommandError)) throw error;
    const [step, reason] = lastStep(printed);
    throw new Problem(
      `${step} failed: ${reason}`,
      "Fix that and run the same command again. Completed steps are skipped.",
    );
  }
}

/** The last step that began, and all that was printed after it. */
function lastStep(printed: string): [step: string, reason: string] {
  const last = [...printed.matchAll(/^(\[\d+\/\d+\]).*$/gm)].at(-1);
  if (last === undefined) return ["The first step", printed.trim()];
  return [last[1] ?? "", printed.slice(last.index + last[0].length).trim()];
}
