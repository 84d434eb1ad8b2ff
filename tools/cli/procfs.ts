/** What the kernel tells of running processes, read from /proc (https://man7.org/linux/man-pages/man5/proc.5.html). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** @returns the arguments of a process, empty when it has ended */
export function commandLine(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`)?.split("\0").slice(0, -1) ?? [];
}

/**
 * Clock ticks from boot to the process's start: with the id it names one process for ever, while an id alone is used again.
 * @returns nothing when the process has ended, also while its parent has not yet asked how
 */
export function startTime(pid: number): string | undefined {
  // The command's name, in parentheses, may hold spaces and parentheses; after it come the state and, 19 fields on, the start.
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : fields?.[19];
}

export function children(pid: number): number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? "").split(" ").filter(Boolean).map(Number);
}

export function allProcesses(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** @returns the process that listens on the TCP port, as far as this user may see it; "unknown" when another one does */
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
      continue; // It ended meanwhile, or is not ours to see.
    }
  }
  return "unknown";
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
