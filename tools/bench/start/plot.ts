/** Plot of the time of `npm start` by step, readable on light and dark backgrounds. */
import { describe } from "../machine.ts";
import { bar, picture } from "../picture.ts";
import type { Start, StartResults } from "./results.ts";

const [left, right, row] = [300, 640, 20];

/** One panel per kind of start, each with its own scale, because minutes and seconds do not fit one scale. */
export function plot({ starts, machine }: Pick<StartResults, "starts" | "machine">): string {
  let y = 84;
  const panels = starts.map((start) => {
    const text = panel(start, y);
    y += (start.parts.length + 2) * row + 8;
    return text;
  });
  return picture({
    title: "Where the time of npm start goes",
    below: describe(machine),
    height: y,
    styles: [".kind { font-weight: 600; }", "rect { fill: #2da44e; }"],
    body: panels,
  });
}

function panel({ kind, seconds, parts }: Start, top: number): string {
  const most = Math.max(...parts.map((part) => part.seconds));
  const bars = parts.map((part, index) => {
    const y = top + (index + 1) * row;
    return `  <text x="${left - 10}" y="${y + 12}" text-anchor="end">${part.name}</text>
${bar(left, y, (part.seconds / most) * (right - left), `${part.seconds.toFixed(1)} s`)}`;
  });
  return [`  <text class="kind" x="20" y="${top + 12}">${kind}: ${seconds.toFixed(1)} s</text>`, ...bars].join("\n");
}
