/** What every command of the project has in common: options, `--help`, and one clear message when it fails. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { diskFull, diskHint, saysDiskFull } from "./disk.ts";
import { cacheDir, logsDir } from "./paths.ts";
import { Problem } from "./problem.ts";
import { beVerbose } from "./verbose.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

/** What every command takes. */
const common = `  --verbose  every program that is run and what it prints, on standard error
  --help     this text`;

/** Runs a command to its end. Problems end in what is wrong and how to fix it, and status 1; only defects show a stack. */
export async function main<O extends Options>(
  usage: string,
  options: O,
  action: (parsed: Parsed<O>) => Promise<void> | void,
): Promise<void> {
  try {
    if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
      console.log(`${usage}\n\n${common}`);
      return;
    }
    const parsed = parse(usage, options);
    if (process.argv.includes("--verbose")) {
      beVerbose();
      console.error(`Logs are kept in ${logsDir} and ${join(cacheDir, "logs")}.`);
    }
    await action(parsed);
  } catch (error) {
    process.exitCode = 1;
    console.error(explain(error));
  }
}

function parse<O extends Options>(usage: string, options: O): Parsed<O> {
  try {
    const all = { ...options, verbose: { type: "boolean" as const } };
    return parseArgs<{ options: O; allowPositionals: true }>({ options: all, allowPositionals: true });
  } catch (error) {
    throw new Problem(error instanceof Error ? error.message : String(error), usage);
  }
}

/** The stack that a command is told to work on. @throws Problem where none is named, or more than one */
export function oneStack(positionals: readonly string[], example: string): string {
  const [stack, ...rest] = positionals;
  if (stack === undefined || rest.length > 0) throw new Problem("One stack is to be named.", `For example: ${example}`);
  return stack;
}

/** Writes what a command was asked to put into a file. @throws Problem where that cannot be written */
export function writeResult(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Problem(
      `${file} could not be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name a file in a folder that is there and that you may write to.",
    );
  }
}

function explain(error: unknown): string {
  if (error instanceof Problem) return [`\nerror: ${error.message}\n${error.fix}`, hint(error)].join("");
  if (pulumi.RunError.isInstance(error)) return `\nerror: ${error.message}`;
  if (error instanceof Error && saysDiskFull(error)) return explain(diskFull(error.message));
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Much goes wrong on a full disk without saying so: an API server whose store cannot write only does not answer. */
function hint({ message }: Problem): string {
  const text = /disk/.test(message) ? undefined : diskHint();
  return text === undefined ? "" : `\n${text}`;
}
