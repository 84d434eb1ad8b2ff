/** Results and targets of the benchmark of applying, and their tables. */
import type { Target } from "../figures.ts";
import { describe } from "../machine.ts";
import { table, targetTable, whole, type Results } from "../report.ts";
import type { Many } from "./many.ts";
import type { OneImage } from "./oneImage.ts";

export interface ApplyResults extends Results {
  readonly benchmark: "apply";
  /** On the local Kubernetes, with real pods. */
  readonly oneImage: readonly OneImage[];
  /** On a control plane with fake nodes by kwok. */
  readonly many: readonly Many[];
}

/** Targets for the largest number of services. */
export function targets({ oneImage, many }: Pick<ApplyResults, "oneImage" | "many">): Target[] {
  const [one, largest] = [oneImage.at(-1), many.at(-1)];
  return [
    ...(one === undefined
      ? []
      : [
          {
            what: `a new image among ${whole(one.services)} services answers`,
            value: one.answers.median,
            unit: "s",
            limit: 10,
            wanted: "at most",
          } as const,
        ]),
    ...(largest?.changes ?? []).map(
      ({ what, seconds, kubectlSeconds }) =>
        ({
          what: `${whole(largest?.services ?? 0)} services, ${what}: time over kubectl's`,
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
    "the command ends",
    "nothing changed",
    "nothing changed, dry run of all",
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
### Targets of applying

${targetTable(targets)}`;
}
