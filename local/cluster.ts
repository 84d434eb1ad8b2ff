/** The local Kubernetes: a real node in namespaces of its own, with Contour and Envoy as its edge. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { Resolver } from "node:dns/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { compile, envoyDir, getEnvoy, kubectlPath, programsDir } from "./build.ts";
import { run } from "./command.ts";
import { debianPackages } from "./debian.ts";
import { withLock } from "./lock.ts";
import { apiServiceAddress, nodeAddress } from "./node/addresses.ts";
import { context, nodeName, writeCredentials } from "./node/credentials.ts";
import { bootstrapObjects } from "./node/objects.ts";
import { bootstrapped, envoyAdminSocket, nodeFiles } from "./node/processes.ts";
import { pauseImage } from "./node/settings.ts";
import { cacheDir, kubeconfigPath, logsDir, stateDir } from "./paths.ts";
import {
  existingParent,
  requireDisk,
  requireFreeNetwork,
  requireFreePorts,
  requireLinuxRoot,
} from "./preconditions.ts";
import { Problem } from "./problem.ts";
import type { Progress } from "./progress.ts";
import { cgroup, endSandbox, enter, findSandboxes, startSandbox } from "./sandbox.ts";

export { kubectlPath } from "./build.ts";

export interface ClusterOptions {
  /** Where the edge listens on this machine. @default "127.0.0.1" */
  readonly address?: string;
  /** @default 80 */
  readonly httpPort?: number;
  /** @default 443 */
  readonly httpsPort?: number;
}

export interface Cluster {
  /** Path of a kubeconfig whose user may do anything. */
  readonly kubeconfig: string;
  readonly context: string;
}

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
const programs = [programsDir, envoyDir];
const nodeDir = join(stateDir, "node");
const pausePath = join(programsDir, "pause.tar");
/** GiB of disk: what compiling takes at its height, and what a running cluster comes to. */
const diskNeeded = { compile: 8, run: 2 };
/** Beside the folder that it guards, as stopping removes that. */
export const lockFile = `${stateDir}.lock`;
const cacheLock = `${cacheDir}.lock`;

/** Compiles, downloads and unpacks what is not in the cache yet. @throws Problem */
export async function ensureParts(progress: Progress): Promise<void> {
  requireLinuxRoot();
  if (!existsSync(programsDir)) requireDisk(cacheDir, diskNeeded.compile);
  await withLock(cacheLock, async () => {
    removeUnfinished();
    const jobs: Promise<unknown>[] = [debianPackages(debianNames)];
    if (!existsSync(programsDir))
      jobs.push(progress.step("Compiling Kubernetes, CoreDNS and Contour (minutes, once)", compile));
    if (!existsSync(envoyDir)) jobs.push(progress.step("Getting Envoy", getEnvoy));
    // All end before the first failure is told: nothing goes on behind a command that has ended.
    const failed = (await Promise.allSettled(jobs)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  });
}

/**
 * Starts the cluster, or finds it running, and waits until node, DNS and edge answer. What a crash left half started is started anew.
 * @throws Problem
 */
export async function startCluster(options: ClusterOptions, progress: Progress): Promise<Cluster> {
  await ensureParts(progress);
  return withLock(lockFile, async () => {
    const root = await debianPackages(debianNames);
    const { address = "127.0.0.1", httpPort = 80, httpsPort = 443 } = options;
    const snapshotter = (await run("stat", ["--file-system", "--format", "%T", existingParent(stateDir)])).includes(
      "overlay",
    )
      ? "native"
      : "overlayfs";
    const files = nodeFiles({ address, httpPort, httpsPort, cgroup, root, cache: cacheDir, programs, snapshotter });
    const version = createHash("sha256")
      .update(JSON.stringify(files))
      .update(readFileSync(join(import.meta.dirname, "node", "init.sh")))
      .digest("hex");
    if (!(running() && storedVersion() === version)) {
      await endSandbox();
      requireFreeNetwork();
      requireFreePorts(address, [httpPort, httpsPort]);
      requireDisk(stateDir, diskNeeded.run);
      rmSync(nodeDir, { recursive: true, force: true });
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(nodeDir, name)), { recursive: true });
        writeFileSync(join(nodeDir, name), text);
      }
      await writeCredentials(join(stateDir, "pki"));
      startSandbox();
      // Last: an interruption before leaves no version that the next start would trust.
      writeFileSync(join(nodeDir, "version"), version);
    }
    await progress.step("Starting the cluster", async (step) => {
      step.detail("API server");
      await until("kube-apiserver", async () => (await kubectl(["get", "--raw", "/readyz"])) === "ok");
      if (!existsSync(join(nodeDir, bootstrapped))) {
        step.detail("first objects");
        await kubectl(["apply", "--server-side", "--force-conflicts", "--filename", join(programsDir, "crds.yaml")]);
        const role = parseAllDocuments(readFileSync(join(programsDir, "role.yaml"), "utf8"))
          .map((document) => document.toJS() as { kind: string })
          .filter(({ kind }) => kind === "ClusterRole");
        const items = [...role, ...bootstrapObjects];
        await kubectl(
          ["apply", "--server-side", "--force-conflicts", "--filename", "-"],
          JSON.stringify({ apiVersion: "v1", kind: "List", items }),
        );
        writeFileSync(join(nodeDir, bootstrapped), "");
      }
      step.detail("node");
      await until("containerd", async () => (await runInNode("ctr", "-n", "k8s.io", "version")) !== "");
      if (!(await runInNode("ctr", "-n", "k8s.io", "images", "list", "--quiet")).split("\n").includes(pauseImage))
        await importImage(pausePath);
      await until(
        "kubelet",
        async () =>
          (await kubectl([
            "get",
            "node",
            nodeName,
            "-o",
            'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
          ])) === "True",
      );
      step.detail("DNS");
      const resolver = new Resolver({ timeout: 1000, tries: 1 });
      resolver.setServers([nodeAddress]);
      await until("coredns", async () =>
        (await resolver.resolve4("kubernetes.default.svc.cluster.local")).includes(apiServiceAddress),
      );
      step.detail("edge");
      await until("envoy", edgeReady);
    });
    return { kubeconfig: kubeconfigPath, context };
  });
}

/** Puts an image archive ("docker save" or OCI) into the node. @throws CommandError, Problem */
export async function importImage(tarPath: string): Promise<void> {
  await run(...inNode("ctr", "-n", "k8s.io", "images", "import", "-"), { inputFile: tarPath });
}

/** Runs a command inside the sandbox, in the node's network. @returns its standard output. @throws CommandError, Problem */
export function runInNode(...command: readonly string[]): Promise<string> {
  return run(...inNode(...command));
}

export interface ClusterStatus extends Cluster {
  readonly running: boolean;
}

export function clusterStatus(): ClusterStatus {
  return { running: running() !== undefined, kubeconfig: kubeconfigPath, context };
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
      if (!existsSync(folder)) continue;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      removed.push(folder);
    }
    return removed;
  });
}

function running(): number | undefined {
  return findSandboxes().find(({ state }) => state === stateDir)?.init;
}

function storedVersion(): string | undefined {
  const file = join(nodeDir, "version");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function inNode(...command: readonly string[]): [string, string[]] {
  const init = running();
  if (init === undefined)
    throw new Problem(
      "The local Kubernetes is not running.",
      `Start it: npm start (its last log: ${join(logsDir, "sandbox.log")})`,
    );
  const [program = "", ...args] = [
    ...enter(
      init,
      programs.map((folder) => folder.replace(cacheDir, "/cache")),
    ),
    ...command,
  ];
  return [program, args];
}

function kubectl(args: readonly string[], input = ""): Promise<string> {
  return run(kubectlPath, ["--kubeconfig", kubeconfigPath, "--request-timeout", "20s", ...args], { input });
}

/** What a killed command left in the cache; its lock says that nobody works on it now. */
function removeUnfinished(): void {
  for (const part of ["kubernetes", "envoy", "debian"].map((name) => join(cacheDir, name)).filter(existsSync))
    for (const name of readdirSync(part).filter((entry) => entry.startsWith("unfinished-")))
      rmSync(join(part, name), { recursive: true, force: true });
}

/** Waits for one part, at most two minutes. */
async function until(part: string, ready: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  let last: unknown;
  while (Date.now() < end) {
    try {
      if (await ready()) return;
    } catch (error) {
      last = error;
    }
    // A moment after the start the sandbox is not to be seen yet.
    if (running() === undefined) await sleep(1000);
    if (running() === undefined) break;
    await sleep(200);
  }
  const log = join(logsDir, running() === undefined ? "sandbox.log" : `${part}.log`);
  const text = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").slice(-8).join("\n") : String(last);
  throw new Problem(
    `The local Kubernetes did not start: ${part} is not ready. The end of its log:\n${text}`,
    `See ${logsDir}; then start afresh: npm stop -- --keep-cache && npm start`,
  );
}

/** Envoy says so once it has its first configuration from Contour. */
function edgeReady(): Promise<boolean> {
  const socketPath = `/proc/${running() ?? 0}/root${envoyAdminSocket}`;
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/ready", timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", reject)
      .end();
  });
}
