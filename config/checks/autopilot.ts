/**
 * Autopilot raises requests that are too small or unbalanced. It bills for them, and every update with a refresh would
 * change them back. These are the limits of its general-purpose nodes for clusters that can burst, as every cluster
 * created since version 1.30.2 can.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-resource-requests#compute-class-min-max
 */
import { diskBytes, temporary } from "../../names/scratch.ts";
import { proxyMetrics } from "../metrics.ts";
import { computeClass, nodeLabels } from "../nodes.ts";
import { amountsOf, largestPart, podAmounts, podParts, type Part } from "../podAmounts.ts";
import { didYouMean, problem, type ConfigProblem } from "../problems.ts";
import { bytesOf, milliCpuOf } from "../../names/quantities.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { largeMeant } from "../unitMistakes.ts";

const least = { cpu: "50m", memory: "52Mi" };
/**
 * Of a pod, all its containers together, on general-purpose nodes. GKE refuses more ("Total cpu requested by containers
 * for workload … is higher than the Autopilot maximum"): https://github.com/argoproj/argo-workflows/issues/13073
 */
const most = { cpu: "30", memory: "110Gi" };
/** Disk of a pod, of which its log may take a part (`resourcesWithScratch`). */
const [mostDisk, ownDisk] = ["10Gi", "512Mi"];
/**
 * Labels by which a pod chooses hardware other than the general-purpose nodes.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-compute-classes
 */
const hardwareLabels = [computeClass, "cloud.google.com/machine-family", nodeLabels.gpu];
/** A node that Autopilot makes for GPUs has one of these numbers, and the pod gets all of them. https://cloud.google.com/kubernetes-engine/docs/how-to/autopilot-gpus */
const gpuCounts = [1, 2, 4, 8, 16];
/** GiB for each CPU. */
const [leastRatio, mostRatio] = [1, 6.5];
const gibibyte = 2 ** 30;

interface Requests {
  readonly cpu?: string | undefined;
  readonly memory: string;
}

export function checkAutopilot(settings: Settings): ConfigProblem[] {
  const { cluster, services, proxy } = settings;
  if (cluster.mode !== "autopilot") return [];
  const single = [
    ...Object.entries(services).flatMap(([name, service]) => {
      const parts = podParts(name, service);
      const small = parts.flatMap(({ path, resources }) => checkLeast(path, resources));
      // The most of other hardware, and its ratios, differ by kind and number.
      if (hasOtherHardware(service.nodes)) return [...small, ...checkGpu(name, service.nodes?.gpu)];
      return [...(small.length > 0 ? small : checkServicePod(parts)), ...checkDisk(name, service)];
    }),
    ...check(["proxy", "resources"], proxy.resources),
    ...check(["proxy", "metrics", "resources"], proxy.metrics.resources),
  ];
  return single.length > 0 ? single : checkProxyPod(settings);
}

type Nodes = Settings["services"][string]["nodes"];

const hasOtherHardware = (nodes: Nodes): boolean =>
  nodes !== undefined &&
  (nodes.gpu !== undefined || hardwareLabels.some((label) => Object.hasOwn(nodes.labels, label)));

function checkGpu(name: string, gpu: NonNullable<Nodes>["gpu"]): ConfigProblem[] {
  if (gpu === undefined || gpuCounts.includes(gpu.count)) return [];
  return [
    problem(
      ["services", name, "nodes", "gpu", "count"],
      gpu.count,
      "is a number of GPUs that no node of Autopilot has",
      `choose one of ${gpuCounts.join(", ")}`,
    ),
  ];
}

/** Each sidecar has a log and a `/tmp` beside the program's own, and each init container a `/tmp`. */
function checkDisk(name: string, { scratch, sidecars, init }: ServiceSettings): ConfigProblem[] {
  const tmp = diskBytes(temporary);
  const others = Object.keys(sidecars).length * (bytesOf(ownDisk) + tmp) + init.length * tmp;
  const left = bytesOf(mostDisk) - bytesOf(ownDisk) - others;
  return diskBytes({ ...temporary, ...scratch }) <= left
    ? []
    : [
        problem(
          ["services", name, "scratch"],
          Object.fromEntries(Object.entries(scratch).map(([folder, { size }]) => [folder, size])),
          `with /tmp is more than the ${Math.max(0, Math.floor(left / 2 ** 20))}Mi of disk that Autopilot leaves a pod for it`,
          "lower the sizes",
        ),
      ];
}

/** Sidecars and init containers count in their pod. */
function checkServicePod(parts: readonly [Part, ...Part[]]): ConfigProblem[] {
  const [{ path, resources }, ...others] = parts;
  if (others.length === 0) return check(path, resources);
  const pod = podAmounts(parts);
  const large = (["cpu", "memory"] as const).flatMap((key) => {
    const kind = key === "cpu" ? "milliCpu" : "bytes";
    const largest = largestPart(parts, kind);
    if (pod[kind] <= amountsOf(most)[kind]) return [];
    return problem(
      [...largest.path, key],
      largest.resources[key],
      `is above the maximum of Autopilot for a pod, which is ${most[key]}, with its other containers`,
      "lower one of them",
    );
  });
  if (large.length > 0) return large;
  const [cpus, gibibytes] = [pod.milliCpu / 1000, pod.bytes / gibibyte];
  const together = `${pod.milliCpu}m of CPU and ${Math.ceil(gibibytes * 1024)}Mi of memory`;
  if (gibibytes < cpus * leastRatio)
    return [
      problem(
        [...path, "memory"],
        resources.memory,
        `makes a pod of ${together} with its other containers, and Autopilot needs ${leastRatio}Gi for each CPU`,
        "raise the memory of one of them, or lower the CPU",
      ),
    ];
  return gibibytes <= cpus * mostRatio
    ? []
    : [
        problem(
          [...path, "cpu"],
          resources.cpu,
          `makes a pod of ${together} with its other containers, and Autopilot has at most ${mostRatio}Gi for each CPU`,
          "raise the CPU of one of them, or lower the memory",
        ),
      ];
}

/** nginx and the exporter beside it. */
function checkProxyPod(settings: Settings): ConfigProblem[] {
  const { resources } = settings.proxy;
  const sidecar = proxyMetrics(settings)?.resources;
  if (sidecar === undefined) return [];
  return (["cpu", "memory"] as const).flatMap((key) => {
    const amount = key === "cpu" ? milliCpuOf : bytesOf;
    if (amount(resources[key]) + amount(sidecar[key]) <= amount(most[key])) return [];
    return problem(
      ["proxy", "resources", key],
      resources[key],
      `is above the maximum of Autopilot for a pod, which is ${most[key]}, with the ${sidecar[key]} of proxy.metrics.resources`,
      "lower one of the two",
    );
  });
}

function checkLeast(path: readonly PropertyKey[], { cpu = least.cpu, memory }: Requests): ConfigProblem[] {
  const small = [
    ...(milliCpuOf(cpu) < milliCpuOf(least.cpu) ? [["cpu", cpu, least.cpu] as const] : []),
    ...(bytesOf(memory) < bytesOf(least.memory) ? [["memory", memory, least.memory] as const] : []),
  ];
  return small.map(([key, value, minimum]) =>
    problem([...path, key], value, `is below the minimum of Autopilot, which is ${minimum}`, `set ${minimum} or more`),
  );
}

function check(path: readonly PropertyKey[], { cpu = least.cpu, memory }: Requests): ConfigProblem[] {
  const small = checkLeast(path, { cpu, memory });
  if (small.length > 0) return small;
  const large = [
    ...(milliCpuOf(cpu) > milliCpuOf(most.cpu) ? [["cpu", cpu, most.cpu] as const] : []),
    ...(bytesOf(memory) > bytesOf(most.memory) ? [["memory", memory, most.memory] as const] : []),
  ];
  if (large.length > 0)
    return large.map(([key, value, maximum]) =>
      problem(
        [...path, key],
        value,
        `is above the maximum of Autopilot, which is ${maximum}`,
        `set ${maximum} or less${didYouMean(largeMeant(key, value))}`,
      ),
    );
  const [cpus, gibibytes] = [milliCpuOf(cpu) / 1000, bytesOf(memory) / gibibyte];
  if (gibibytes < cpus * leastRatio)
    return [
      problem(
        [...path, "memory"],
        memory,
        `is less than the ${leastRatio}Gi for each CPU that Autopilot needs, and cpu is ${cpu}`,
        `set ${Math.ceil(cpus * leastRatio * 1024)}Mi or more, or less cpu`,
      ),
    ];
  if (gibibytes > cpus * mostRatio)
    return [
      problem(
        [...path, "cpu"],
        cpu,
        `is too little for ${memory}: Autopilot has at most ${mostRatio}Gi for each CPU`,
        `set ${Math.ceil((gibibytes / mostRatio) * 1000)}m or more, or less memory`,
      ),
    ];
  return [];
}
