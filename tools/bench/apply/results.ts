/** What was measured of applying, what is wanted of it, and both as tables. */
import type { Target } from "../figures.ts";
import { describe } from "../machine.ts";
import { table, targetTable, whole, type Results } from "../report.ts";
import type { Many } from "./many.ts";
import type { OneImage } from "./oneImage.ts";

export interface ApplyResults extends Results {
  readonly benchmark: "apply";
  /** On the local Kubernetes, with real pods. */
  readonly oneImage: readonly OneImage[];
  /** On a control plane with nodes that kwok plays. */
  readonly many: readonly Many[];
}

/** Each of the most services. */
export function targets({ oneImage, many }: Pick<ApplyResults, "oneImage" | "many">): Target[] {
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
