/** `npm run bench -- [NAME] [--json]`: the benchmarks. */
import { cpus, totalmem } from "node:os";
import { main } from "../local/cli.ts";
import { Problem } from "../local/problem.ts";
import { start } from "./start.ts";

/** One figure: what was measured, how much, and what it is to stay under, where there is such a thing. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: "s" | "ms" | "MiB";
  readonly limit?: number;
}

const benchmarks: Record<string, (options: { cold: boolean }) => Promise<Figure[]>> = { start };

const usage = `npm run bench -- [NAME] [--json] [--cold]

Runs a benchmark: ${Object.keys(benchmarks).join(", ")}.
  --cold  start: measures with nothing compiled as well (minutes)
  --json  figures and machine as JSON`;

await main(
  usage,
  { json: { type: "boolean", default: false }, cold: { type: "boolean", default: false } },
  async ({ values, positionals }) => {
    const [name = "start"] = positionals;
    const benchmark = benchmarks[name];
    if (benchmark === undefined)
      throw new Problem(`There is no benchmark "${name}".`, `Allowed: ${Object.keys(benchmarks).join(", ")}.`);
    const figures = await benchmark(values);
    const machine = {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    };
    if (values.json) {
      console.log(JSON.stringify({ benchmark: name, machine, figures }, null, 2));
      return;
    }
    console.log(`\n${name}, on ${machine.cores} cores (${machine.cpu}) with ${machine.memoryGiB} GiB`);
    const width = Math.max(...figures.map(({ what }) => what.length));
    for (const { what, value, unit, limit } of figures)
      console.log(
        `  ${what.padEnd(width)}  ${value.toFixed(unit === "s" ? 1 : 0).padStart(7)} ${unit.padEnd(3)}${limit === undefined ? "" : `  (to stay under ${limit})`}`,
      );
  },
);
