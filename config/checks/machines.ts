/** Machine types that do not exist, and disks that a machine does not take: Google says so when the pool is created. */

/** By series, the vCPUs that a predefined machine may have. https://cloud.google.com/compute/docs/machine-resource */
const sizes: Readonly<Record<string, readonly number[]>> = {
  e2: [2, 4, 8, 16, 32],
  n1: [1, 2, 4, 8, 16, 32, 64, 96],
  n2: [2, 4, 8, 16, 32, 48, 64, 80, 96, 128],
  n2d: [2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224],
  t2d: [1, 2, 4, 8, 16, 32, 48, 60],
  t2a: [1, 2, 4, 8, 16, 32, 48],
  c2: [4, 8, 16, 30, 60],
  c2d: [2, 4, 8, 16, 32, 56, 112],
  c3: [4, 8, 22, 44, 88, 176, 192],
  c3d: [4, 8, 16, 30, 60, 90, 180, 360],
  c4: [2, 4, 8, 16, 24, 32, 48, 96, 144, 192, 288],
  c4a: [1, 2, 4, 8, 16, 32, 48, 64, 72],
  c4d: [2, 4, 8, 16, 32, 48, 64, 96, 192, 384],
  n4: [2, 4, 8, 16, 32, 48, 64, 80],
  n4a: [1, 2, 4, 8, 16, 32, 48, 64],
  n4d: [2, 4, 8, 16, 32, 48, 64, 80, 96],
};

/** https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support */
const hyperdiskOnly = ["c4", "c4a", "c4d", "n4", "n4a", "n4d", "a4", "x4", "m4", "h4d"];
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
  const known = sizes[series];
  const [, cpus] = /^\w+-(?:standard|highmem|highcpu)-(\d+)/.exec(machineType) ?? [];
  if (series === "f1") refuse("machineType", machineType, "has too little memory for a node", "use e2-small or larger");
  else if (known !== undefined && cpus !== undefined && !known.includes(Number(cpus)))
    refuse(
      "machineType",
      machineType,
      `does not exist: machines of the series ${series} have ${known.join(", ")} vCPUs`,
      `choose one of those numbers, such as ${machineType.replace(/\d+(?!.*\d)/, String(known[1] ?? ""))}`,
    );
  const isHyperdisk = diskType.startsWith("hyperdisk-");
  if (!isHyperdisk && hyperdiskOnly.includes(series))
    refuse("diskType", diskType, `is no disk for the series ${series}`, "use hyperdisk-balanced");
  else if (isHyperdisk && noBalancedHyperdisk.includes(series))
    refuse("diskType", diskType, `is no disk for the series ${series}`, "use pd-balanced");
  else if (diskType === "pd-standard" && noStandardDisk.includes(series))
    refuse("diskType", diskType, `is no disk for the series ${series}`, "use pd-balanced or hyperdisk-balanced");
}
