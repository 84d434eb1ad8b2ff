/** Runs the bootstrap steps one after another. Existing resources are left unchanged. */
import { Problem } from "../cli/problem.ts";
import { CommandError, run } from "../cli/run.ts";
import { bootstrapSteps, projectNumber, projectNumberCommand, workflowVariables, type BootstrapArgs } from "./steps.ts";

/** @throws Problem that names the step that failed */
export async function runSteps(args: BootstrapArgs): Promise<void> {
  const steps = bootstrapSteps(args);
  const number = args.repository === undefined ? "" : await outcome(projectNumberCommand(args.project));
  const filled = (words: readonly string[]) => words.map((word) => word.replaceAll(projectNumber, number));
  for (const [index, { why, command, exists }] of steps.entries()) {
    const at = `[${index + 1}/${steps.length}]`;
    if (exists !== undefined && (await succeeds(filled(exists)))) {
      console.log(`${at} ${why}: already exists`);
      continue;
    }
    console.log(`${at} ${why}`);
    await outcome(filled(command), at);
  }
  for (const command of workflowVariables(args)) console.log(filled(command).join(" "));
}

/** Runs a command. gcloud fails instead of prompting. */
function execute([command = "", ...args]: readonly string[]): Promise<string> {
  return run(command, args, { env: { CLOUDSDK_CORE_DISABLE_PROMPTS: "1" }, timeout: 600_000 });
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  try {
    await execute(command);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw missing(command, error);
  }
}

async function outcome(command: readonly string[], step = "The first step"): Promise<string> {
  try {
    return (await execute(command)).trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw missing(command, error);
    throw new Problem(
      `${step} failed: ${error.message}`,
      "Fix that and run the same command again. Completed steps are skipped.",
    );
  }
}

function missing([command = ""]: readonly string[], error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return new Problem(
    `There is no ${command} on this machine.`,
    "Install it (https://cloud.google.com/sdk/docs/install), or omit --run and run the script on a machine that has it.",
  );
}
