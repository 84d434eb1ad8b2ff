/** Whether the pods of a stack fit on its nodes: GKE accepts any, and the rest waits for a node that never comes. */
import { allocatable, type Amounts } from "../allocatable.ts";
import { proxyMetrics } from "../metrics.ts";
import { amountsOf, largestPart, podAmounts, podParts, sum, type Part } from "../podAmounts.ts";
import { didYouMean, keyOf, problem, type ConfigProblem } from "../problems.ts";
import { mostPods } from "../../names/replicas.ts";
import type { Settings } from "../schema.ts";
import { largeMeant } from "../unitMistakes.ts";
import { closesPool, zoneCount } from "./cluster.ts";

const mebibyte = 2 ** 20;

/**
 * What pods of the system ask for: an estimate. On each node: logs, metrics, the network, the metadata server, disks.
 * Once: kube-dns (2 × 260m), metrics-server, konnectivity, event exporter.
 * https://github.com/cryptnono/cryptnono/issues/34 has a node's list; Dataplane V2 adds `anetd`.
 */
const system: Readonly<Record<"perNode" | "perCluster", Amounts>> = {
  perNode: { milliCpu: 450, bytes: 850 * mebibyte },
  perCluster: { milliCpu: 1000, bytes: 700 * mebibyte },
};

export interface Workload extends Amounts {
  readonly parts: readonly [Part, ...Part[]];
  /** Most at the same time: in a rollout, old pods run beside the new ones. */
  readonly pods: number;
}

export function workloads(settings: Settings): Workload[] {
  const { services, proxy } = settings;
  const sidecar = proxyMetrics(settings)?.resources;
  const ofProxy: Part = { kind: "program", path: ["proxy", "resources"], resources: proxy.resources };
  return [
    ...Object.entries(services).map(([name, service]) => {
      const parts = podParts(name, service);
      return { parts, pods: podsOf(service), ...podAmounts(parts) };
    }),
    {
      parts: [ofProxy],
      pods: 2 * mostPods(proxy.replicas),
      ...sum([amountsOf(proxy.resources), ...(sidecar === undefined ? [] : [amountsOf(sidecar)])]),
    },
  ];
}

/**
 * A release's job is one more pod. A schedule runs now and then, and its pod is counted once: how many there are with
 * `concurrency` allow, nobody knows.
 */
const podsOf = ({ replicas, schedule, release }: Settings["services"][string]): number =>
  schedule === undefined ? 2 * mostPods(replicas) + (release === undefined ? 0 : 1) : 1;

const times = ({ milliCpu, bytes }: Amounts, factor: number): Amounts => ({
  milliCpu: milliCpu * factor,
  bytes: bytes * factor,
});

export interface Nodes {
  readonly machineType: string;
  readonly each: Amounts;
  /** At most, over all zones. */
  readonly count: number;
}

/** The pools without taints, or undefined if the program does not know one of their machines. */
export function nodesOf({ cluster }: Settings): Nodes[] | undefined {
  if (cluster.kind !== "gke" || cluster.mode === "autopilot") return undefined;
  const pools = Object.values(cluster.nodePools).filter((pool) => !closesPool(pool));
  const known = pools.flatMap(({ machineType, maxPerZone }) => {
    const each = allocatable(machineType);
    return each === undefined ? [] : [{ machineType, each, count: maxPerZone * zoneCount(cluster) }];
  });
  return known.length < pools.length ? undefined : known;
}

const units = {
  milliCpu: { key: "cpu", show: (value: number) => `${Math.ceil(value)}m of CPU` },
  bytes: { key: "memory", show: (value: number) => `${Math.ceil(value / mebibyte)}Mi of memory` },
} as const;
const kinds = ["milliCpu", "bytes"] as const;

/** Refuses a pod that is larger than any node. */
export function checkCapacity(settings: Settings): ConfigProblem[] {
  const nodes = nodesOf(settings) ?? [];
  if (nodes.length === 0) return [];
  return workloads(settings).flatMap(({ parts, ...pod }) =>
    kinds.flatMap((kind) => {
      const { path, resources } = largestPart(parts, kind);
      const largest = nodes.reduce((a, b) => (b.each[kind] > a.each[kind] ? b : a));
      const { key, show } = units[kind];
      if (pod[kind] <= largest.each[kind]) return [];
      return problem(
        [...path, key],
        resources[key],
        `makes a pod of ${show(pod[kind])}${parts.length > 1 ? " with its other containers" : ""}, which no node has: pods get ${show(largest.each[kind])} of machineType ${largest.machineType}`,
        `lower it, or choose a larger machineType in cluster.nodePools${didYouMean(largeMeant(key, resources[key]))}`,
      );
    }),
  );
}

/** Warns if all pods together, in a rollout of everything, exceed what the pools' largest size holds. */
export function capacityWarnings(settings: Settings): string[] {
  const nodes = nodesOf(settings) ?? [];
  if (nodes.length === 0) return [];
  const count = nodes.reduce((total, pool) => total + pool.count, 0);
  const whole = sum(nodes.map((pool) => times(pool.each, pool.count)));
  // An old pod drains for up to 80 s while its successor runs already.
  const rollout = sum(workloads(settings).map((pod) => times(pod, pod.pods)));
  const jobs = Object.values(settings.services).some(
    ({ schedule, release }) => schedule !== undefined || release !== undefined,
  );
  const pods = jobs ? "the old pods, the new ones and those of jobs" : "the old pods and the new ones";
  return kinds.flatMap((kind) => {
    const room = Math.max(0, whole[kind] - system.perNode[kind] * count - system.perCluster[kind]);
    const { show } = units[kind];
    if (rollout[kind] <= room) return [];
    return `${keyOf(["cluster", "nodePools"])}: ${count} nodes, the most that there may be, have about ${show(room)} beside the system's pods, and a rollout of everything needs ${show(rollout[kind])}, ${pods}; raise maxPerZone or machineType`;
  });
}
