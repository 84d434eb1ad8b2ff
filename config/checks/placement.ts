/** Whether some node of the stack's pools takes a service's pods: others wait for ever. */
import { computeClass, nodeLabels, poolOf } from "../nodes.ts";
import { allowed, keyOf, problem, type ConfigProblem } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { hasArm, hasGpu } from "./machines.ts";

type Nodes = NonNullable<ServiceSettings["nodes"]>;
type Pool = Extract<Settings["cluster"], { kind: "gke" }>["nodePools"][string];

export function checkNodes(name: string, { nodes }: ServiceSettings, { cluster }: Settings): ConfigProblem[] {
  if (nodes === undefined) return [];
  const { pool, gpu } = nodes;
  const at = (...keys: string[]) => ["services", name, "nodes", ...keys];
  const pools = cluster.kind === "gke" ? cluster.nodePools : {};
  const names = Object.keys(pools);
  if (pool !== undefined && poolOf(cluster, pool) === undefined)
    return [
      names.length === 0
        ? problem(at("pool"), pool, "needs node pools, and the stack has none", "name labels of nodes instead")
        : problem(at("pool"), pool, "is not one of cluster.nodePools", allowed(pool, names)),
    ];
  if (gpu !== undefined && gpu.type === undefined && cluster.mode === "autopilot")
    return [problem(at("gpu"), gpu, "has no type, and Autopilot makes nodes for one", "set type, such as nvidia-l4")];
  // Of an existing cluster the program knows no nodes, and Autopilot makes them.
  if (names.length === 0) return [];
  const possible = Object.entries(pools).filter(([each]) => pool === undefined || each === pool);
  const of = pool === undefined ? "no pool has" : `the pool ${pool} does not have`;
  const unmet = demands(nodes).find(({ holds }) => !possible.some(([, each]) => holds(each)));
  if (unmet !== undefined) return [problem(at(...unmet.path), unmet.value, `is what ${of}`, unmet.fix)];
  const all = demands(nodes);
  return possible.some(([, each]) => all.every(({ holds }) => holds(each)))
    ? []
    : [problem(at(), nodes, "is together what no pool has", "remove a part, or add a pool that has all of it")];
}

interface Demand {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly holds: (pool: Pool) => boolean;
  readonly fix: string;
}

/** Labels that GKE or Kubernetes sets itself: the config does not know their values. */
const isOthers = (key: string): boolean =>
  /^([a-z0-9.-]+\.)?(kubernetes\.io|k8s\.io|gke\.io|cloud\.google\.com)\//.test(key);

/**
 * Autopilot makes nodes with a label of the user's only for pods that tolerate a taint of the same name, which those of
 * the stack do not, and as the cluster's compute classes say.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/workload-separation
 */
export function autopilotLabelWarnings(name: string, { nodes }: ServiceSettings, { cluster }: Settings): string[] {
  const labels = Object.keys(nodes?.labels ?? {});
  if (cluster.mode !== "autopilot" || labels.includes(computeClass)) return [];
  return labels
    .filter((key) => !isOthers(key))
    .map(
      (key) =>
        `${keyOf(["services", name, "nodes", "labels", key])}: is a label that Autopilot gives to no node, so that the pods would wait for ever; remove it, or choose hardware with ${computeClass}`,
    );
}

function demands({ spot, arch, gpu, labels }: Nodes): Demand[] {
  return [
    ...(spot
      ? [{ path: ["spot"], value: spot, holds: (pool: Pool) => pool.spot, fix: "remove it, or set spot of the pool" }]
      : []),
    ...(arch === undefined
      ? []
      : [
          {
            path: ["arch"],
            value: arch,
            holds: ({ machineType }: Pool) => hasArm(machineType) === (arch === "arm64"),
            fix: `remove it, or add a pool of ${arch === "arm64" ? "a series with Arm processors, such as c4a-standard-4" : "another series, such as e2-standard-4"}`,
          },
        ]),
    ...(gpu === undefined
      ? []
      : [
          {
            path: ["gpu"],
            value: gpu,
            holds: ({ machineType }: Pool) => hasGpu(machineType),
            fix: "remove it, or add a pool of a series with GPUs, such as g2-standard-8",
          },
        ]),
    ...Object.entries(labels)
      .filter(([key]) => !isOthers(key) && key !== nodeLabels.pool)
      .map(([key, value]) => ({
        path: ["labels", key],
        value,
        holds: (pool: Pool) => pool.labels[key] === value,
        fix: "remove it, or set it in labels of a pool",
      })),
  ];
}
