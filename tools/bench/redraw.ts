/** Draws the plots and tables of a recorded run again, as after a change of how they look. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../cli/paths.ts";
import { plot as applyPlot } from "./apply/plot.ts";
import { tables as applyTables, type ApplyResults } from "./apply/results.ts";
import { plot as programPlot } from "./program/plot.ts";
import { tables as programTables } from "./program/report.ts";
import type { ProgramResults } from "./program/results.ts";
import { plot as proxyPlot } from "./proxy/plot.ts";
import { tables as proxyTables } from "./proxy/report.ts";
import type { ProxyResults } from "./proxy/results.ts";
import { writeDocs } from "./report.ts";
import { plot as startPlot } from "./start/plot.ts";
import { tables as startTables, type StartResults } from "./start/results.ts";

const drawn = {
  apply: (results: ApplyResults) => ({ tables: applyTables(results), plot: applyPlot(results) }),
  program: (results: ProgramResults) => ({ tables: programTables(results), plot: programPlot(results) }),
  proxy: (results: ProxyResults) => ({ tables: proxyTables(results), plot: proxyPlot(results) }),
  start: (results: StartResults) => ({ tables: startTables(results), plot: startPlot(results) }),
};

/** @param folder of `docs/`, with the recorded results. @default - the checkout */
export async function redraw(benchmark: keyof typeof drawn, folder = projectDir): Promise<void> {
  const results = JSON.parse(readFileSync(join(folder, `docs/performance/${benchmark}.json`), "utf8")) as never;
  await writeDocs({ ...(results as { benchmark: string }) }, drawn[benchmark](results), folder);
}
