/** `npm run bench -- [NAME] [--json]`: runs a benchmark. */
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";
import { apply } from "../bench/apply.ts";
import { describe, machine } from "../bench/machine.ts";
import { program } from "../bench/program.ts";
import { proxy } from "../bench/proxy.ts";
import { start } from "../bench/start.ts";

interface Options {
  readonly cold: boolean;
  readonly write: boolean;
  readonly rounds: string;
  readonly seconds: string;
  readonly largest: string;
}

/** `result` for `--json`, `text` for people. */
interface Report {
  readonly result: object;
  readonly text: string;
}

const benchmarks: Record<string, (options: Options) => Promise<Report>> = {
  apply: ({ largest, write }) => apply({ largest: positive("--largest", largest), write }),
  start: ({ cold, write }) => start({ cold, write }),
  proxy: ({ rounds, seconds, write }) =>
    proxy({ rounds: positive("--rounds", rounds), seconds: positive("--seconds", seconds), write }),
  program: ({ rounds, largest, write }) =>
    program({ rounds: positive("--rounds", rounds), largest: positive("--largest", largest), write }),
};

const usage = `npm run bench -- NAME [--json] [options]

Runs a benchmark:
  start        starts of the local Kubernetes, part by part; it stops yours, and edits Pulumi.local.yaml for the time of the run
  proxy        the proxy next to its peers, on loopback
  program      the program next to its peers, as a stack grows
  apply        a change until it is there, on the local Kubernetes; it stops yours

  --json       print the results and the machine as JSON
  --cold       start: also measure with an empty cache, which compiles everything (takes minutes)
  --rounds N   proxy, program: number of rounds (default 5)
  --seconds N  proxy: duration of each measurement (default 3; a complete run takes about 12 minutes)
  --largest N  program, apply: largest number of services (default 2000; complete runs take about 20 and 9 minutes)
  --write      write the results to docs/performance.md and docs/performance/ (start: implies --cold)`;

function positive(option: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new Problem(`"${text}" is not a number for ${option}.`, "Use a whole number from 1 to 9999.");
  return Number(text);
}

await main(
  usage,
  {
    json: { type: "boolean", default: false },
    cold: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    largest: { type: "string", default: "2000" },
  },
  async ({ values, positionals }) => {
    const [name = ""] = positionals;
    const benchmark = benchmarks[name];
    if (name === "") throw new Problem("Name a benchmark.", `See the usage:\n${usage}`);
    if (benchmark === undefined)
      throw new Problem(
        `There is no benchmark "${name}".`,
        `Name one of these: ${Object.keys(benchmarks).join(", ")}.`,
      );
    const { result, text } = await benchmark(values);
    if (values.json) console.log(JSON.stringify({ benchmark: name, machine: machine(), ...result }, null, 2));
    else console.log(`\n${name}, on ${describe(machine())}\n${text}`);
  },
);
