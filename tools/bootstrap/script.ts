/** The bootstrap steps as a shell script, which is also what `--run` executes. */
import { variables, type Step, type TakeBack, type Words } from "./commands.ts";
import { bootstrapSteps, workflowVariables, type BootstrapArgs } from "./steps.ts";

export function bootstrapScript(args: BootstrapArgs): string {
  const steps = bootstrapSteps(args);
  const parts = steps.map((step, index) =>
    [`say ${quote(`[${index + 1}/${steps.length}] ${step.why}`)}`, rendered(step)].join("\n"),
  );
  const variables = workflowVariables(args).map((command) => line(["echo", command.join(" ")]));
  return [
    `#!/bin/sh
# Run for the project ${args.project}, as an owner of it. It is safe to run again: what exists stays, and what an
# earlier run granted and no stack needs is taken back.
${functions}`,
    ...parts,
    ...(variables.length === 0
      ? []
      : [`# For the workflows: run these as somebody who can set the repository's variables\n${variables.join("\n")}`]),
  ]
    .join("\n\n")
    .concat("\n");
}

/** Google may not know for minutes what was just made: https://cloud.google.com/iam/docs/access-change-propagation */
const functions = `set -eu
export CLOUDSDK_CORE_DISABLE_PROMPTS=1 # gcloud fails instead of prompting
command -v gcloud >/dev/null || {
  echo 'There is no gcloud on this machine. Install it: https://cloud.google.com/sdk/docs/install' >&2
  exit 1
}
say() { printf '%s\\n' "$1"; }
exists() { "$@" >/dev/null 2>&1 </dev/null && say '  already exists'; }
# Runs a command again, for four minutes, while Google does not know yet what was just made.
settled() {
  seconds=2
  until output=$("$@" 2>&1 </dev/null); do
    case $output in
      *'does not exist'* | *'has not been used in project'* | *'not enabled on project'* | *SERVICE_DISABLED*) ;;
      *) seconds=999 ;;
    esac
    if [ "$seconds" -gt 128 ]; then
      say "$output" >&2
      return 1
    fi
    say "  not ready yet: next attempt in $seconds s"
    sleep "$seconds"
    seconds=$((seconds * 2))
  done
}`;

function rendered(step: Step | TakeBack): string {
  if ("list" in step) return takeBack(step);
  const { command, exists, variable } = step;
  if (variable !== undefined) return `${variable}=$(${line(command)} </dev/null)`;
  // Without input: it may be this script.
  const run = command[0] === "gcloud" ? `settled ${line(command)}` : `${line(command)} </dev/null`;
  return exists === undefined ? run : `exists ${line(exists)} ||\n  ${run}`;
}

function takeBack({ list, fields, keep, remove }: TakeBack): string {
  const grant = fields.map((field) => `$${field}`).join(" ");
  const arm = (lines: readonly string[], commands: readonly string[]) =>
    lines.length === 0 ? [] : [`    ${lines.map(pattern).join(" | \\\n      ")})`, ...commands, "      ;;"];
  const prefixes = remove.flatMap(({ lines }) => lines.filter(isPrefix)).map((text) => text.slice(0, -1));
  return [
    `grants=$(${line(list)} </dev/null)`,
    `say "$grants" | while read -r ${fields.join(" ")}; do`,
    `  case "${grant}" in`,
    ...arm(
      keep.filter((text) => prefixes.some((prefix) => text.startsWith(prefix))),
      [],
    ),
    ...remove.flatMap(({ lines, command }) =>
      arm(
        lines.filter((text) => !keep.includes(text)),
        [`      say "  takes back ${grant}"`, `      settled ${line(command)}`],
      ),
    ),
    "  esac",
    "done",
  ].join("\n");
}

const isPrefix = (text: string) => text.endsWith("*");
const pattern = (text: string) => (isPrefix(text) ? `${quote(text.slice(0, -1))}*` : quote(text));

const line = (command: Words) => command.map(quote).join(" ");

const variable = new RegExp(`(\\$(?:${variables.join("|")})\\b)`);

/** Quotes a word for a POSIX shell, which may expand only the script's variables. */
export function quote(word: string): string {
  if (/^[\w/:=.,@+-]+$/.test(word)) return word;
  const parts = word.split(variable);
  if (parts.length === 1) return `'${word.replaceAll("'", `'\\''`)}'`;
  const text = parts.map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/["$`\\]/g, "\\$&")));
  return `"${text.join("")}"`;
}
