/** The tables and plots of docs/performance.md match the recorded data. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { format } from "prettier";
import * as applied from "../../../tools/bench/apply/results.ts";
import { plot as applyPlot } from "../../../tools/bench/apply/plot.ts";
import { plot as programPlot } from "../../../tools/bench/program/plot.ts";
import * as program from "../../../tools/bench/program/report.ts";
import type { ProgramResults } from "../../../tools/bench/program/results.ts";
import { plot as proxyPlot } from "../../../tools/bench/proxy/plot.ts";
import * as proxy from "../../../tools/bench/proxy/report.ts";
import { withTables } from "../../../tools/bench/report.ts";
import { plot as startPlot } from "../../../tools/bench/start/plot.ts";
import * as started from "../../../tools/bench/start/results.ts";
import { projectDir } from "../../../tools/cli/paths.ts";

const read = (path: string) => readFileSync(join(projectDir, path), "utf8");

function matchesData<Results>(name: string, tables: (results: Results) => string, plot: (results: Results) => string) {
  test(`${name}: tables and plot match the data`, async () => {
    const results = JSON.parse(read(`docs/performance/${name}.json`)) as Results;
    const guide = read("docs/performance.md");
    const written = await format(withTables(guide, name, tables(results)), { parser: "markdown", printWidth: 120 });
    assert.equal(guide, written);
    assert.equal(read(`docs/performance/${name}.svg`), plot(results));
    assert.doesNotMatch(tables(results) + plot(results), /NaN|undefined|Infinity/);
  });
}

matchesData("proxy", proxy.tables, proxyPlot);
matchesData("program", program.tables, programPlot);
matchesData("apply", applied.tables, applyPlot);
matchesData("start", started.tables, startPlot);

test("the recorded runs are complete", () => {
  const data = (name: string): unknown => JSON.parse(read(`docs/performance/${name}.json`));
  const sizes = (data("program") as ProgramResults).sizes.map(({ size }) => size);
  assert.deepEqual(sizes, ["staging", 1, 10, 100, 300, 1000, 2000]);
  const { oneImage, many } = data("apply") as applied.ApplyResults;
  const counts = (all: readonly { services: number }[]) => all.map(({ services }) => services);
  assert.deepEqual(
    [counts(oneImage), counts(many)],
    [
      [10, 100],
      [100, 1000],
    ],
  );
  const kinds = (data("start") as started.StartResults).starts.map(({ kind }) => kind);
  assert.deepEqual(kinds, started.kinds);
});
