/** Machine types that do not exist, and disks that a machine does not take: Google says so when the pool is created. */
import { keyOf } from "../problems.ts";
import type { Settings } from "../schema.ts";
import { badMachine, seriesOf, unknownSeries } from "./machineTypes.ts";

/** https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support */
const hyperdiskOnly = /^(c4|c4a|c4d|c4n|n4|n4a|n4d|a3-ultragpu|a4|a4x|g4|x4|m4|m4n|h4d)$/;
const noBalancedHyperdisk = /^(e2|n1|custom|n2|n2d|t2d|t2a|c2|c2d|f1|g1|g2|a2)$/;
/** https://cloud.google.com/compute/docs/disks/persistent-disks#pd-machine-types */
const noStandardDisk = /^(c3|c3d|g2|h3|m3|z3|a3)$/;

/** https://cloud.google.com/compute/docs/instances/arm-on-compute */
export const hasArm = (machineType: string): boolean => /^(t2a|c4a|n4a|a4x)$/.test(seriesOf(machineType));
/** Series that bring their GPUs. https://cloud.google.com/compute/docs/accelerator-optimized-machines */
export const hasGpu = (machineType: string): boolean => /^(a2|a3|a4|a4x|g2|g4)$/.test(seriesOf(machineType));

/** Machines with the same disks: of A3, some differ from the others. */
const diskKindOf = (machineType: string): string => /^a3-ultragpu(?=-)/.exec(machineType)?.[0] ?? seriesOf(machineType);

/** https://cloud.google.com/kubernetes-engine/docs/concepts/tpus */
const tpu = /^(ct\d[a-z]*|tpu\d[a-z]*)$/;

/**
 * Whether GKE keeps pods without a toleration from such machines: it taints those of Arm and TPUs itself.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/arm-on-gke
 */
export const hasOwnTaint = (machineType: string): boolean => hasArm(machineType) || tpu.test(seriesOf(machineType));

interface Machine {
  readonly machineType: string;
  readonly diskType: string;
}

export function checkMachine(
  { machineType, diskType }: Machine,
  refuse: (key: keyof Machine, value: string, rule: string, fix: string) => void,
): void {
  const series = seriesOf(machineType);
  const bad = badMachine(machineType);
  if (series === "f1") refuse("machineType", machineType, "has too little memory for a node", "use e2-small or larger");
  else if (bad !== undefined) refuse("machineType", machineType, bad.rule, bad.fix);
  const isHyperdisk = diskType.startsWith("hyperdisk-");
  const kind = diskKindOf(machineType);
  const rule = `is no disk for the series ${kind}`;
  if (!isHyperdisk && hyperdiskOnly.test(kind)) refuse("diskType", diskType, rule, "use hyperdisk-balanced");
  else if (isHyperdisk && noBalancedHyperdisk.test(kind)) refuse("diskType", diskType, rule, "use pd-balanced");
  else if (diskType === "pd-standard" && noStandardDisk.test(kind))
    refuse("diskType", diskType, rule, series === "g2" ? "use pd-balanced" : "use pd-balanced or hyperdisk-balanced");
}

export function machineWarnings({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke") return [];
  return Object.entries(cluster.nodePools).flatMap(([name, { machineType }]) => {
    const warning = unknownSeries(machineType);
    return warning === undefined ? [] : `${keyOf(["cluster", "nodePools", name, "machineType"])}: ${warning}`;
  });
}
