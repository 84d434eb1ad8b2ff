/** The nodes that a service's pods may run on, as Kubernetes' selector and tolerations. */
import type { PodNodes } from "../components/workloads/program.ts";
import type { ServiceSettings, Settings } from "./schema.ts";

type Cluster = Settings["cluster"];

/** GKE's names of the effects. https://cloud.google.com/kubernetes-engine/docs/how-to/node-taints */
const effects = { NO_SCHEDULE: "NoSchedule", PREFER_NO_SCHEDULE: "PreferNoSchedule", NO_EXECUTE: "NoExecute" } as const;

/** Labels of nodes on GKE. https://cloud.google.com/kubernetes-engine/docs/concepts/spot-vms, …/how-to/prepare-arm-workloads-for-deployment */
export const nodeLabels = {
  // Pulumi gives pools names of their own, so that one can be replaced by another.
  pool: "gke-microservices/pool",
  spot: "cloud.google.com/gke-spot",
  arch: "kubernetes.io/arch",
  // https://cloud.google.com/kubernetes-engine/docs/how-to/gpus
  gpu: "cloud.google.com/gke-accelerator",
} as const;

/** Names a class of nodes, such as Performance. https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-compute-classes */
export const computeClass = "cloud.google.com/compute-class";

const gpuResource = "nvidia.com/gpu";

export function nodesOf({ nodes }: Pick<ServiceSettings, "nodes">, cluster: Cluster): PodNodes | undefined {
  if (nodes === undefined) return undefined;
  const { pool, spot, arch, gpu, labels } = nodes;
  const taints = poolOf(cluster, pool)?.taints ?? [];
  const accept = (key: string, value: string, effect: keyof typeof effects = "NO_SCHEDULE") =>
    ({ key, operator: "Equal", value, effect: effects[effect] }) as const;
  return {
    labels: {
      ...labels,
      ...(pool !== undefined && { [nodeLabels.pool]: pool }),
      ...(spot && { [nodeLabels.spot]: "true" }),
      ...(arch !== undefined && { [nodeLabels.arch]: arch }),
      ...(gpu?.type !== undefined && { [nodeLabels.gpu]: gpu.type }),
    },
    tolerations: [
      ...taints.map(({ key, value, effect }) => accept(key, value, effect)),
      ...(spot ? [accept(nodeLabels.spot, "true")] : []),
      // GKE taints nodes of Arm, so that no image of another architecture gets there.
      ...(arch === "arm64" ? [accept(nodeLabels.arch, arch)] : []),
      // Nodes with GPUs have this taint, and its value differs.
      ...(gpu === undefined ? [] : [{ key: gpuResource, operator: "Exists", effect: "NoSchedule" } as const]),
    ],
    ...(gpu !== undefined && { devices: { [gpuResource]: String(gpu.count) } }),
  };
}

/** A pool of the stack's own cluster. */
export const poolOf = (cluster: Cluster, name: string | undefined) =>
  cluster.kind === "gke" && name !== undefined && Object.hasOwn(cluster.nodePools, name)
    ? cluster.nodePools[name]
    : undefined;

/**
 * The cluster with a label on the nodes of each pool that a service names. Google changes labels of nodes in place:
 * https://github.com/hashicorp/terraform-provider-google/blob/main/CHANGELOG.md#4480-january-9-2023
 */
export function withPoolLabels<Of extends Cluster>(cluster: Of, services: Settings["services"]): Of {
  if (cluster.kind !== "gke") return cluster;
  const named = new Set(Object.values(services).map(({ nodes }) => nodes?.pool));
  const nodePools = Object.entries(cluster.nodePools).map(([name, pool]) => [
    name,
    named.has(name) ? { ...pool, labels: { ...pool.labels, [nodeLabels.pool]: name } } : pool,
  ]);
  return { ...cluster, nodePools: Object.fromEntries(nodePools) as typeof cluster.nodePools };
}
