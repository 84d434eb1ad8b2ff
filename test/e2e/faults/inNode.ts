/** What runs in the local Kubernetes, by its process ids on this machine: to be killed, or held for a while. */
import assert from "node:assert/strict";
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sandboxInit } from "../../../tools/machine/exec.ts";
import { kubectlObjects, type KubectlTarget } from "../../../tools/cli/kubectl.ts";
import { allProcesses, commandLine } from "../../../tools/cli/procfs.ts";

/** Processes of the node itself by program, such as kubelet; not those of another cluster on this machine. */
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
      continue; // It ended with its parent.
    }
}

/** Kubernetes waits before it starts a container again that has ended before. */
export async function startedAgain(
  place: KubectlTarget,
  deployment: string,
  before: number,
  reason: string,
): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { count, reasons } = await restartsOf(place, deployment);
    if (count > before && reasons.includes(reason)) return;
    assert.ok(Date.now() < end, `started again: ${count - before} times, after: ${reasons.join()}`);
    await sleep(1000);
  }
}

/** Holds processes: to others they are there and do not answer. */
export async function hold(pids: readonly number[], seconds: number): Promise<void> {
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
const podsOf = (place: KubectlTarget, deployment: string) =>
  kubectlObjects(place, ["--namespace", "apps", "get", "pods", "--selector", `app.kubernetes.io/name=${deployment}`]);

/** How often containers of a Deployment were started again, and what ended them the last time. */
export async function restartsOf(
  place: KubectlTarget,
  deployment: string,
): Promise<{ count: number; reasons: string[] }> {
  const containers = (await podsOf(place, deployment)).flatMap((pod) => (pod["status"] as PodStatus).containerStatuses);
  return {
    count: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    reasons: containers.flatMap(({ lastState }) => lastState.terminated?.reason ?? []),
  };
}

/** Processes of a container in the first pod of a Deployment of this project. */
export async function containerOf(place: KubectlTarget, deployment: string, container = deployment): Promise<number[]> {
  const [pod] = await podsOf(place, deployment);
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
