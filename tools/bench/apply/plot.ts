/** A picture of what changes take, readable on light and on dark ground. */
import type { ApplyResults } from "../apply.ts";
import { describe } from "../machine.ts";
import { picture } from "../picture.ts";
import { whole } from "../report.ts";

const [left, right, row] = [250, 640, 20];

/** Two bars for each change: seconds of this project, and of kubectl. */
export function plot({ many, machine }: Pick<ApplyResults, "many" | "machine">): string {
  const pairs = many.flatMap(({ services, changes }) =>
    changes.map((change) => ({ ...change, title: `${whole(services)} services: ${change.what}` })),
  );
  const most = Math.max(...pairs.flatMap(({ seconds, kubectlSeconds }) => [seconds, kubectlSeconds]));
  const bar = (name: string, seconds: number, y: number) => {
    const length = (seconds / most) * (right - left);
    return `  <rect class="${name}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="14" rx="2"/>
  <text x="${(left + length + 8).toFixed(1)}" y="${y + 12}">${seconds.toFixed(1)} s</text>`;
  };
  const groups = pairs.map(({ title, seconds, kubectlSeconds }, index) => {
    const y = 84 + index * (2 * row + 12);
    return `  <text x="${left - 10}" y="${y + 20}" text-anchor="end">${title}</text>
${bar("this", seconds, y)}
${bar("kubectl", kubectlSeconds, y + row - 3)}`;
  });
  return picture({
    title: "Seconds that changes take, by this project and by kubectl",
    head: "Seconds to apply: this project (green), kubectl (grey)",
    below: describe(machine),
    height: 84 + pairs.length * (2 * row + 12),
    styles: [".this { fill: #2da44e; }", ".kubectl { fill: #8c959f; }"],
    body: groups,
  });
}
