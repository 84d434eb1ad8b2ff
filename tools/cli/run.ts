/** Runs a program and returns its output. */
import { spawn } from "node:child_process";
import { createReadStream, createWriteStream, existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { diskFull, isDiskFull } from "./disk.ts";
import { isVerbose, echo } from "./verbose.ts";

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** File to append the command's output to. @default - none */
  readonly log?: string;
  /** Text for the command's standard input. */
  readonly input?: string;
  /** File for the command's standard input, instead of `input`. */
  readonly inputFile?: string;
  /** Called with each chunk of output. */
  readonly onOutput?: (text: string) => void;
  /** Whether the output may contain secrets: `--verbose` then prints its length instead of its text. @default false */
  readonly confidential?: boolean;
  /** Kills the command after this time. Milliseconds. @default - no limit */
  readonly timeout?: number;
  /** Terminates the command. */
  readonly signal?: AbortSignal;
}

/** A command failed. `output` has the end of what it printed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly output: string;
  readonly status: number | null;

  constructor(command: string, status: number | null, output: string) {
    super(`"${command}" ended with ${status === null ? "a signal" : `status ${status}`}:\n${output}`);
    this.status = status;
    this.output = output;
  }
}

const keptOnFailure = 2000;

/** @returns the command's standard output. @throws CommandError, or Problem if the disk is full */
export async function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const verbose = isVerbose() ? echo(command, args, options.confidential) : undefined;
  // Not spawn's own timeout: if the command does not exist, that timer keeps this process alive until it fires.
  const limit = options.timeout === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), options.timeout);
  const end = () => child.kill("SIGTERM");
  options.signal?.addEventListener("abort", end);
  if (options.log !== undefined) mkdirSync(dirname(options.log), { recursive: true });
  const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: "a" });
  log?.on("error", () => undefined); // The command itself reports a full disk; a missing log is not a failure.
  const out: Buffer[] = [];
  const all: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    out.push(chunk);
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      all.push(chunk);
      log?.write(chunk);
      verbose?.output(chunk.toString());
      options.onOutput?.(chunk.toString());
    });
  }
  child.stdin.on("error", () => undefined); // A command that does not read its input can close it early.
  if (options.inputFile === undefined) child.stdin.end(options.input ?? "");
  else
    createReadStream(options.inputFile)
      .on("error", (error) => child.stdin.destroy(error))
      .pipe(child.stdin);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => {
    clearTimeout(limit);
    options.signal?.removeEventListener("abort", end);
  });
  verbose?.ended(status);
  if (log !== undefined) {
    log.end();
    await finished(log).catch(() => undefined);
  }
  if (status !== 0) {
    const printed = Buffer.concat(all).toString().trim();
    if (isDiskFull(printed)) throw diskFull(printed);
    throw new CommandError([command, ...args].join(" "), status, printed.slice(-keptOnFailure));
  }
  return Buffer.concat(out).toString();
}

/** The path of a program on PATH. */
export function onPath(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
