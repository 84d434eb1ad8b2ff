/** Starts, finds and ends the sandbox: one process tree in its own mount and PID namespaces. Ending its first process ends all. */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { link } from "./node/addresses.ts";
import { logsDir, stateDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { allProcesses, children, commandLine } from "../cli/procfs.ts";

/** Script of the first process inside. */
export const initScript = join(import.meta.dirname, "node", "init.sh");
/** Parent cgroup of the pods' cgroups. */
export const cgroup = "gke-microservices";

export interface Sandbox {
  /** Process id of "unshare". Ending it ends the whole tree. */
  readonly outer: number;
  /** Process id, outside the sandbox, of the first process inside; undefined just after the start. */
  readonly init: number | undefined;
  /** State folder of the checkout that started it. */
  readonly state: string;
}

/** The command line of a sandbox's outer process, up to the script and the state folder. */
const outerCommand = [
  "unshare",
  ...["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
  "bash",
] as const;

/**
 * The state folder of a sandbox, if the command line is exactly that of a sandbox's outer process. It recognizes the
 * sandbox of every checkout, whichever folder of it has the script: older revisions had `node/init.sh` elsewhere.
 */
export function sandboxState(command: readonly string[]): string | undefined {
  const [script = "", state = ""] = command.slice(outerCommand.length);
  const isOuter =
    command.length === outerCommand.length + 2 && outerCommand.every((word, index) => command[index] === word);
  const isOfCheckout =
    basename(state) === basename(stateDir) &&
    script.startsWith(join(dirname(state), "/")) &&
    script.endsWith("/node/init.sh");
  return isOuter && isOfCheckout ? state : undefined;
}

/** Finds sandboxes by running processes, not by files: a crash can leave files lost or outdated. */
export function findSandboxes(): Sandbox[] {
  return allProcesses().flatMap((outer) => {
    const state = sandboxState(commandLine(outer));
    return state === undefined ? [] : [{ outer, init: children(outer)[0], state }];
  });
}

/** Starts the sandbox. It keeps running when this process ends. */
export function startSandbox(): void {
  mkdirSync(logsDir, { recursive: true });
  const log = openSync(join(logsDir, "sandbox.log"), "a");
  const [program, ...args] = outerCommand;
  // Detached, so that Ctrl-C in the terminal does not reach it.
  const child = spawn(program, [...args, initScript, stateDir], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
  });
  child.on("error", () => undefined); // waitReady() reports it, with the log.
  child.unref();
  closeSync(log);
}

/**
 * Ends the process tree and removes what outlives it.
 * @returns descriptions of what was removed
 * @throws Problem if processes do not end in 30 s
 */
export async function endSandbox(): Promise<string[]> {
  const mine = findSandboxes().filter(({ state }) => state === stateDir);
  const processes = mine.flatMap(({ outer, init }) => (init === undefined ? [outer] : [init, outer]));
  for (const pid of processes) kill(pid);
  const remaining = () => processes.filter((pid) => existsSync(`/proc/${pid}`));
  for (let tries = 0; tries < 300 && remaining().length > 0; tries++) await sleep(100);
  if (remaining().length > 0)
    throw new Problem(
      `The local Kubernetes does not end: process ${remaining().join(", ")} waits for the kernel.`,
      "Run npm stop again; if that does not help, restart the machine.",
    );
  const removed = mine.length > 0 ? ["the cluster's processes, mounts and network"] : [];
  if (findSandboxes().length > 0) return removed;
  // Without a state folder, the device belongs to something else.
  if (mine.length > 0 || existsSync(stateDir)) await removeDevice();
  if (await removeCgroups()) removed.push("its cgroups");
  return removed;
}

/**
 * Deletes the network device and its peer in the sandbox. The kernel would do that when nothing uses the sandbox's
 * network any more, which can be minutes after its last process ended.
 */
async function removeDevice(): Promise<void> {
  const exists = () => existsSync(`/sys/class/net/${link.host}`);
  for (let tries = 0; tries < 100 && exists(); tries++) {
    if (tries > 0) await sleep(100);
    // It fails if the kernel deletes the device at the same moment, and on a machine without this program.
    spawnSync("ip", ["link", "delete", link.host]);
  }
}

/** Command prefix that runs a command inside the sandbox, in the node's network. */
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

/** Removes a cgroup and those below it. The files in it belong to the kernel and need not be removed. */
function removeGroup(group: string): void {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(group, entry.name));
    rmdirSync(group);
  } catch {
    return; // It still has a process that is about to end: the caller retries.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return; // It has already ended.
  }
}
