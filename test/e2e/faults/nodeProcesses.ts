/** Finds processes of the local Kubernetes by their ids on this machine, to kill or suspend them. */
import assert from "node:assert/strict";
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sandboxInit } from "../../../tools/machine/exec.ts";
import { kubectlObjects, type KubectlTarget } from "../../../tools/cli/kubectl.ts";
import { allProcesses, commandLine } from "../../../tools/cli/procfs.ts";

/** Processes of the node by program, such as kubelet, without those of another cluster on this machine. */
export function processesOf(program: string): number[] {
  const node = processNamespace(sandboxInit() ?? 0);
  const found = allProcesses().filter(
    (pid) => basename(commandLine(pid)[0] ?? "") === program && processNamespace(pid) === node,
  );
  assert.ok(found.length > 0, `no ${program} is running`);
  return found;
}

export function kill(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      continue; // It has ended with its parent.
    }
}

/** Waits until containers have restarted. Kubernetes delays repeated restarts. */
export async function restarted(
  localTarget: KubectlTarget,
  deployment: string,
  before: number,
  reason: string,
): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { count, reasons } = await restartsOf(localTarget, deployment);
    if (count > before && reasons.includes(reason)) return;
    assert.ok(Date.now() < end, `${count - before} restarts, after: ${reasons.join()}`);
    await sleep(1000);
  }
}

/** Suspends processes: they exist, but do not answer. */
export async function suspend(pids: readonly number[], seconds: number): Promise<void> {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    await sleep(seconds * 1000);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID: string;
  readonly restartCount: number;
  readonly lastState: { readonly terminated?: { readonly reason: string } };
}
interface PodStatus {
  readonly containerStatuses: readonly ContainerStatus[];
}
const podsOf = (localTarget: KubectlTarget, deployment: string) =>
  kubectlObjects(localTarget, [
    "--namespace",
    "apps",
    "get",
    "pods",
    "--selector",
    `app.kubernetes.io/name=${deployment}`,
  ]);

/** Number of restarts of a Deployment's containers, and the reasons of the last ones. */
export async function restartsOf(
  localTarget: KubectlTarget,
  deployment: string,
): Promise<{ count: number; reasons: string[] }> {
  const containers = (await podsOf(localTarget, deployment)).flatMap(
    (pod) => (pod["status"] as PodStatus).containerStatuses,
  );
  return {
    count: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    reasons: containers.flatMap(({ lastState }) => lastState.terminated?.reason ?? []),
  };
}

/** Processes of a container in the first pod of a Deployment. */
export async function containerOf(
  localTarget: KubectlTarget,
  deployment: string,
  container = deployment,
): Promise<number[]> {
  const [pod] = await podsOf(localTarget, deployment);
  const { containerStatuses } = pod?.["status"] as PodStatus;
  const id = containerStatuses.find(({ name }) => name === container)?.containerID.split("//")[1];
  assert.ok(id !== undefined, `no container ${container} in a pod of ${deployment}`);
  const pids = allProcesses().filter((pid) => cgroupOf(pid).includes(id));
  assert.ok(pids.length > 0);
  return pids;
}

function processNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return ""; // It has ended.
  }
}

function cgroupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8");
  } catch {
    return ""; // It has ended.
  }
}
