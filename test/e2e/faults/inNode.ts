/** What runs in the local Kubernetes, by its process ids on this machine: to be killed, or held for a while. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectlObjects, type Place } from "../../../local/kubectl.ts";
import { allProcesses, commandLine } from "../../../local/processes.ts";

/** Processes of the node itself by program, such as kubelet. */
export function processesOf(program: string): number[] {
  const found = allProcesses().filter((pid) => basename(commandLine(pid)[0] ?? "") === program);
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

/** Holds processes: to others they are there and do not answer. */
export async function hold(pids: readonly number[], seconds: number): Promise<void> {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    await sleep(seconds * 1000);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
}

interface PodStatus {
  readonly containerStatuses: readonly { readonly name: string; readonly containerID: string }[];
}

/** Processes of a container in the first pod of a Deployment of this project. */
export async function containerOf(place: Place, deployment: string, container = deployment): Promise<number[]> {
  const selector = `app.kubernetes.io/name=${deployment}`;
  const [pod] = await kubectlObjects(place, ["--namespace", "apps", "get", "pods", "--selector", selector]);
  const { containerStatuses } = pod?.["status"] as PodStatus;
  const id = containerStatuses.find(({ name }) => name === container)?.containerID.split("//")[1];
  assert.ok(id !== undefined, `no container ${container} in a pod of ${deployment}`);
  const pids = allProcesses().filter((pid) => cgroupOf(pid).includes(id));
  assert.ok(pids.length > 0);
  return pids;
}

function cgroupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8");
  } catch {
    return ""; // It has ended.
  }
}
