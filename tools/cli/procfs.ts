/** Running processes, read from /proc (https://man7.org/linux/man-pages/man5/proc.5.html). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** @returns the arguments of a process; empty if it has ended */
export function commandLine(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`)?.split("\0").slice(0, -1) ?? [];
}

/**
 * Clock ticks from boot to the start of the process. Together with the process id it identifies one process; ids alone
 * are reused.
 * @returns undefined if the process has ended, or is a zombie
 */
export function startTime(pid: number): string | undefined {
  // The command name, in parentheses, can contain spaces and parentheses. The state follows it; 19 fields later, the start time.
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : fields?.[19];
}

/** @returns the processes that any thread of the process has started, and that still run */
export function children(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) =>
    (read(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number),
  );
}

/** @returns the process and all that it has started, directly or not */
export function tree(pid: number): number[] {
  return [pid, ...children(pid).flatMap(tree)];
}

export function allProcesses(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** @returns the process that listens on the TCP port; "unknown" if this user may not see which one it is */
export function listener(port: number): { pid: number; name: string } | "unknown" | undefined {
  const inode = ["/proc/net/tcp", "/proc/net/tcp6"]
    .flatMap((file) => (read(file) ?? "").split("\n").slice(1))
    .map((row) => row.trim().split(/\s+/))
    .find((fields) => fields[3] === "0A" && parseInt(fields[1]?.split(":")[1] ?? "", 16) === port)?.[9]; // 0A: LISTEN
  if (inode === undefined) return undefined;
  for (const pid of allProcesses()) {
    try {
      const open = readdirSync(`/proc/${pid}/fd`);
      if (open.some((fd) => link(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`))
        return { pid, name: read(`/proc/${pid}/comm`)?.trim() ?? "?" };
    } catch {
      continue; // The process has ended, or belongs to another user.
    }
  }
  return "unknown";
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
