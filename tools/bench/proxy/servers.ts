/** Runs the servers of the benchmark, each on its CPUs, and never longer than this process. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../../cli/problem.ts";
import { tree } from "../../cli/procfs.ts";
import type { Program } from "./programs.ts";

/** CPU lists for `taskset`: the proxy has one CPU to itself; load and service share the others. */
export const cpus = {
  proxy: "0",
  rest: availableParallelism() > 2 ? `1-${availableParallelism() - 1}` : "1",
} as const;

/** A command on these CPUs that ends with this process, even if it is killed (https://man7.org/linux/man-pages/man1/setpriv.1.html). */
export const pinned = (on: keyof typeof cpus, [program, ...args]: Program): Program => [
  "setpriv",
  ...["--pdeathsig", "TERM", "taskset", "--cpu-list", cpus[on], program, ...args],
];

export interface Server {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

interface Start {
  readonly name: string;
  readonly command: Program;
  readonly on: keyof typeof cpus;
  readonly port: number;
  /** File for standard output and standard error. */
  readonly output: string;
  readonly env?: Readonly<Record<string, string>>;
  /** @default "/" */
  readonly path?: string | undefined;
}

/** Starts a server and waits, for at most 20 s, until it answers 200. @throws Problem with its output if it does not */
export async function startServer({ name, command, on, port, output, env, path = "/" }: Start): Promise<Server> {
  const [program, ...args] = pinned(on, command);
  const log = openSync(output, "a");
  const child = spawn(program, args, { stdio: ["ignore", log, log], env: { ...process.env, ...env } });
  closeSync(log);
  await once(child, "spawn");
  const server = { name, port, pid: child.pid ?? 0, stop: () => stop(child) };
  const end = Date.now() + 20_000;
  while (Date.now() < end && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return server;
    await sleep(5);
  }
  await server.stop();
  throw new Problem(
    `${name} did not answer:\n${readFileSync(output, "utf8").slice(-2000)}`,
    `Fix its configuration in tools/bench/proxy/subjects.`,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const limit = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exited;
  clearTimeout(limit);
}

/** CPU time that a server's processes have used so far. Seconds. */
export function cpuSeconds({ pid }: Server): number {
  const ticks = tree(pid).map((each) => {
    // User and system time. The command name, in parentheses, can contain spaces.
    const fields = readFileSync(`/proc/${each}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  // Linux always reports hundredths of a second here (USER_HZ).
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

/** Proportional set size of a process and its descendants, which counts shared pages once. MiB. */
export const memoryMiB = ({ pid }: Pick<Server, "pid">): number =>
  tree(pid).reduce((sum, each) => sum + proportionalKiB(each), 0) / 1024;

function proportionalKiB(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // It has ended meanwhile, such as the shell of a probe.
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
