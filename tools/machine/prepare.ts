/** Fills the cache with the programs of the local Kubernetes: compiled, downloaded and unpacked once for all checkouts. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile, programsDir } from "./kubernetes.ts";
import { envoyDir, getEnvoy } from "./envoy.ts";
import { compileMetricsServer, metricsServerDir } from "./metricsServer.ts";
import { debianPackages, type DebianRoot } from "../programs/debian.ts";
import { getGatewayApi, gatewayApiDir } from "./gatewayApi.ts";
import { diskNeeded, requireDisk } from "../cli/disk.ts";
import { withLock } from "../cli/lock.ts";
import { cacheDir, cacheLock } from "../cli/paths.ts";
import { requireLinuxRoot } from "./preconditions.ts";
import type { Progress } from "../cli/progress.ts";

const debianNames = [
  "bash",
  "coreutils",
  "grep",
  "mount",
  "util-linux",
  "iproute2",
  "etcd-server",
  "containerd",
  "runc",
  "containernetworking-plugins",
  "iptables",
  "conntrack",
  "ca-certificates",
];
/** Folders of programs, for PATH. */
export const programs = [programsDir, envoyDir];
/** Root folder of the node, with Debian's programs. */
export const nodeRoot = (): Promise<DebianRoot> => debianPackages(debianNames);

/** Compiles, downloads and unpacks what is missing in the cache. @throws Problem */
export async function prepare(progress: Progress, { autoscaling }: { readonly autoscaling: boolean }): Promise<void> {
  requireLinuxRoot();
  const measures = autoscaling && !existsSync(metricsServerDir);
  if (!existsSync(programsDir) || measures) requireDisk(cacheDir, diskNeeded.compile);
  await withLock(cacheLock, async () => {
    removeUnfinished();
    const jobs: Promise<unknown>[] = [nodeRoot()];
    if (!existsSync(programsDir))
      jobs.push(progress.step("Compiling Kubernetes, CoreDNS and Contour (minutes, once)", compile));
    if (measures) jobs.push(progress.step("Compiling metrics-server (minutes, once)", compileMetricsServer));
    if (!existsSync(envoyDir)) jobs.push(progress.step("Getting Envoy", getEnvoy));
    if (!existsSync(gatewayApiDir)) jobs.push(progress.step("Getting the Gateway API", getGatewayApi));
    // Wait for all jobs before reporting a failure, so that nothing keeps running after the command has ended.
    const failed = (await Promise.allSettled(jobs)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  });
}

/** Removes what a killed command left in the cache. The caller holds the cache's lock, so nobody else uses it. */
function removeUnfinished(): void {
  for (const folder of ["kubernetes", "metrics-server", "envoy", "gateway-api", "debian"]
    .map((name) => join(cacheDir, name))
    .filter(existsSync))
    for (const name of readdirSync(folder).filter((entry) => entry.startsWith("unfinished-")))
      rmSync(join(folder, name), { recursive: true, force: true });
}
