/** The machine of a measurement. */
import { cpus, release, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release().replace(/[^\d.].*/, ""),
});

export const describe = ({ cpu, cores, memoryGiB, kernel }: Machine): string =>
  `${cores} cores (${cpu}) with ${memoryGiB} GiB, Linux ${kernel}`;
