/** What the benchmark of the program finds, and how its runs become figures. */
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

/** One process of `partByPart.ts`. */
export interface Measured {
  /** Milliseconds of CPU. The evaluation checks the config and renders nginx's text as well. */
  readonly parts: Readonly<Record<Part, number>>;
  readonly memoryMiB: number;
  /** Kubernetes objects. */
  readonly objects: number;
}

/** One process of `bare.ts`. */
export interface Bare {
  readonly milliseconds: number;
  readonly memoryMiB: number;
  readonly resources: number;
}

/** Medians over the rounds. */
export interface Sized extends Measured {
  readonly size: Size;
  /** Without the SDKs and without what the evaluation does again. */
  readonly totalMs: number;
  readonly bare: Bare;
  readonly pausing: Bare;
  /** The evaluation over the bare program, by round. */
  readonly overBare: Spread;
}

/** One whole command. */
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

/** What is held to grow no faster than the services. */
export const growing = ["stack file", "config check", "evaluation", "YAML", "nginx text", "total", "memory"] as const;
export type Growing = (typeof growing)[number];

const total = ({ parts }: Measured): number =>
  parts["own modules"] + parts["stack file"] + parts.evaluation + parts.YAML;

/** All of them by round; `pausing` is the bare program that does so. */
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

/** The power of x that y grows with: the slope of the straight line nearest to the points' logarithms (least squares). */
export function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const [mx, my] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const sum = (of: (dx: number, dy: number) => number) => logs.reduce((all, [x, y]) => all + of(x - mx, y - my), 0);
  return sum((dx, dy) => dx * dy) / sum((dx) => dx * dx);
}

/** Below so many services, what there is once in a stack hides how the rest grows. */
const many = 100;

export function exponents(sizes: readonly Sized[]): Record<Growing, number> {
  const large = sizes.flatMap((each) =>
    typeof each.size === "number" && each.size >= many ? [{ ...each, size: each.size }] : [],
  );
  const value = (name: Growing, { totalMs, memoryMiB, parts }: Sized) =>
    name === "total" ? totalMs : name === "memory" ? memoryMiB : parts[name];
  const of = (name: Growing) => exponent(large.map((each) => [each.size, value(name, each)] as const));
  return Object.fromEntries(growing.map((name) => [name, of(name)])) as Record<Growing, number>;
}

/** What this project wants of its program. */
export function targets({ sizes, exponents }: Pick<ProgramResults, "sizes" | "exponents">): Target[] {
  const wanted = (what: string, value: number, unit: Target["unit"], limit: number): Target => {
    return { what, value, unit, limit, wanted: "at most" };
  };
  return [
    ...sizes.flatMap(({ size, totalMs, overBare }) => [
      ...(size === "staging" ? [wanted("staging, all beyond importing the SDKs", totalMs, "ms", 50)] : []),
      wanted(`evaluation over the bare program, ${sizeText(size)}`, overBare.median, "x", 1.15),
    ]),
    ...Object.entries(exponents).flatMap(([name, value]) =>
      // With one large size alone there is nothing to fit.
      Number.isNaN(value) ? [] : [wanted(`exponent of growth, ${name}`, value, "", 1.05)],
    ),
  ];
}

export const sizeText = (size: Size): string =>
  size === "staging" ? size : `${size.toLocaleString("en")} ${size === 1 ? "service" : "services"}`;
