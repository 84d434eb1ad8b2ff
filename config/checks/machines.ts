/** Machine types that do not exist, and disks that a machine does not take: Google says so when the pool is created. */

import { keyOf } from "../problems.ts";
import type { Settings } from "../schema.ts";
import { badMachine, unknownSeries } from "./machineTypes.ts";

/** https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support */
const hyperdiskOnly = ["c4", "c4a", "c4d", "n4", "n4a", "n4d", "a4", "g4", "x4", "m4", "h4d"];
const noBalancedHyperdisk = ["e2", "n1", "n2", "n2d", "t2d", "t2a", "c2", "c2d", "g1", "f1"];
/** https://cloud.google.com/compute/docs/general-purpose-machines#supported_disk_types_for_c3 */
const noStandardDisk = ["c3", "c3d"];

interface Machine {
  readonly machineType: string;
  readonly diskType: string;
}

export function checkMachine(
  { machineType, diskType }: Machine,
  refuse: (key: keyof Machine, value: string, rule: string, fix: string) => void,
): void {
  const series = machineType.split("-")[0] ?? "";
  const bad = badMachine(machineType);
  if (series === "f1") refuse("machineType", machineType, "has too little memory for a node", "use e2-small or larger");
  else if (bad !== undefined) refuse("machineType", machineType, bad.rule, bad.fix);
  const isHyperdisk = diskType.startsWith("hyperdisk-");
  if (!isHyperdisk && hyperdiskOnly.includes(series))
    refuse("diskType", diskType, `is no disk for the series ${series}`, "use hyperdisk-balanced");
  else if (isHyperdisk && noBalancedHyperdisk.includes(series))
    refuse("diskType", diskType, `is no disk for the series ${series}`, "use pd-balanced");
  else if (diskType === "pd-standard" && noStandardDisk.includes(series))
    refuse("diskType", diskType, `is no disk for the series ${series}`, "use pd-balanced or hyperdisk-balanced");
}

export function machineWarnings({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke") return [];
  return Object.entries(cluster.nodePools).flatMap(([name, { machineType }]) => {
    const warning = unknownSeries(machineType);
    return warning === undefined ? [] : `${keyOf(["cluster", "nodePools", name, "machineType"])}: ${warning}`;
  });
}
