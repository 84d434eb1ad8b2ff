/** The figures for people: as tables on the terminal, and in the guide, where one command writes all of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../local/paths.ts";
import { writeWhole } from "../../local/writeWhole.ts";
import { describe } from "../machine.ts";
import { plot } from "./plot.ts";
import { loadOf, reached, type Case, type ProxyResults, type Scale, type Spread, type Target } from "./results.ts";
import type { SubjectName } from "./subjects.ts";

const guide = join(projectDir, "docs/performance.md");
const [begin, end] = ["<!-- written by `npm run bench -- proxy --write` -->", "<!-- end of what is written -->"];

/** Figures, plot and tables, all of the same run. */
export async function writeDocs(results: ProxyResults): Promise<void> {
  const { format } = await import("prettier");
  const printWidth = 120;
  const json = await format(JSON.stringify(results), { parser: "json", printWidth });
  const text = await format(withTables(readFileSync(guide, "utf8"), tables(results)), {
    parser: "markdown",
    printWidth,
  });
  writeWhole(join(projectDir, "docs/performance/proxy.json"), json);
  writeWhole(join(projectDir, "docs/performance/proxy.svg"), plot(results));
  writeWhole(guide, text);
}

/** @throws Error where the text has no place for them */
export function withTables(text: string, written: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error("docs/performance.md has lost the lines between which the figures stand.");
  return `${text.slice(0, from + begin.length)}\n\n${written}\n${text.slice(to)}`;
}

/** Markdown. */
export function tables(results: ProxyResults): string {
  const { cases, scale, machine, rounds, seconds, programs, date } = results;
  const version = (name: string) => programs[name] ?? "?";
  return `${date}, ${describe(machine)}; nginx ${version("nginx")}, HAProxy ${version("haproxy")}, Envoy ${version("envoy")}, Caddy ${version("caddy")};
${rounds} rounds of ${seconds} s each, medians; in brackets the least and the most of all rounds.

${cases.map(caseTable).join("\n")}
### Many routes

${scale.map(scaleTable).join("\n")}
### What is wanted

${table(["", "measured", "wanted", "reached"], results.targets.map(targetRow))}`;
}

function caseTable(each: Case): string {
  const { loop, subjects, speed, addedP50Micros } = each;
  const names = Object.keys(subjects) as SubjectName[];
  const open = loop === "open";
  const rows = names.map((name) => {
    const { requestsPerSecond, p50Micros, p99Micros, cpuMicros, memoryMiB } = subjects[name];
    return [
      name,
      whole(requestsPerSecond),
      ...(open ? [] : [name === "this one" ? "" : spread(speed[name])]),
      duration(p50Micros),
      ...(open ? [name === "direct" ? "" : duration(addedP50Micros[name])] : []),
      duration(p99Micros),
      `${cpuMicros.toFixed(1)} µs`,
      `${whole(memoryMiB)} MiB`,
    ];
  });
  const heads = [
    "",
    "requests/s",
    ...(open ? [] : ["this one / it"]),
    "p50",
    ...(open ? ["added"] : []),
    "p99",
    "CPU/request",
    "memory",
  ];
  return `### ${loop === "closed" ? "Closed" : "Open"} loop: ${loadOf(each)}

${table(heads, rows)}`;
}

function scaleTable({ kind, memory, memoryFit, speed, checkSeconds, firstAnswerSeconds }: Scale): string {
  return table(
    [kind, ""],
    [
      ["memory", memory.map(({ count, mib }) => `${whole(count)}: ${mib.toFixed(1)} MiB`).join(", ")],
      ["each", `${memoryFit.kibEach.toFixed(1)} KiB (the last over the first: ${memoryFit.bend.toFixed(2)} x)`],
      ["speed with 1,000 over 1", spread(speed)],
      ["`nginx -t` with 1,000", `${checkSeconds.toFixed(2)} s`],
      ["start to first answer with 1,000", `${firstAnswerSeconds.toFixed(2)} s`],
    ],
  );
}

function targetRow(target: Target): string[] {
  const { what, value, unit, limit, wanted } = target;
  return [what, `${round(value)} ${unit}`, `${wanted} ${limit} ${unit}`, reached(target) ? "yes" : "**no**"];
}

/** Numbers are aligned to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (cells: readonly string[]) =>
    line(
      cells.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      ),
    );
  const rule = line(widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)));
  return `${padded(head)}${rule}${rows.map(padded).join("")}`;
}

const whole = (value: number): string => Math.round(value).toLocaleString("en");
const round = (value: number): string => (Math.abs(value) >= 100 ? whole(value) : value.toPrecision(3));
export const spread = ({ median, min, max }: Spread): string =>
  `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
const duration = (micros: number): string =>
  Math.abs(micros) < 1000 ? `${Math.round(micros)} µs` : `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
