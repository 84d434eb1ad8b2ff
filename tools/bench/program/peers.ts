/** Installs the tools that teams use for the same objects: Helm and kustomize as pinned Go modules, cdk8s as a pinned npm package. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { completed } from "../../programs/cache.ts";
import { CommandError, run } from "../../cli/run.ts";
import { withLock } from "../../cli/lock.ts";
import { cacheLock } from "../../cli/paths.ts";
import { Problem } from "../../cli/problem.ts";
import type { Progress } from "../../cli/progress.ts";
import { goPrograms } from "../goPrograms.ts";
import { cdk8sDir, pins, source, type PeerFolders, type PeerName } from "./peerInputs.ts";

const versions = { helm: "3.22.0", kustomize: "5.8.2" };
export type PeerCommands = (folders: PeerFolders) => Record<PeerName, readonly [string, ...string[]]>;

/**
 * Downloads and compiles what is missing in the cache.
 * @returns the command of each peer, for the folders from `writePeerInputs`
 * @throws Problem
 */
export async function getPeers(progress: Progress): Promise<PeerCommands> {
  return withLock(cacheLock, () =>
    progress.step("Getting Helm, kustomize and cdk8s (minutes, once)", async () => {
      await completed(cdk8sDir, installCdk8s);
      const helm = await goPrograms(`helm-${versions.helm}`, [`helm.sh/helm/v3/cmd/helm@v${versions.helm}`]);
      const kustomize = await goPrograms(`kustomize-${versions.kustomize}`, [
        `sigs.k8s.io/kustomize/kustomize/v5@v${versions.kustomize}`,
      ]);
      return (folders) => ({
        Helm: [join(helm, "helm"), "template", "bench", folders.Helm],
        kustomize: [join(kustomize, "kustomize"), "build", folders.kustomize],
        cdk8s: [process.execPath, join(folders.cdk8s, "main.mjs")],
      });
    }),
  );
}

async function installCdk8s(folder: string): Promise<void> {
  for (const file of pins) copyFileSync(join(source, file), join(folder, file));
  try {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: 300_000 });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `The peer cdk8s could not be installed: ${error.message}`,
      'Check the network and the registry in "npm config get registry", then run the benchmark again.',
    );
  }
}

/** The pinned versions. */
export function peerVersions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return { ...versions, cdk8s: dependencies["cdk8s"] ?? "" };
}
