/** Waits for pods that end: until their drain is over, they get requests and use what the config no longer has. */
import { setTimeout as sleep } from "node:timers/promises";
import { kubectlObjects, type KubectlTarget, type LiveObject } from "../cli/kubectl.ts";

interface PodSpec {
  readonly containers: readonly {
    readonly lifecycle?: { readonly preStop?: { readonly sleep?: { seconds: number } } };
  }[];
}

/** Longest wait, whatever clocks and pods say. Milliseconds. */
const longest = 60_000;

/** @param pause between two looks. Milliseconds */
export async function drained(target: KubectlTarget, namespace: string, pause = 500): Promise<void> {
  const end = Date.now() + longest;
  for (;;) {
    const pods = await kubectlObjects(target, ["-n", namespace, "get", "pods"]);
    const now = Date.now();
    if (now > end || pods.every((pod) => drainEnd(pod) <= now)) return;
    await sleep(pause);
  }
}

/**
 * When kubelet ends the sleep before it tells the containers to stop. Milliseconds since 1970; 0 for a pod that stays.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
 */
export function drainEnd({ metadata, ...pod }: LiveObject): number {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata as unknown as {
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
  };
  if (deletionTimestamp === undefined) return 0;
  const { containers } = pod["spec"] as PodSpec;
  const sleeps = containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0);
  // The timestamp is the end of the grace period, in whole seconds.
  return Date.parse(deletionTimestamp) + (1 + Math.max(...sleeps) - deletionGracePeriodSeconds) * 1000;
}
