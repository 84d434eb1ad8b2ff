/** Runs the programs that the local Kubernetes is made of. */
import { spawn } from "node:child_process";
import { createReadStream, createWriteStream, existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { diskFull, saysDiskFull } from "./disk.ts";
import { isVerbose, tell } from "./verbose.ts";

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** File that takes what the command prints, after what it already holds. @default - kept in memory alone */
  readonly log?: string;
  /** Given to the command's standard input. */
  readonly input?: string;
  /** File given to the command's standard input instead. */
  readonly inputFile?: string;
  /** Told of what the command prints, as it comes. */
  readonly onOutput?: (text: string) => void;
  /** What it prints may hold secrets: `--verbose` tells how much it was, and not what. @default false */
  readonly confidential?: boolean;
  /** Ends the command after so many milliseconds. @default - no limit */
  readonly timeout?: number;
  /** Ends the command. */
  readonly signal?: AbortSignal;
}

/** A command ended with a status other than 0; `output` holds the end of what it printed. */
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

/** @returns what the command printed to its standard output. @throws CommandError, or Problem when it ended for want of disk space */
export async function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const told = isVerbose() ? tell(command, args, options.confidential) : undefined;
  // Not spawn's own limit: after a command that cannot be found, it keeps this process alive to its end.
  const limit = options.timeout === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), options.timeout);
  const end = () => child.kill("SIGTERM");
  options.signal?.addEventListener("abort", end);
  if (options.log !== undefined) mkdirSync(dirname(options.log), { recursive: true });
  const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: "a" });
  log?.on("error", () => undefined); // Of a full disk the command itself tells; a log is not worth a failure.
  const out: Buffer[] = [];
  const all: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    out.push(chunk);
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      all.push(chunk);
      log?.write(chunk);
      told?.output(chunk.toString());
      options.onOutput?.(chunk.toString());
    });
  }
  child.stdin.on("error", () => undefined); // A command that does not read its input may close it first.
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
  told?.ended(status);
  if (log !== undefined) {
    log.end();
    await finished(log).catch(() => undefined);
  }
  if (status !== 0) {
    const printed = Buffer.concat(all).toString().trim();
    if (saysDiskFull(printed)) throw diskFull(printed);
    throw new CommandError([command, ...args].join(" "), status, printed.slice(-keptOnFailure));
  }
  return Buffer.concat(out).toString();
}

/** The file that a program's name stands for. */
export function onPath(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
