/** Results and targets of the benchmark of `npm start`, and their tables. */
import type { Target } from "../figures.ts";
import { describe } from "../machine.ts";
import { table, targetTable, type Results } from "../report.ts";
import type { Part } from "./phases.ts";

export const kinds = ["nothing cached", "nothing running", "one route edited", "nothing changed"] as const;
export type Kind = (typeof kinds)[number];

export interface Start {
  readonly kind: Kind;
  /** Median of the rounds. `parts` are those of the round nearest to it. */
  readonly seconds: number;
  readonly rounds: number;
  readonly parts: readonly Part[];
}

export interface StartResults extends Results {
  readonly benchmark: "start";
  readonly starts: readonly Start[];
  /** Proportional set size of all processes of the sandbox, including pods. */
  readonly memoryMiB: number;
  /** Milliseconds that `render staging` takes longer than a Node that imports the SDKs, without and with the compile cache. */
  readonly render: { readonly beyondSdks: number; readonly beyondCachedSdks: number };
}

const limits: Record<Kind, number> = {
  "nothing cached": 420,
  "nothing running": 25,
  "one route edited": 15,
  "nothing changed": 15,
};

export function targets({
  starts,
  memoryMiB,
  render,
}: Pick<StartResults, "starts" | "memoryMiB" | "render">): Target[] {
  return [
    ...starts.map(
      (start) => ({ what: start.kind, value: start.seconds, unit: "s", limit: limits[start.kind] }) as const,
    ),
    { what: "memory of all components and pods", value: memoryMiB, unit: "MiB", limit: 2560 } as const,
    {
      what: "render staging, beyond Node importing the SDKs uncached",
      value: render.beyondSdks,
      unit: "ms",
      limit: 100,
    } as const,
  ].map((target) => ({ ...target, wanted: "at most" }));
}

/** Markdown. */
export function tables({ starts, render, targets, machine, date }: StartResults): string {
  const names = [...new Set(starts.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const cell = (value?: number) => (value === undefined ? "" : value.toFixed(1));
  return `${date}, ${describe(machine)}.

### Step by step (seconds)

${table(
  ["", ...starts.map(({ kind }) => kind)],
  [
    ...names.map((name) => [
      name,
      ...starts.map(({ parts }) => cell(parts.find((part) => part.name === name)?.seconds)),
    ]),
    ["all", ...starts.map(({ seconds }) => cell(seconds))],
    ["rounds", ...starts.map(({ rounds }) => String(rounds))],
  ],
)}
Rendering staging takes ${Math.round(render.beyondCachedSdks)} ms longer than a Node that imports the SDKs from the same compile cache.

### Targets of starting

${targetTable(targets)}`;
}
