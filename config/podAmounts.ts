/** What a service's pod requests in all, of all its containers. */
import type { Amounts } from "./allocatable.ts";
import { containersOf } from "./containers.ts";
import type { ServiceSettings } from "./schema.ts";
import { bytesOf, milliCpuOf } from "../names/quantities.ts";

interface Resources {
  readonly cpu: string;
  readonly memory: string;
}

/** A container of a pod, with its place in the config. */
export interface Part {
  readonly kind: "program" | "sidecar" | "init";
  /** Of its resources. */
  readonly path: readonly PropertyKey[];
  readonly resources: Resources;
}

export const amountsOf = ({ cpu, memory }: Resources): Amounts => ({
  milliCpu: milliCpuOf(cpu),
  bytes: bytesOf(memory),
});

export const sum = (all: readonly Amounts[]): Amounts =>
  all.reduce((a, b) => ({ milliCpu: a.milliCpu + b.milliCpu, bytes: a.bytes + b.bytes }), { milliCpu: 0, bytes: 0 });

/** @param name of the service */
export const podParts = (
  name: string,
  service: Pick<ServiceSettings, "resources" | "sidecars" | "init">,
): readonly [Part, ...Part[]] => [
  { kind: "program", path: ["services", name, "resources"], resources: service.resources },
  ...containersOf(service).map(({ kind, path, settings }) => ({
    kind,
    path: ["services", name, ...path, "resources"],
    resources: settings.resources,
  })),
];

/**
 * Sidecars run all the time; beside them one init container after another, and then the program.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function podAmounts(parts: readonly Part[]): Amounts {
  const of = (isSidecar: boolean) =>
    parts.filter(({ kind }) => (kind === "sidecar") === isSidecar).map(({ resources }) => amountsOf(resources));
  const largest = of(false).reduce((a, b) => ({
    milliCpu: Math.max(a.milliCpu, b.milliCpu),
    bytes: Math.max(a.bytes, b.bytes),
  }));
  return sum([...of(true), largest]);
}

/** The container that asks for the most of it: a smaller pod begins there. */
export const largestPart = (parts: readonly [Part, ...Part[]], kind: keyof Amounts): Part =>
  parts.reduce((a, b) => (amountsOf(b.resources)[kind] > amountsOf(a.resources)[kind] ? b : a));
