/** Starts and stops the local Kubernetes: a real node in Linux namespaces of its own, with Contour and Envoy as its edge. */
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
import { cacheDir, cacheLock, kubeconfigPath, nodeDir, stateDir } from "../cli/paths.ts";
import { requireFreeNetwork, requireFreePorts } from "./preconditions.ts";
import { Problem } from "../cli/problem.ts";
import type { Progress } from "../cli/progress.ts";
import { metricsServerDir } from "./metricsServer.ts";
import { startMetricsServer, waitReady } from "./waitReady.ts";
import { cgroup, endSandbox, findSandboxes, initScript, startSandbox } from "./sandbox.ts";
import { finishRemoval, removeWhole } from "../cli/writeWhole.ts";

export interface ClusterOptions {
  /** Namespace of the stack. The edge reads only the Gateway in it. @default "apps" */
  readonly namespace?: string;
  /** Whether the stack has autoscalers, which need metrics-server. @default false */
  readonly autoscaling?: boolean;
  /** Address on this machine that the edge listens on. @default "127.0.0.1" */
  readonly address?: string;
  /** @default 80 */
  readonly httpPort?: number;
  /** @default 443 */
  readonly httpsPort?: number;
}

export interface LocalCluster {
  /** Path of a kubeconfig with full rights. */
  readonly kubeconfig: string;
  readonly context: string;
}

const versionFile = join(nodeDir, "version");
/** Next to the folder that it guards, because a stop removes that folder. */
export const lockFile = `${stateDir}.lock`;

/**
 * Starts the cluster unless it is running, and waits until node, DNS and edge answer. After a crash during a start, it
 * starts from the beginning.
 * @param meanwhile other work to do while the started processes become ready
 * @throws Problem
 */
export async function startCluster(
  options: ClusterOptions,
  progress: Progress,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<LocalCluster> {
  const { autoscaling = false } = options;
  await prepare(progress, { autoscaling });
  return withLock(lockFile, async () => {
    const { namespace = "apps", address = "127.0.0.1", httpPort = 80, httpsPort = 443 } = options;
    const edge = { address, httpPort, httpsPort };
    const [root, snapshotter] = [await nodeRoot(), await containerdSnapshotter()];
    const folders = { root, cache: cacheDir, programs, metricsServer: metricsServerDir };
    const files = nodeFiles({ namespace, ...edge, cgroup, ...folders, snapshotter });
    const version = versionOf(files);
    if (!isRunning(version)) {
      await endSandbox();
      requireFreeNetwork();
      await requireFreePorts(address, [httpPort, httpsPort]);
      finishRemoval(stateDir);
      requireDisk(stateDir, diskNeeded.start);
      writeNodeFiles(files);
      await writeCredentials(join(stateDir, "pki"));
      startSandbox();
      // Last, so that the next start does not trust a start that was interrupted.
      writeFileSync(versionFile, version);
    }
    requireDisk(stateDir, diskNeeded.run);
    // Wait for both, so that nothing runs any more when the lock is released.
    const ready = progress.step("Starting the cluster", async (step) => {
      await waitReady(step);
      if (autoscaling) await startMetricsServer(step);
    });
    const results = await Promise.allSettled([ready, meanwhile()]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return { kubeconfig: kubeconfigPath, context };
  });
}

type Files = Readonly<Record<string, string>>;

/** Digest of everything that the node is started with. */
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
 * Stops the cluster and removes everything that it wrote, whatever its state. The cache stays.
 * @returns descriptions of what was removed
 * @throws Problem if a start is in progress
 */
export async function stopCluster(): Promise<string[]> {
  return withLock(lockFile, async () => {
    const removed = await endSandbox();
    if (removeWhole(stateDir)) removed.push(stateDir);
    return removed;
  });
}

/**
 * Deletes the compiled and downloaded programs, which all checkouts share.
 * @returns descriptions of what was removed
 * @throws Problem if the cluster of a checkout runs with them, or a command writes to them
 */
export async function deleteCache(): Promise<string[]> {
  const [user] = findSandboxes();
  if (user !== undefined)
    throw new Problem(
      `The cache stays, because the local Kubernetes of another checkout runs with it (${dirname(user.state)}).`,
      `Run this again when that one is stopped, or stop it: npm stop, in ${dirname(user.state)}`,
    );
  return withLock(cacheLock, () => Promise.resolve(removeWhole(cacheDir) ? [cacheDir] : []));
}

/** overlayfs, unless the state folder is on an overlay itself: overlays cannot be stacked. */
async function containerdSnapshotter(): Promise<"native" | "overlayfs"> {
  const type = await run("stat", ["--file-system", "--format", "%T", existingParent(stateDir)]);
  return type.includes("overlay") ? "native" : "overlayfs";
}
