/** How long `npm start` takes, what runs costs in memory, and what rendering costs beyond loading the SDKs. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterStatus } from "../local/cluster.ts";
import { projectDir } from "../local/paths.ts";
import { Problem } from "../local/problem.ts";
import { children } from "../local/processes.ts";
import { findSandboxes } from "../local/sandbox.ts";
import type { Figure } from "./run.ts";

const stackFile = join(projectDir, "Pulumi.local.yaml");
const rounds = 7;

export async function start({ cold }: { cold: boolean }): Promise<Figure[]> {
  const figures: Figure[] = [];
  const seconds = async (what: string, limit: number, env: Record<string, string> = {}) => {
    figures.push({ what, value: (await timed([join(projectDir, "local/start.ts")], env)) / 1000, unit: "s", limit });
  };
  const stop = (env: Record<string, string> = {}) => timed([join(projectDir, "local/stop.ts"), "--keep-cache"], env);

  if (clusterStatus().running) await stop();
  if (cold) {
    const cache = mkdtempSync(join(tmpdir(), "cold-"));
    await seconds("nothing cached", 720, { XDG_CACHE_HOME: cache });
    await stop({ XDG_CACHE_HOME: cache });
    rmSync(cache, { recursive: true, force: true });
  }
  await seconds("everything compiled, nothing running", 60);
  await seconds("everything running, nothing changed", 15);
  const before = readFileSync(stackFile, "utf8");
  try {
    writeFileSync(stackFile, before.replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /bench/ }"));
    await seconds("everything running, one route edited", 15);
  } finally {
    writeFileSync(stackFile, before);
  }
  figures.push({ what: "memory of all running parts", value: memory(), unit: "MiB", limit: 2560 });
  figures.push({
    what: "render staging, beyond importing the SDKs",
    value: await renderOverhead(),
    unit: "ms",
    limit: 100,
  });
  return figures;
}

/** Milliseconds that a Node program of this project takes. */
function timed(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(performance.now() - began);
      else reject(new Problem(`${args.join(" ")} failed:\n${text}`, "Mend that first."));
    });
  });
}

/** Proportional set size of the sandbox's whole process tree, pods included: shared pages are counted once. */
function memory(): number {
  const tree = (pid: number): number[] => [pid, ...children(pid).flatMap(tree)];
  const pss = (pid: number) =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  return (
    findSandboxes()
      .flatMap(({ outer }) => tree(outer))
      .reduce((sum, pid) => sum + pss(pid), 0) / 1024
  );
}

/** Median of the differences, taken in turn: these figures are near each other, and machines are noisy. */
async function renderOverhead(): Promise<number> {
  const sdks = ["pulumi", "kubernetes", "gcp", "docker", "tls"]
    .map((name) => `await import("@pulumi/${name}");`)
    .join("");
  const differences: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const bare = await timed(["--input-type=module", "--eval", sdks]);
    differences.push((await timed([join(projectDir, "local/render.ts"), "staging"])) - bare);
  }
  return differences.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
}
