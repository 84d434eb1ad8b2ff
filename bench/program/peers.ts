/** What teams make the same objects with: Helm and kustomize as pinned Go modules, cdk8s as a pinned npm package. */
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { goProblem } from "../../local/build.ts";
import { completed, digest } from "../../local/cache.ts";
import { CommandError, run } from "../../local/command.ts";
import { withLock } from "../../local/lock.ts";
import { cacheDir, cacheLock } from "../../local/paths.ts";
import { Problem } from "../../local/problem.ts";
import type { Progress } from "../../local/progress.ts";
import type { PeerFolders } from "./peerInputs.ts";

export const peerNames = ["Helm", "kustomize", "cdk8s"] as const;
export type PeerName = (typeof peerNames)[number];

const modules = { helm: "helm.sh/helm/v3", kustomize: "sigs.k8s.io/kustomize/kustomize/v5" } as const;
const source = join(import.meta.dirname, "peers");
const pins = ["go.mod", "go.sum", "package.json", "package-lock.json"];
/** Holds `helm`, `kustomize` and cdk8s's `node_modules`. */
export const peersDir = join(cacheDir, "bench", `peers-${digest(pins.map((file) => join(source, file)))}`);

/** Downloads and compiles what is not in the cache yet. @throws Problem */
export async function getPeers(progress: Progress): Promise<void> {
  await withLock(cacheLock, () =>
    progress.step("Getting Helm, kustomize and cdk8s (minutes, once)", () =>
      completed(peersDir, async (folder) => {
        await installCdk8s(folder);
        await compile(folder);
      }),
    ),
  );
}

async function installCdk8s(folder: string): Promise<void> {
  for (const file of pins.slice(2)) copyFileSync(join(source, file), join(folder, file));
  try {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: 300_000 });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `cdk8s could not be installed: ${error.message}`,
      'Check the network and the registry in "npm config get registry", then run the benchmark again.',
    );
  }
}

async function compile(folder: string): Promise<void> {
  const work = join(folder, "work");
  const env = {
    CGO_ENABLED: "0",
    GOFLAGS: "-modcacherw -buildvcs=false",
    GOWORK: "off",
    GOMODCACHE: join(work, "modules"),
    GOCACHE: join(work, "build"),
  };
  const log = join(cacheDir, "logs", "go.log");
  const packages = [`${modules.helm}/cmd/helm`, modules.kustomize];
  const args = ["build", "-trimpath", "-ldflags", "-s -w", "-o", `${folder}/`, ...packages];
  try {
    await run("go", args, { cwd: source, env, log, timeout: 1_200_000 });
  } catch (error) {
    throw goProblem(error, log);
  }
  rmSync(work, { recursive: true });
}

/** The command of each, for what `writePeerInputs` wrote. */
export const peerCommands = (folders: PeerFolders): Record<PeerName, readonly [string, ...string[]]> => ({
  Helm: [join(peersDir, "helm"), "template", "bench", folders.Helm],
  kustomize: [join(peersDir, "kustomize"), "build", folders.kustomize],
  cdk8s: [process.execPath, join(folders.cdk8s, "main.mjs")],
});

/** As they are pinned. */
export function peerVersions(): Record<string, string> {
  const goMod = readFileSync(join(source, "go.mod"), "utf8");
  const pinned = (module: string) => goMod.split("\n").find((line) => line.trim().startsWith(`${module} `)) ?? "";
  const version = (line: string) => /v([\d.]+)/.exec(line.replace(/^\s*\S+/, ""))?.[1] ?? "";
  const { dependencies } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return {
    helm: version(pinned(modules.helm)),
    kustomize: version(pinned(modules.kustomize)),
    cdk8s: dependencies["cdk8s"] ?? "",
  };
}
