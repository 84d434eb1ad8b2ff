/** `npm run bench -- [NAME] [--json]`: runs a benchmark. */
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";
import { apply } from "../bench/apply.ts";
import { describe, machine } from "../bench/machine.ts";
import { program } from "../bench/program.ts";
import { proxy } from "../bench/proxy.ts";
import { redraw } from "../bench/redraw.ts";
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

const benchmarks = {
  apply: ({ largest, write }: Options) => apply({ largest: positive("--largest", largest), write }),
  start: ({ cold, write }: Options) => start({ cold, write }),
  proxy: ({ rounds, seconds, write }: Options) =>
    proxy({ rounds: positive("--rounds", rounds), seconds: positive("--seconds", seconds), write }),
  program: ({ rounds, largest, write }: Options) =>
    program({ rounds: positive("--rounds", rounds), largest: positive("--largest", largest), write }),
} satisfies Record<string, (options: Options) => Promise<Report>>;
const isBenchmark = (name: string): name is keyof typeof benchmarks => Object.hasOwn(benchmarks, name);

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
  --write      write the results to docs/performance.md and docs/performance/ (start: implies --cold)
  --redraw     measure nothing: write the plot and the tables of the recorded results again`;

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
    redraw: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    largest: { type: "string", default: "2000" },
  },
  async ({ values, positionals }) => {
    const [name = ""] = positionals;
    if (name === "") throw new Problem("Name a benchmark.", `See the usage:\n${usage}`);
    if (!isBenchmark(name))
      throw new Problem(
        `There is no benchmark "${name}".`,
        `Name one of these: ${Object.keys(benchmarks).join(", ")}.`,
      );
    if (values.redraw) {
      await redraw(name);
      console.log(`Drew the recorded results of ${name} again, in docs/performance.`);
      return;
    }
    const { result, text }: Report = await benchmarks[name](values);
    if (values.json) console.log(JSON.stringify({ benchmark: name, machine: machine(), ...result }, null, 2));
    else console.log(`\n${name}, on ${describe(machine())}\n${text}`);
  },
);
