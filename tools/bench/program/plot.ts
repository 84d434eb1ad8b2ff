/** Plot of the growth with logarithmic axes, readable on light and dark backgrounds. */
import { describe } from "../machine.ts";
import { barArea, picture } from "../picture.ts";
import type { ProgramResults } from "./results.ts";

const vertical = { top: 70, bottom: 420 };
const colors = ["#2da44e", "#8250df", "#bf8700", "#0969da", "#cf222e", "#57606a"];

/** CPU seconds by number of services: the parts of this program, the SDK alone, and each peer's whole command. */
export function plot({ sizes, comparisons, machine, rounds }: ProgramResults): string {
  const lines = [
    line(
      "this one, all",
      comparisons.map(({ size, commands }) => [size, commands["this one"].cpuSeconds]),
    ),
    line(
      "evaluation",
      sizes.map(({ size, parts }) => [size, parts.evaluation / 1000]),
    ),
    line(
      "bare SDK",
      sizes.map(({ size, bare }) => [size, bare.milliseconds / 1000]),
    ),
    ...(["Helm", "kustomize", "cdk8s"] as const).map((name) =>
      line(
        `${name}, all`,
        comparisons.map(({ size, commands }) => [size, commands[name].cpuSeconds]),
      ),
    ),
  ];
  const powersOf = (values: readonly number[]) => scale(values, 0, 1).powers.map((power) => `${power} s`);
  const area = {
    ...vertical,
    ...barArea(
      powersOf(lines.flatMap(({ points }) => points.map(([, seconds]) => seconds))),
      lines.map(({ name }) => name),
    ),
  };
  const points = lines.flatMap(({ points }) => points);
  const x = scale(
    points.map(([count]) => count),
    area.left,
    area.right,
  );
  const y = scale(
    points.map(([, seconds]) => seconds),
    area.bottom,
    area.top,
  );
  const ends = labelPositions(lines.map(({ points }) => y.of(points.at(-1)?.[1] ?? 1)));
  const drawn = lines.map(({ name, points }, index) => {
    const path = points.map(([count, seconds]) => `${x.of(count)},${y.of(seconds)}`).join(" ");
    const dash = name === "bare SDK" ? ' stroke-dasharray="4 3"' : "";
    return `  <polyline points="${path}" stroke="${colors[index] ?? ""}"${dash}/>
  <text x="${area.right + 10}" y="${(ends[index] ?? 0) + 4}" style="fill: ${colors[index] ?? ""}">${name}</text>`;
  });
  const columns = x.powers.map(
    (power) => `  <line class="grid" x1="${x.of(power)}" x2="${x.of(power)}" y1="${area.top}" y2="${area.bottom}"/>
  <text x="${x.of(power)}" y="${area.bottom + 18}" text-anchor="middle">${power.toLocaleString("en")}</text>`,
  );
  const rows = y.powers.map(
    (power) => `  <line class="grid" x1="${area.left}" x2="${area.right}" y1="${y.of(power)}" y2="${y.of(power)}"/>
  <text x="${area.left - 10}" y="${y.of(power) + 4}" text-anchor="end">${power} s</text>`,
  );
  const xLabel = `  <text x="${(area.left + area.right) / 2}" y="${area.bottom + 40}" text-anchor="middle">services</text>`;
  return picture({
    title: "CPU time by number of services",
    below: `Medians of ${rounds} rounds. ${describe(machine)}`,
    height: 470,
    styles: ["polyline { fill: none; stroke-width: 2; }", ".grid { stroke: #57606a; stroke-opacity: 0.3; }"],
    body: [...columns, ...rows, ...drawn, xLabel],
  });
}

type Point = readonly [count: number, seconds: number];

const line = (name: string, all: readonly (readonly [count: number | string, seconds: number])[]) => ({
  name,
  points: all.filter((point): point is Point => typeof point[0] === "number"),
});

/** From whole powers of ten to the largest value. */
function scale(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.log10(Math.max(...values));
  const of = (value: number) =>
    Number((from + ((Math.log10(value) - low) / (high - low || 1)) * (to - from)).toFixed(1));
  const powers = Array.from({ length: Math.floor(high) - low + 1 }, (_, index) => Number(`1e${low + index}`));
  return { of, powers };
}

/** Moves labels apart so that they do not overlap. */
function labelPositions(preferred: readonly number[]): number[] {
  const positions = [...preferred];
  let above = -Infinity;
  for (const index of [...preferred.keys()].sort((a, b) => (preferred[a] ?? 0) - (preferred[b] ?? 0)))
    above = positions[index] = Math.max(preferred[index] ?? 0, above + 16);
  return positions;
}
