/** Plot of the time of `npm start` by step, readable on light and dark backgrounds. */
import { describe } from "../machine.ts";
import { bar, barArea, picture } from "../picture.ts";
import type { Start, StartResults } from "./results.ts";

const row = 20;
const label = (seconds: number) => `${seconds.toFixed(1)} s`;
/** A start whose longest part takes a minute has a scale of its own: the seconds of others would not be seen beside it. */
const minute = 60;
const longest = ({ parts }: Start) => Math.max(...parts.map(({ seconds }) => seconds));

/** One panel per kind of start. All that take seconds have the same scale. */
export function plot({ starts, machine }: Pick<StartResults, "starts" | "machine">): string {
  let y = 84;
  const all = starts.flatMap(({ parts }) => parts);
  const area = barArea(
    all.map(({ name }) => name),
    all.map(({ seconds }) => label(seconds)),
  );
  const common = Math.max(...starts.map(longest).filter((seconds) => seconds < minute));
  const panels = starts.map((start) => {
    const own = longest(start) >= minute;
    const text = panel(start, y, own ? longest(start) : common, own ? " (a scale of its own)" : "", area);
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

function panel(
  { kind, seconds, parts }: Start,
  top: number,
  most: number,
  scale: string,
  { left, right }: ReturnType<typeof barArea>,
): string {
  const bars = parts.map((part, index) => {
    const y = top + (index + 1) * row;
    return `  <text x="${left - 10}" y="${y + 12}" text-anchor="end">${part.name}</text>
${bar(left, y, (part.seconds / most) * (right - left), label(part.seconds))}`;
  });
  return [`  <text class="kind" x="16" y="${top + 12}">${kind}: ${label(seconds)}${scale}</text>`, ...bars].join("\n");
}
