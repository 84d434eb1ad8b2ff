/** Reports results as tables, on the terminal and in the guide. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../cli/paths.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { machine, type Machine } from "./machine.ts";
import { isMet, type Spread, type Target } from "./figures.ts";

const end = "<!-- end of what is written -->";

/** Common to the results of all benchmarks. */
export interface Results {
  readonly benchmark: string;
  readonly date: string;
  readonly machine: Machine;
  readonly targets: readonly Target[];
}

/** Derives targets, tables and plot from the results. */
interface Presentation<R extends Results> {
  readonly targets: (figures: Omit<R, keyof Results>) => readonly Target[];
  readonly tables: (results: R) => string;
  readonly plot: (results: R) => string;
}

/** Completes a benchmark's results and renders them as text. @param write whether to write them to the guide */
export async function reported<R extends Results>(
  benchmark: R["benchmark"],
  figures: Omit<R, keyof Results>,
  { targets, tables, plot }: Presentation<R>,
  write: boolean,
): Promise<{ result: R; text: string }> {
  const date = new Date().toISOString().slice(0, 10);
  const result = { benchmark, date, machine: machine(), ...figures, targets: targets(figures) } as R;
  const text = tables(result);
  if (write) await writeDocs(result, { tables: text, plot: plot(result) });
  return { result, text };
}

/** Writes data, plot and tables of the same run. @param folder of `docs/` @default - the checkout */
export async function writeDocs(
  results: { readonly benchmark: string },
  { tables, plot }: { readonly tables: string; readonly plot: string },
  folder = projectDir,
): Promise<void> {
  const guide = join(folder, "docs/performance.md");
  const { format } = await import("prettier");
  const { benchmark } = results;
  const printWidth = 120;
  const json = await format(JSON.stringify(results), { parser: "json", printWidth });
  const text = await format(withTables(readFileSync(guide, "utf8"), benchmark, tables), {
    parser: "markdown",
    printWidth,
  });
  writeWhole(join(folder, `docs/performance/${benchmark}.json`), json);
  writeWhole(join(folder, `docs/performance/${benchmark}.svg`), plot);
  writeWhole(guide, text);
}

/** Replaces the tables of a benchmark in the guide. @throws Error if the guide lacks their marks */
export function withTables(text: string, benchmark: string, tables: string): string {
  const begin = `<!-- written by \`npm run bench -- ${benchmark} --write\` -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/performance.md lacks the marks around the tables of "${benchmark}".`);
  return `${text.slice(0, from + begin.length)}\n\n${tables}\n${text.slice(to)}`;
}

export const targetTable = (targets: readonly Target[]): string =>
  table(
    ["", "measured", "target", "met"],
    targets.map((target) => {
      const { what, value, unit, limit, wanted } = target;
      const withUnit = (text: string | number) => `${text} ${unit}`.trimEnd();
      return [what, withUnit(round(value)), withUnit(`${wanted} ${limit}`), isMet(target) ? "yes" : "**no**"];
    }),
  );

/** A Markdown table. All columns but the first are right-aligned. */
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
