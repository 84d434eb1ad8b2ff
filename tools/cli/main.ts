/** Common to all commands: options, `--help`, and one clear message on failure. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { diskFull, diskHint, isDiskFull } from "./disk.ts";
import { cacheDir, logsDir } from "./paths.ts";
import { Problem } from "./problem.ts";
import { beVerbose } from "./verbose.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

const common = `  --verbose  print every program that is run and its output, on standard error
  --help     print this text`;

/** Runs a command. A failure exits with status 1. A Problem prints its message and fix; only defects print a stack trace. */
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
    const parsed = await parse(usage, options);
    if (process.argv.includes("--verbose")) {
      beVerbose();
      console.error(`Logs are in ${logsDir} and ${join(cacheDir, "logs")}.`);
    }
    await action(parsed);
  } catch (error) {
    process.exitCode = 1;
    console.error(explain(error));
  }
}

/**
 * Options that npm took for its own: without "--" before them, it keeps `--kind` and passes on its value as an argument.
 * `ca` may also come from the user's .npmrc. https://docs.npmjs.com/cli/commands/npm-run
 */
function refuseSwallowed(usage: string, names: readonly string[]): void {
  const { npm_lifecycle_event: script, ...env } = process.env;
  if (script === undefined) return;
  const swallowed = names.filter(
    (name) => name !== "ca" && env[`npm_config_${name.replaceAll("-", "_")}`] !== undefined,
  );
  if (swallowed.length === 0) return;
  throw new Problem(
    `The "--" before the options is missing, so that npm kept ${swallowed.map((name) => `--${name}`).join(" and ")} for itself.`,
    `Write it, as in: ${usage.split("\n")[0]?.replaceAll(/[[\]]/g, "") ?? ""}`,
  );
}

/** @throws Problem if a command that takes options alone has other arguments */
export function noArguments(positionals: readonly string[], usage: string): void {
  const [first] = positionals;
  if (first !== undefined)
    throw new Problem(
      `The argument ${JSON.stringify(first)} has no meaning here.`,
      `Leave it out, or write "--" before the options:\n${usage}`,
    );
}

async function parse<O extends Options>(usage: string, options: O): Promise<Parsed<O>> {
  refuseSwallowed(usage, Object.keys(options));
  const all = { ...options, verbose: { type: "boolean" as const } };
  try {
    return parseArgs<{ options: O; allowPositionals: true }>({ options: all, allowPositionals: true });
  } catch (error) {
    throw await wrongOption(error as NodeJS.ErrnoException, usage, Object.keys(all));
  }
}

/** Rewords an error of Node's. https://nodejs.org/api/util.html#utilparseargsconfig */
async function wrongOption({ code, message }: NodeJS.ErrnoException, usage: string, names: readonly string[]) {
  const option = /'(?:-\w, )?(--?[^\s'=]+)/.exec(message)?.[1] ?? "";
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const { nearest } = await import("../../config/problems.ts");
    const name = option.replace(/^-+/, "");
    const longer = names.filter((each) => name !== "" && each.startsWith(name));
    const meant = longer.length === 1 ? longer[0] : nearest(name, names);
    return new Problem(
      `There is no option ${option} here${meant === undefined ? "" : `: did you mean --${meant}?`}.`.replace("?.", "?"),
      `See the options:\n${usage}`,
    );
  }
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE")
    return new Problem(
      /does not take an argument/.test(message)
        ? `The option ${option} takes no value.`
        : `The option ${option} needs a value.`,
      `See the options:\n${usage}`,
    );
  return new Problem(message, `See the options:\n${usage}`);
}

/** The stack argument of a command. @throws Problem unless there is exactly one */
export function oneStack(positionals: readonly string[], example: string): string {
  const [stack, ...rest] = positionals;
  if (stack === undefined || rest.length > 0)
    throw new Problem("Name exactly one stack.", `Run for example: ${example}`);
  return stack;
}

/** Writes a result to the file that the user named. @throws Problem if it cannot be written */
export function writeResult(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Problem(
      `${file} could not be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name a file in an existing folder that you can write to.",
    );
  }
}

function explain(error: unknown): string {
  if (error instanceof Problem) return [`\nerror: ${error.message}\n${error.fix}`, hint(error)].join("");
  if (pulumi.RunError.isInstance(error)) return `\nerror: ${error.message}`;
  if (error instanceof Error && isDiskFull(error)) return explain(diskFull(error.message));
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A full disk often shows as another failure: an API server whose store cannot write just does not answer. */
function hint({ message }: Problem): string {
  const text = /disk/.test(message) ? undefined : diskHint();
  return text === undefined ? "" : `\n${text}`;
}
