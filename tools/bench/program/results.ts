/** Results and targets of the program benchmark. */
import { median, pairedRatio, type Spread, type Target } from "../figures.ts";
import type { Results } from "../report.ts";
import type { PeerName } from "./peerInputs.ts";
import type { Size } from "./stack.ts";

export const partNames = [
  "SDKs",
  "own modules",
  "stack file",
  "config check",
  "evaluation",
  "YAML",
  "nginx text",
] as const;
export type Part = (typeof partNames)[number];

/** Result of one `partByPart.ts` process. */
export interface Measured {
  /** CPU milliseconds. The evaluation includes the config check and the rendering of nginx's text. */
  readonly parts: Readonly<Record<Part, number>>;
  readonly memoryMiB: number;
  /** Number of Kubernetes objects. */
  readonly objects: number;
}

/** Result of one `bare.ts` process. */
export interface Bare {
  readonly milliseconds: number;
  readonly memoryMiB: number;
  readonly resources: number;
}

/** Medians over the rounds. */
export interface Sized extends Measured {
  readonly size: Size;
  /** Sum without the SDKs, and without the parts that the evaluation includes. */
  readonly totalMs: number;
  readonly bare: Bare;
  readonly pausing: Bare;
  /** Ratio of the evaluation to the bare program, paired by round. */
  readonly overBare: Spread;
}

/** Result of a whole command. */
export interface Command {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export type ToolName = "this one" | PeerName;

/** The same objects from each tool; medians over the rounds. */
export interface Comparison {
  readonly size: Size;
  readonly objects: number;
  readonly commands: Readonly<Record<ToolName, Command>>;
}

export interface ProgramResults extends Results {
  readonly benchmark: "program";
  readonly programs: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly sizes: readonly Sized[];
  readonly exponents: Readonly<Record<Growing, number>>;
  readonly comparisons: readonly Comparison[];
}

/** What must not grow faster than the number of services. */
export const growing = ["stack file", "config check", "evaluation", "YAML", "nginx text", "total", "memory"] as const;
export type Growing = (typeof growing)[number];

const total = ({ parts }: Measured): number =>
  parts["own modules"] + parts["stack file"] + parts.evaluation + parts.YAML;

/** Summarizes all rounds. @param pausing rounds of the bare program with "pausing" */
export function summarize(
  size: Size,
  runs: readonly Measured[],
  bare: readonly Bare[],
  pausing: readonly Bare[],
): Sized {
  const part = (name: Part) => median(runs.map(({ parts }) => parts[name]));
  const parts = Object.fromEntries(partNames.map((name) => [name, part(name)])) as Record<Part, number>;
  return {
    size,
    parts,
    totalMs: median(runs.map(total)),
    memoryMiB: median(runs.map(({ memoryMiB }) => memoryMiB)),
    objects: runs[0]?.objects ?? 0,
    bare: medians(bare),
    pausing: medians(pausing),
    overBare: pairedRatio(
      runs.map(({ parts }) => parts.evaluation),
      bare.map(({ milliseconds }) => milliseconds),
    ),
  };
}

const medians = (runs: readonly Bare[]): Bare => ({
  milliseconds: median(runs.map(({ milliseconds }) => milliseconds)),
  memoryMiB: median(runs.map(({ memoryMiB }) => memoryMiB)),
  resources: runs[0]?.resources ?? 0,
});

/** The exponent k of y ~ x^k: the slope of the least-squares line through the points' logarithms. */
export function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const [mx, my] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const sum = (of: (dx: number, dy: number) => number) => logs.reduce((all, [x, y]) => all + of(x - mx, y - my), 0);
  return sum((dx, dy) => dx * dy) / sum((dx) => dx * dx);
}

/** Below this number of services, the constant part of a stack hides the growth. */
const smallestFitted = 100;

export function exponents(sizes: readonly Sized[]): Record<Growing, number> {
  const large = sizes.flatMap((each) =>
    typeof each.size === "number" && each.size >= smallestFitted ? [{ ...each, size: each.size }] : [],
  );
  const value = (name: Growing, { totalMs, memoryMiB, parts }: Sized) =>
    name === "total" ? totalMs : name === "memory" ? memoryMiB : parts[name];
  const of = (name: Growing) => exponent(large.map((each) => [each.size, value(name, each)] as const));
  return Object.fromEntries(growing.map((name) => [name, of(name)])) as Record<Growing, number>;
}

/** The targets of the program. */
export function targets({ sizes, exponents }: Pick<ProgramResults, "sizes" | "exponents">): Target[] {
  const atMost = (what: string, value: number, unit: Target["unit"], limit: number): Target => {
    return { what, value, unit, limit, wanted: "at most" };
  };
  return [
    ...sizes.flatMap(({ size, totalMs, overBare }) => [
      ...(size === "staging" ? [atMost("staging, all beyond importing the SDKs", totalMs, "ms", 50)] : []),
      atMost(`evaluation over the bare program, ${sizeText(size)}`, overBare.median, "x", 1.15),
    ]),
    ...Object.entries(exponents).flatMap(([name, value]) =>
      // With only one large size, there is nothing to fit.
      Number.isNaN(value) ? [] : [atMost(`exponent of growth, ${name}`, value, "", 1.05)],
    ),
  ];
}

export const sizeText = (size: Size): string =>
  size === "staging" ? size : `${size.toLocaleString("en")} ${size === 1 ? "service" : "services"}`;
