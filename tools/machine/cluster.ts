/** The local Kubernetes: a real node in namespaces of its own, with Contour and Envoy as its edge. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../cli/run.ts";
import { diskNeeded, existingParent, requireDisk } from "../cli/disk.ts";
import { sandboxInit } from "./exec.ts";
import { withLock } from "../cli/lock.ts";
import { context, writeCredentials } from "./node/credentials.ts";
import { nodeFiles } from "./node/nodeFiles.ts";
import { nodeRoot, prepare, programs } from "./prepare.ts";
import { cacheDir, kubeconfigPath, nodeDir, stateDir } from "../cli/paths.ts";
import { requireFreeNetwork, requireFreePorts } from "./preconditions.ts";
import type { Progress } from "../cli/progress.ts";
import { waitReady } from "./waitReady.ts";
import { cgroup, endSandbox, initScript, startSandbox } from "./sandbox.ts";
import { finishRemoval, removeWhole } from "../cli/writeWhole.ts";

export interface ClusterOptions {
  /** Of the stack that is to run there: of the Gateways, the edge reads the one in it. @default "apps" */
  readonly namespace?: string;
  /** Where the edge listens on this machine. @default "127.0.0.1" */
  readonly address?: string;
  /** @default 80 */
  readonly httpPort?: number;
  /** @default 443 */
  readonly httpsPort?: number;
}

export interface LocalCluster {
  /** Path of a kubeconfig whose user may do anything. */
  readonly kubeconfig: string;
  readonly context: string;
}

const versionFile = join(nodeDir, "version");
/** Beside the folder that it guards, as stopping removes that. */
export const lockFile = `${stateDir}.lock`;

/**
 * Starts the cluster, or finds it running, and waits until node, DNS and edge answer. What a crash left half started is started anew.
 * @param meanwhile what else is to be done once its processes run, while they become ready
 * @throws Problem
 */
export async function startCluster(
  options: ClusterOptions,
  progress: Progress,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<LocalCluster> {
  await prepare(progress);
  return withLock(lockFile, async () => {
    const { namespace = "apps", address = "127.0.0.1", httpPort = 80, httpsPort = 443 } = options;
    const edge = { address, httpPort, httpsPort };
    const [root, snapshotter] = [await nodeRoot(), await containerdSnapshotter()];
    const files = nodeFiles({ namespace, ...edge, cgroup, root, cache: cacheDir, programs, snapshotter });
    const version = versionOf(files);
    if (!isRunning(version)) {
      await endSandbox();
      requireFreeNetwork();
      requireFreePorts(address, [httpPort, httpsPort]);
      finishRemoval(stateDir);
      requireDisk(stateDir, diskNeeded.start);
      writeNodeFiles(files);
      await writeCredentials(join(stateDir, "pki"));
      startSandbox();
      // Last: an interruption before leaves no version that the next start would trust.
      writeFileSync(versionFile, version);
    }
    requireDisk(stateDir, diskNeeded.run);
    // Both come to their end, so that nothing is at work when the lock is given back.
    const ends = await Promise.allSettled([progress.step("Starting the cluster", waitReady), meanwhile()]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return { kubeconfig: kubeconfigPath, context };
  });
}

type Files = Readonly<Record<string, string>>;

/** Stands for all that the node is started with. */
const versionOf = (files: Files): string =>
  createHash("sha256").update(JSON.stringify(files)).update(readFileSync(initScript)).digest("hex");

const isRunning = (version: string): boolean =>
  sandboxInit() !== undefined && existsSync(versionFile) && readFileSync(versionFile, "utf8") === version;

function writeNodeFiles(files: Files): void {
  rmSync(nodeDir, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(nodeDir, name)), { recursive: true });
    writeFileSync(join(nodeDir, name), text);
  }
}

export interface ClusterStatus extends LocalCluster {
  readonly running: boolean;
}

export function clusterStatus(): ClusterStatus {
  return { running: sandboxInit() !== undefined, kubeconfig: kubeconfigPath, context };
}

/**
 * Ends the cluster and removes everything that it wrote, whatever state it is in.
 * @returns what was removed, in words; nothing when there was nothing
 * @throws Problem when a start is under way
 */
export async function stopCluster({ keepCache = false }: { keepCache?: boolean } = {}): Promise<string[]> {
  return withLock(lockFile, async () => {
    const removed = await endSandbox();
    for (const folder of keepCache ? [stateDir] : [stateDir, cacheDir]) {
      if (removeWhole(folder)) removed.push(folder);
    }
    return removed;
  });
}

/** Overlay does not work on top of another overlay. */
async function containerdSnapshotter(): Promise<"native" | "overlayfs"> {
  const type = await run("stat", ["--file-system", "--format", "%T", existingParent(stateDir)]);
  return type.includes("overlay") ? "native" : "overlayfs";
}
