/** Plot of the time of each change, readable on light and dark backgrounds. */
import { describe } from "../machine.ts";
import { bar, barArea, picture } from "../picture.ts";
import { whole } from "../report.ts";
import type { ApplyResults } from "./results.ts";

const row = 20;
const label = (seconds: number) => `${seconds.toFixed(1)} s`;

/** Two bars per change: the seconds of this project and of kubectl. */
export function plot({ many, machine }: Pick<ApplyResults, "many" | "machine">): string {
  const pairs = many.flatMap(({ services, changes }) =>
    changes.map((change) => ({ ...change, title: `${whole(services)} services: ${change.what}` })),
  );
  const most = Math.max(...pairs.flatMap(({ seconds, kubectlSeconds }) => [seconds, kubectlSeconds]));
  const { left, right } = barArea(
    pairs.map(({ title }) => title),
    pairs.flatMap(({ seconds, kubectlSeconds }) => [label(seconds), label(kubectlSeconds)]),
  );
  const barOf = (name: string, seconds: number, y: number) =>
    bar(left, y, (seconds / most) * (right - left), label(seconds), name);
  const groups = pairs.map(({ title, seconds, kubectlSeconds }, index) => {
    const y = 84 + index * (2 * row + 12);
    return `  <text x="${left - 10}" y="${y + 20}" text-anchor="end">${title}</text>
${barOf("this", seconds, y)}
${barOf("kubectl", kubectlSeconds, y + row - 3)}`;
  });
  return picture({
    title: "Seconds to apply changes, by this project and by kubectl",
    head: "Seconds to apply: this project (green), kubectl (grey)",
    below: describe(machine),
    height: 84 + pairs.length * (2 * row + 12),
    styles: [".this { fill: #2da44e; }", ".kubectl { fill: #8c959f; }"],
    body: groups,
  });
}
