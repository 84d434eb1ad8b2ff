/** What a node of GKE has for pods, by machine type: a pure function from Google's documented formula. */

export interface Amounts {
  /** Thousandths of a CPU. */
  readonly milliCpu: number;
  readonly bytes: number;
}

const [mebibyte, gibibyte] = [2 ** 20, 2 ** 30];

/** GiB of the machines whose two CPUs are shared. https://cloud.google.com/compute/docs/general-purpose-machines#e2-shared-core */
const sharedCore: Readonly<Record<string, number>> = { "e2-micro": 1, "e2-small": 2, "e2-medium": 4 };
/** Of those, pods get less than one CPU. https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes */
const sharedMilliCpu = 940;

/** GiB for each CPU. https://cloud.google.com/compute/docs/machine-resource */
const usualRatio: Readonly<Record<string, number>> = { standard: 4, highmem: 8, highcpu: 2 };
const ratios: Readonly<Record<string, typeof usualRatio>> = {
  e2: { highcpu: 1 },
  n1: { standard: 3.75, highmem: 6.5, highcpu: 0.9 },
  n2: { highcpu: 1 },
  n2d: { highcpu: 1 },
  c4: { standard: 3.75, highmem: 7.75 },
  c4d: { standard: 3.875, highmem: 7.875, highcpu: 1.875 },
};

/** CPU and memory of a machine, or undefined if this program does not know it, such as one with GPUs. */
export function machine(machineType: string): (Amounts & { readonly shared: boolean }) | undefined {
  const shared = sharedCore[machineType];
  if (shared !== undefined) return { milliCpu: 2000, bytes: shared * gibibyte, shared: true };
  const [, series = "", family = "", cpus] =
    /^([a-z]\d+[a-z]*)-(standard|highmem|highcpu)-(\d+)$/.exec(machineType) ?? [];
  if (cpus !== undefined) {
    const ratio = ratios[series]?.[family] ?? usualRatio[family] ?? 0;
    return { milliCpu: Number(cpus) * 1000, bytes: Number(cpus) * ratio * gibibyte, shared: false };
  }
  const [, customCpus, megabytes] = /^(?:[a-z]\d+[a-z]*-)?custom-(\d+)-(\d+)(?:-ext)?$/.exec(machineType) ?? [];
  if (customCpus === undefined) return undefined;
  return { milliCpu: Number(customCpus) * 1000, bytes: Number(megabytes) * mebibyte, shared: false };
}

/** The share that GKE reserves, from a threshold on: marginal, so that it never falls. */
type Brackets = readonly (readonly [threshold: number, rate: number])[];
const cpuBrackets: Brackets = [
  [0, 0.06],
  [1000, 0.01],
  [2000, 0.005],
  [4000, 0.0025],
];
const mebibyteBrackets: Brackets = [
  [0, 0.25],
  [4000, 0.2],
  [8000, 0.1],
  [16_000, 0.06],
  [128_000, 0.02],
];

const reserved = (capacity: number, brackets: Brackets): number =>
  brackets.reduce((sum, [threshold, rate], index) => {
    const end = Math.min(capacity, brackets[index + 1]?.[0] ?? Infinity);
    return sum + Math.max(0, end - threshold) * rate;
  }, 0);

/**
 * What is left of a machine for pods, those of the system included.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes and, for the kernel's part,
 * https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/gce/reserved.go
 */
export function allocatable(machineType: string): Amounts | undefined {
  const whole = machine(machineType);
  if (whole === undefined) return undefined;
  const { milliCpu, bytes, shared } = whole;
  const mebibytes = bytes / mebibyte;
  const kernel = mebibytes / 64 + 16 + (mebibytes > 3 * 1024 ? 64 : 0);
  const ofKubelet = mebibytes < 1000 ? 255 : reserved(mebibytes, mebibyteBrackets);
  const eviction = 100;
  return {
    milliCpu: shared ? sharedMilliCpu : Math.floor(milliCpu - reserved(milliCpu, cpuBrackets)),
    bytes: Math.floor(mebibytes - kernel - ofKubelet - eviction) * mebibyte,
  };
}
