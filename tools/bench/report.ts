/** Figures for people: as tables on the terminal, and in the guide, where one command writes all of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../cli/paths.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { machine, type Machine } from "./machine.ts";
import { reached, type Spread, type Target } from "./figures.ts";

const guide = join(projectDir, "docs/performance.md");
const end = "<!-- end of what is written -->";

/** What all benchmarks say beside their figures. */
export interface Results {
  readonly benchmark: string;
  readonly date: string;
  readonly machine: Machine;
  readonly targets: readonly Target[];
}

/** How figures are read. */
interface Reading<R extends Results> {
  readonly targets: (figures: Omit<R, keyof Results>) => readonly Target[];
  readonly tables: (results: R) => string;
  readonly plot: (results: R) => string;
}

/** The end of a benchmark: its figures with what is wanted of them, and as text; @param write into the guide */
export async function reported<R extends Results>(
  benchmark: R["benchmark"],
  figures: Omit<R, keyof Results>,
  { targets, tables, plot }: Reading<R>,
  write: boolean,
): Promise<{ result: R; text: string }> {
  const date = new Date().toISOString().slice(0, 10);
  const result = { benchmark, date, machine: machine(), ...figures, targets: targets(figures) } as R;
  const text = tables(result);
  if (write) await writeDocs(result, { tables: text, plot: plot(result) });
  return { result, text };
}

/** Figures, plot and tables, all of the same run. */
async function writeDocs(
  results: { readonly benchmark: string },
  { tables, plot }: { readonly tables: string; readonly plot: string },
): Promise<void> {
  const { format } = await import("prettier");
  const { benchmark } = results;
  const printWidth = 120;
  const json = await format(JSON.stringify(results), { parser: "json", printWidth });
  const text = await format(withTables(readFileSync(guide, "utf8"), benchmark, tables), {
    parser: "markdown",
    printWidth,
  });
  writeWhole(join(projectDir, `docs/performance/${benchmark}.json`), json);
  writeWhole(join(projectDir, `docs/performance/${benchmark}.svg`), plot);
  writeWhole(guide, text);
}

/** @throws Error where the text has no place for them */
export function withTables(text: string, benchmark: string, written: string): string {
  const begin = `<!-- written by \`npm run bench -- ${benchmark} --write\` -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`docs/performance.md has lost the lines between which the figures of "${benchmark}" stand.`);
  return `${text.slice(0, from + begin.length)}\n\n${written}\n${text.slice(to)}`;
}

export const targetTable = (targets: readonly Target[]): string =>
  table(
    ["", "measured", "wanted", "reached"],
    targets.map((target) => {
      const { what, value, unit, limit, wanted } = target;
      const withUnit = (text: string | number) => `${text} ${unit}`.trimEnd();
      return [what, withUnit(round(value)), withUnit(`${wanted} ${limit}`), reached(target) ? "yes" : "**no**"];
    }),
  );

/** Numbers are aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
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

export const whole = (value: number): string => Math.round(value).toLocaleString("en");
const round = (value: number): string => (Math.abs(value) >= 100 ? whole(value) : value.toPrecision(3));
export const spread = ({ median, min, max }: Spread): string =>
  `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
