/** A picture of what changes take, readable on light and on dark ground. */
import type { ApplyResults } from "../apply.ts";
import { describe } from "../machine.ts";
import { whole } from "../report.ts";

const [width, left, right, row] = [760, 250, 640, 20];

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
  const height = 84 + pairs.length * (2 * row + 12);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">Seconds that changes take, by this project and by kubectl</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .head { font-size: 16px; font-weight: 600; }
    .this { fill: #2da44e; }
    .kubectl { fill: #8c959f; }
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
  </style>
  <text class="head" x="20" y="30">Seconds to apply: this project (green), kubectl (grey)</text>
  <text x="20" y="52">${describe(machine)}</text>
${groups.join("\n")}
</svg>
`;
}
