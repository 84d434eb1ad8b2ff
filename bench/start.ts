/** How long `npm start` takes, what runs costs in memory, and what rendering costs beyond loading the SDKs. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterStatus } from "../local/cluster.ts";
import { projectDir } from "../local/paths.ts";
import { Problem } from "../local/problem.ts";
import { findSandboxes } from "../local/sandbox.ts";
import { median } from "./figures.ts";
import { memoryMiB } from "./proxy/servers.ts";

/** One figure: what was measured, how much, and what it is to stay under, where there is such a thing. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: "s" | "ms" | "MiB";
  readonly limit?: number;
}

const stackFile = join(projectDir, "Pulumi.local.yaml");
/** As in package.json. */
const compileCache = join(projectDir, "node_modules/.cache/compile");
const rounds = 7;

export async function start({ cold }: { cold: boolean }): Promise<Figure[]> {
  const figures: Figure[] = [];
  // A cold start fills a cache of its own, which serves the other figures as well.
  const cache = cold ? mkdtempSync(join(tmpdir(), "cold-")) : undefined;
  const env: Record<string, string> = cache === undefined ? {} : { XDG_CACHE_HOME: cache };
  const seconds = async (what: string, limit: number) => {
    figures.push({ what, value: (await timed([join(projectDir, "local/start.ts")], env)) / 1000, unit: "s", limit });
  };
  const stop = () => timed([join(projectDir, "local/stop.ts"), "--keep-cache"], env);

  if (clusterStatus().running) await stop();
  if (cold) {
    await seconds("nothing cached", 720);
    await stop();
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
  figures.push(...(await renderOverhead()));
  if (cache !== undefined) {
    await stop();
    rmSync(cache, { recursive: true, force: true });
  }
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
      else reject(new Problem(`${args.join(" ")} failed:\n${text}`, "Fix that first."));
    });
  });
}

/** Proportional set size of the sandbox's whole process tree, pods included: shared pages are counted once. */
function memory(): number {
  return findSandboxes().reduce((sum, { outer }) => sum + memoryMiB({ pid: outer }), 0);
}

/**
 * What `npm run render` costs beyond a bare Node that imports the SDKs, which is most of it. Medians of differences taken
 * in turn: these times are near each other, and machines are noisy.
 */
async function renderOverhead(): Promise<Figure[]> {
  const sdks = ["pulumi", "kubernetes", "gcp", "docker", "tls"]
    .map((name) => `await import("@pulumi/${name}");`)
    .join("");
  const bare = ["--input-type=module", "--eval", sdks];
  const cached = { NODE_COMPILE_CACHE: compileCache };
  const render = () => timed([join(projectDir, "local/render.ts"), "staging"], cached);
  await Promise.all([timed(bare, cached), render()]);
  const beyondBare: number[] = [];
  const beyondCached: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const rendering = await render();
    beyondBare.push(rendering - (await timed(bare)));
    beyondCached.push(rendering - (await timed(bare, cached)));
  }
  return [
    { what: "render staging, beyond Node importing the SDKs", value: median(beyondBare), unit: "ms", limit: 100 },
    { what: "the same, importing from the same compile cache", value: median(beyondCached), unit: "ms" },
  ];
}
