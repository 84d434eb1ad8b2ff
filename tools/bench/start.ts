/** Measures `npm start`: its time, the memory of what it starts, and the time of rendering beyond loading the SDKs. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { clusterStatus } from "../machine/cluster.ts";
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { createProgress } from "../cli/progress.ts";
import { findSandboxes } from "../machine/sandbox.ts";
import { median } from "./figures.ts";
import { memoryMiB } from "./proxy/servers.ts";
import { reported } from "./report.ts";
import { partsOf } from "./start/phases.ts";
import { plot } from "./start/plot.ts";
import { tables, targets, type Kind, type Start, type StartResults } from "./start/results.ts";

const stackFile = join(projectDir, "Pulumi.local.yaml");
const rounds = { start: 3, render: 7 };

/** @param options.cold also measure a start with an empty cache, once @param options.write write to the guide; implies cold */
export async function start(options: {
  cold: boolean;
  write: boolean;
}): Promise<{ result: StartResults; text: string }> {
  const cold = options.cold || options.write;
  const progress = createProgress();
  const stop = (env: Record<string, string> = {}) => command([join(projectDir, "tools/commands/stop.ts")], env);
  if (clusterStatus().running) await stop();
  const render = await progress.step("Rendering", renderOverhead);
  // A cold start fills a cache of its own, which the other measurements use too.
  const cache = cold ? mkdtempSync(join(tmpdir(), "cold-")) : undefined;
  const env: Record<string, string> = cache === undefined ? {} : { XDG_CACHE_HOME: cache };
  const measure = (kind: Kind, count: number, prepare?: () => Promise<unknown>) =>
    progress.step(`npm start, ${kind}`, async () => {
      const runs: Run[] = [];
      for (let round = 0; round < count; round++) {
        await prepare?.();
        runs.push(await command([join(projectDir, "tools/commands/start.ts")], env));
      }
      return summarize(kind, runs);
    });

  const starts: Start[] = [];
  let memory: number;
  try {
    if (cold) starts.push(await measure("nothing cached", 1));
    starts.push(await measure("nothing running", rounds.start, () => stop(env)));
    starts.push(await withEdits(stackFile, (edit) => measure("one route edited", rounds.start, edit)));
    await command([join(projectDir, "tools/commands/start.ts")], env);
    starts.push(await measure("nothing changed", rounds.start));
    memory = findSandboxes().reduce((sum, { outer }) => sum + memoryMiB({ pid: outer }), 0);
  } finally {
    // Stop the cluster that runs from the cold start's cache before removing the cache.
    if (cache !== undefined) {
      await stop(env);
      rmSync(cache, { recursive: true, force: true });
    }
  }
  const figures = { starts, memoryMiB: memory, render };
  return reported<StartResults>("start", figures, { targets, tables, plot }, options.write);
}

/** Each edit replaces an added route by another. The file is restored at the end. */
async function withEdits<T>(file: string, work: (edit: () => Promise<void>) => Promise<T>): Promise<T> {
  const before = readFileSync(file, "utf8");
  let edits = 0;
  try {
    return await work(() => {
      edits += 1;
      writeFileSync(file, before.replace("{ path: /hoge/ }", `{ path: /hoge/ }, { path: /bench${edits}/ }`));
      return Promise.resolve();
    });
  } finally {
    writeFileSync(file, before);
  }
}

interface Run {
  readonly seconds: number;
  readonly lines: readonly { readonly text: string; readonly at: number }[];
}

function summarize(kind: Kind, runs: readonly Run[]): Start {
  const seconds = median(runs.map((run) => run.seconds));
  const distance = (run: Run) => Math.abs(run.seconds - seconds);
  const [nearest] = runs.toSorted((a, b) => distance(a) - distance(b));
  return { kind, seconds, rounds: runs.length, parts: partsOf(nearest?.lines ?? [], nearest?.seconds ?? NaN) };
}

/** Runs a Node program of this project, and records the time of each line that it prints. */
function command(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: { text: string; at: number }[] = [];
  createInterface({ input: child.stderr }).on("line", (text) => lines.push({ text, at: performance.now() - began }));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve({ seconds: (performance.now() - began) / 1000, lines });
      else
        reject(
          new Problem(`${args.join(" ")} failed:\n${lines.map(({ text }) => text).join("\n")}`, "Fix that first."),
        );
    });
  });
}

/**
 * The time of `npm run render` beyond a bare Node that imports the SDKs, which takes most of it. It is a median of
 * differences between alternating runs, because the times are close and machines are noisy.
 */
async function renderOverhead(): Promise<StartResults["render"]> {
  const sdks = ["pulumi", "kubernetes", "gcp", "docker", "tls"]
    .map((name) => `await import("@pulumi/${name}");`)
    .join("");
  const milliseconds = async (args: readonly string[], env?: Record<string, string>) =>
    1000 * (await command(args, env)).seconds;
  const bare = (env?: Record<string, string>) => milliseconds(["--input-type=module", "--eval", sdks], env);
  const render = () => milliseconds([join(projectDir, "tools/commands/render.ts"), "staging"]);
  await Promise.all([bare(), render()]);
  const beyondBare: number[] = [];
  const beyondCached: number[] = [];
  for (let round = 0; round < rounds.render; round++) {
    const rendering = await render();
    // Every command, this one too, inherits the compile cache from tools/run.js.
    beyondBare.push(rendering - (await bare({ NODE_DISABLE_COMPILE_CACHE: "1" })));
    beyondCached.push(rendering - (await bare()));
  }
  return { beyondSdks: median(beyondBare), beyondCachedSdks: median(beyondCached) };
}
