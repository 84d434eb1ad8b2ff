/** How long a change takes to be there: one image among many services, and a thousand services next to what kubectl itself takes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../cli/run.ts";
import { projectDir } from "../cli/paths.ts";
import { createProgress, type Progress } from "../cli/progress.ts";
import { startControlPlane } from "./apply/kwok.ts";
import { measureMany, type Many } from "./apply/many.ts";
import { measureOneImage, type OneImage } from "./apply/oneImage.ts";
import { plot } from "./apply/plot.ts";
import type { Target } from "./figures.ts";
import { describe, machine, type Machine } from "./machine.ts";
import { table, targetTable, whole, writeDocs } from "./report.ts";

export interface ApplyResults {
  readonly benchmark: "apply";
  readonly date: string;
  readonly machine: Machine;
  /** On the local Kubernetes, with real pods. */
  readonly oneImage: readonly OneImage[];
  /** On a control plane with nodes that kwok plays. */
  readonly many: readonly Many[];
  readonly targets: readonly Target[];
}

const sizes = { oneImage: [10, 100], many: [100, 1000] };

/** @param options.largest the most services @param options.write into the guide */
export async function apply(options: {
  largest: number;
  write: boolean;
}): Promise<{ result: ApplyResults; text: string }> {
  const { largest, write } = options;
  const progress = createProgress();
  const upTo = (counts: readonly number[]) => counts.filter((count) => count <= largest);
  const oneImage: OneImage[] = [];
  for (const services of upTo(sizes.oneImage))
    oneImage.push(
      await progress.step(`One image among ${services} services`, (step) =>
        measureOneImage(services, (text) => {
          step.detail(text);
        }),
      ),
    );
  // Their pods would take part in what is measured next.
  await run(process.execPath, [join(projectDir, "tools/commands/stop.ts"), "--keep-cache"], { cwd: projectDir });
  const many = await nextToKubectl(upTo(sizes.many), progress);
  const date = new Date().toISOString().slice(0, 10);
  const found = { benchmark: "apply", date, machine: machine(), oneImage, many } as const;
  const result = { ...found, targets: targets(found) };
  if (write) await writeDocs(result, { tables: tables(result), plot: plot(result) });
  return { result, text: tables(result) };
}

async function nextToKubectl(counts: readonly number[], progress: Progress): Promise<Many[]> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  await using target = await progress.step("Starting a control plane with fake nodes", () =>
    startControlPlane(folder, 100),
  );
  const many: Many[] = [];
  for (const services of counts)
    many.push(
      await progress.step(`${whole(services)} services, next to kubectl`, (step) =>
        measureMany(target, services, (text) => {
          step.detail(text);
        }),
      ),
    );
  return many;
}

/** Each of the most services. */
function targets({ oneImage, many }: Pick<ApplyResults, "oneImage" | "many">): Target[] {
  const [one, most] = [oneImage.at(-1), many.at(-1)];
  return [
    ...(one === undefined
      ? []
      : [
          {
            what: `one image among ${whole(one.services)} services is there`,
            value: one.answers.median,
            unit: "s",
            limit: 10,
            wanted: "at most",
          } as const,
        ]),
    ...(most?.changes ?? []).map(
      ({ what, seconds, kubectlSeconds }) =>
        ({
          what: `${whole(most?.services ?? 0)} services, ${what}: time over kubectl's`,
          value: seconds / kubectlSeconds,
          unit: "x",
          limit: 1.2,
          wanted: "at most",
        }) as const,
    ),
  ];
}

/** Markdown. */
export function tables({ oneImage, many, targets, machine, date }: ApplyResults): string {
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  return `${date}, ${describe(machine)}.

### One image changes, with real pods

${table(
  [
    "services",
    "objects",
    "the new version answers",
    "the command has ended",
    "the command, nothing changed",
    "the same, all asked about",
  ],
  oneImage.map(({ services, objects, answers, ends, unchanged, allAsked }) => [
    whole(services),
    whole(objects),
    `${seconds(answers.median)} (${answers.min.toFixed(1)}–${answers.max.toFixed(1)})`,
    seconds(ends),
    seconds(unchanged),
    seconds(allAsked),
  ]),
)}
### Next to kubectl

${table(
  ["change", "services", "objects", "this one", "kubectl", "this one / kubectl"],
  many.flatMap(({ services, objects, changes }) =>
    changes.map((change) => [
      change.what,
      whole(services),
      whole(objects),
      seconds(change.seconds),
      seconds(change.kubectlSeconds),
      (change.seconds / change.kubectlSeconds).toFixed(2),
    ]),
  ),
)}
### What is wanted of applying

${targetTable(targets)}`;
}
