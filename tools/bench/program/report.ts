/** Results of the program benchmark as tables, for the terminal and the guide. */
import { describe } from "../machine.ts";
import { spread, table, targetTable, whole } from "../report.ts";
import { partNames, sizeText, type Comparison, type ProgramResults, type Sized, type ToolName } from "./results.ts";

/** Markdown. */
export function tables(results: ProgramResults): string {
  const { sizes, exponents, comparisons, machine, rounds, programs, date } = results;
  const version = (name: string) => programs[name] ?? "?";
  return `${date}, ${describe(machine)}; Node ${version("node")}, Helm ${version("helm")}, kustomize ${version("kustomize")}, cdk8s ${version("cdk8s")}.
Medians of ${rounds} rounds, with the minimum and maximum in brackets.

### Part by part (CPU milliseconds)

${table(["", ...partNames, "total", "memory"], sizes.map(partRow))}
${growth(exponents)}
### Evaluation over the bare program

${table(["", "resources", "this one", "bare", "this one / bare", "bare, pausing", "pausing, each"], sizes.map(bareRow))}
${staging(sizes)}

### Whole commands: seconds, and CPU per object

${table(
  ["", "objects", ...toolsOf(comparisons)],
  comparisons.map((each) => commandRow(each)),
)}
### Targets of the program

${targetTable(results.targets)}`;
}

/** Empty with only one large size: there is nothing to fit. */
const growth = (exponents: ProgramResults["exponents"]): string =>
  Number.isNaN(exponents.total)
    ? ""
    : table(
        ["", ...Object.keys(exponents)],
        [["exponent", ...Object.values(exponents).map((value) => value.toFixed(2))]],
      );

function staging(sizes: readonly Sized[]): string {
  const found = sizes.find(({ size }) => size === "staging");
  if (found === undefined) return "";
  const { totalMs, bare, parts } = found;
  return `Staging takes ${milliseconds(totalMs)} ms beyond importing the SDKs. The bare program also needs ${milliseconds(bare.milliseconds)} ms of them, and loading modules takes ${milliseconds(parts["own modules"])} ms.`;
}

const toolsOf = ([first]: readonly Comparison[]): ToolName[] => Object.keys(first?.commands ?? {}) as ToolName[];

const partRow = ({ size, parts, totalMs, memoryMiB }: Sized): string[] => [
  sizeText(size),
  ...partNames.map((name) => milliseconds(parts[name])),
  milliseconds(totalMs),
  `${whole(memoryMiB)} MiB`,
];

function bareRow({ size, parts, bare, pausing, overBare }: Sized): string[] {
  return [
    sizeText(size),
    whole(bare.resources),
    `${milliseconds(parts.evaluation)} ms`,
    `${milliseconds(bare.milliseconds)} ms`,
    spread(overBare),
    `${milliseconds(pausing.milliseconds)} ms`,
    `${(pausing.milliseconds / pausing.resources).toFixed(2)} ms`,
  ];
}

const commandRow = ({ size, objects, commands }: Comparison): string[] => [
  sizeText(size),
  whole(objects),
  ...Object.values(commands).map(
    ({ seconds, cpuSeconds }) => `${seconds.toFixed(2)} s, ${whole((cpuSeconds * 1e6) / objects)} µs`,
  ),
];

const milliseconds = (value: number): string => (value < 10 ? value.toFixed(1) : whole(value));
