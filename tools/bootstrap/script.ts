/** The bootstrap steps as a shell script. */
import { bootstrapSteps, projectNumber, projectNumberCommand, workflowVariables, type BootstrapArgs } from "./steps.ts";

export function bootstrapScript(args: BootstrapArgs): string {
  const steps = bootstrapSteps(args).map(({ why, command, exists }) =>
    [`# ${why}`, exists === undefined ? line(command) : `${line(exists)} >/dev/null 2>&1 ||\n  ${line(command)}`].join(
      "\n",
    ),
  );
  const variables = workflowVariables(args).map((command) => line(["echo", command.join(" ")]));
  const number = args.repository === undefined ? [] : [`PROJECT_NUMBER=$(${line(projectNumberCommand(args.project))})`];
  return [
    `#!/bin/sh\n# Run once for the project ${args.project}, as an owner of it. It is safe to run again.\nset -eu`,
    ...number,
    ...steps,
    ...(variables.length === 0
      ? []
      : [`# For the workflows: run these as somebody who can set the repository's variables\n${variables.join("\n")}`]),
  ]
    .join("\n\n")
    .concat("\n");
}

const line = (command: readonly string[]) => command.map(quote).join(" ");

/** Quotes a word for a POSIX shell, which may expand only the project number. */
export function quote(word: string): string {
  if (/^[\w/:=.,@+-]+$/.test(word)) return word;
  if (!word.includes(projectNumber)) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `"${word
    .split(projectNumber)
    .map((part) => part.replaceAll(/["$`\\]/g, "\\$&"))
    .join(projectNumber)}"`;
}
