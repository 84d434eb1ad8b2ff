/** The local cluster's processes live in one tree with mounts and process ids of its own: ending its first one ends them all. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { link } from "./node/addresses.ts";
import { logsDir, stateDir } from "../cli/paths.ts";
import { allProcesses, children, commandLine } from "../cli/procfs.ts";

/** What the first process inside runs. */
export const initScript = join(import.meta.dirname, "node", "init.sh");
/** The pods' cgroups are below this one. */
export const cgroup = "gke-microservices";

export interface Sandbox {
  /** Of "unshare", whose end ends the tree. */
  readonly outer: number;
  /** Of the first process inside, as seen from outside; missing for a moment after the start. */
  readonly init: number | undefined;
  /** The state folder that it works on. */
  readonly state: string;
}

/** Of any checkout, an older one included: each has the script in a folder of this name. */
const ending = "/node/init.sh";

/** Finds sandboxes by what runs, not by files: those can be lost or stale after a crash. */
export function findSandboxes(): Sandbox[] {
  return allProcesses().flatMap((outer) => {
    const [program, ...args] = commandLine(outer);
    const state = args.at(-1);
    if (program !== "unshare" || state === undefined || !(args.at(-2) ?? "").endsWith(ending)) return [];
    return [{ outer, init: children(outer)[0], state }];
  });
}

/** Its processes go on when this one ends. */
export function startSandbox(): void {
  mkdirSync(logsDir, { recursive: true });
  const log = openSync(join(logsDir, "sandbox.log"), "a");
  const flags = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
  // In a session of its own, Ctrl-C at the terminal does not reach it.
  const child = spawn("unshare", [...flags, "bash", initScript, stateDir], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
  });
  child.on("error", () => undefined); // Waiting for the cluster tells, with the log.
  child.unref();
  closeSync(log);
}

/** Ends the tree and takes away what outlives its processes. @returns what was removed, in words */
export async function endSandbox(): Promise<string[]> {
  const mine = findSandboxes().filter(({ state }) => state === stateDir);
  for (const { outer, init } of mine) {
    for (const pid of [init, outer]) if (pid !== undefined) kill(pid);
  }
  // The kernel takes mounts and devices away a moment after the last process, also of a sandbox that someone else ended.
  const ended = (pid: number | undefined) => pid === undefined || !existsSync(`/proc/${pid}`);
  const gone = () => mine.every(({ outer, init }) => ended(outer) && ended(init));
  const free = () => findSandboxes().length > 0 || !existsSync(`/sys/class/net/${link.host}`);
  for (let tries = 0; tries < 100 && !(gone() && free()); tries++) await sleep(100);
  const removed = mine.length > 0 ? ["the cluster's processes, mounts and network"] : [];
  if (findSandboxes().length === 0 && (await removeCgroups())) removed.push("its cgroups");
  return removed;
}

/** Arguments that run a command inside, in the node's network. */
export function enter(init: number, programs: readonly string[]): string[] {
  const path = [...programs, "/usr/sbin", "/usr/bin"].join(":");
  return [
    "nsenter",
    "--target",
    String(init),
    "--mount",
    "--pid",
    "--root",
    "--wd=/",
    "env",
    `PATH=${path}`,
    "nsenter",
    "--net=/run/netns/node",
  ];
}

async function removeCgroups(): Promise<boolean> {
  const base = "/sys/fs/cgroup";
  const hierarchies = existsSync(base)
    ? [
        base,
        ...readdirSync(base, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(base, name)),
      ]
    : [];
  const groups = hierarchies.map((hierarchy) => join(hierarchy, cgroup)).filter((group) => existsSync(group));
  for (const group of groups) {
    for (let tries = 0; tries < 50 && existsSync(group); tries++) {
      if (tries > 0) await sleep(100);
      removeGroup(group);
    }
  }
  return groups.length > 0;
}

/** A group can be removed when it has no groups and no processes; the files in it are the kernel's. */
function removeGroup(group: string): void {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(group, entry.name));
    rmdirSync(group);
  } catch {
    return; // A process in it has not quite ended: the caller tries again.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return; // It has ended.
  }
}
