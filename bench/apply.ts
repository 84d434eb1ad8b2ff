/** How long a change takes to be there: one image among many services, and a thousand services next to what kubectl itself takes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProgress } from "../local/progress.ts";
import { startControlPlane } from "./apply/kwok.ts";
import { measureMany, type Many } from "./apply/many.ts";
import { measureOneImage, type OneImage } from "./apply/oneImage.ts";

export interface ApplyResults {
  /** On the local Kubernetes, with real pods. */
  readonly oneImage: readonly OneImage[];
  /** On a control plane with nodes that kwok plays. */
  readonly many: readonly Many[];
  readonly targets: readonly { what: string; value: number; unit: string; most: number }[];
}

const sizes = { oneImage: [10, 100], many: [100, 1000] };

export async function apply(): Promise<{ result: ApplyResults; text: string }> {
  const progress = createProgress();
  const oneImage: OneImage[] = [];
  for (const services of sizes.oneImage)
    oneImage.push(
      await progress.step(`One image among ${services} services`, (step) =>
        measureOneImage(services, (text) => {
          step.detail(text);
        }),
      ),
    );
  const folder = mkdtempSync(join(tmpdir(), "bench-apply-"));
  const many: Many[] = [];
  try {
    await using place = await progress.step("Starting a control plane with fake nodes", () =>
      startControlPlane(folder, 100),
    );
    for (const services of sizes.many)
      many.push(
        await progress.step(`${services} services, next to kubectl`, (step) =>
          measureMany(place, services, (text) => {
            step.detail(text);
          }),
        ),
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const result = { oneImage, many, targets: targets(oneImage, many) };
  return { result, text: tables(result) };
}

function targets(oneImage: readonly OneImage[], many: readonly Many[]): ApplyResults["targets"] {
  const [largest, most] = [oneImage.at(-1), many.at(-1)];
  const first = most?.changes[0];
  return [
    {
      what: `one image among ${largest?.services ?? 0} services answers`,
      value: largest?.answers ?? NaN,
      unit: "s",
      most: 10,
    },
    {
      what: `applying ${most?.services ?? 0} services, over kubectl`,
      value: first === undefined ? NaN : first.seconds / first.kubectlSeconds,
      unit: "x",
      most: 1.2,
    },
  ];
}

/** Markdown. */
export function tables({ oneImage, many, targets }: Pick<ApplyResults, "oneImage" | "many" | "targets">): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  return [
    "### One image changes",
    "",
    row(["services", "objects", "the new version answers", "the command ends", "without a change it ends in"]),
    row(["--:", "--:", "--:", "--:", "--:"]),
    ...oneImage.map((each) =>
      row([
        String(each.services),
        String(each.objects),
        seconds(each.answers),
        seconds(each.ends),
        seconds(each.unchanged),
      ]),
    ),
    "",
    "### Many services, next to kubectl",
    "",
    row(["services", "objects", "change", "this", "kubectl", "this / kubectl"]),
    row(["--:", "--:", ":--", "--:", "--:", "--:"]),
    ...many.flatMap(({ services, objects, changes }) =>
      changes.map((change) =>
        row([
          services.toLocaleString("en"),
          objects.toLocaleString("en"),
          change.what,
          seconds(change.seconds),
          seconds(change.kubectlSeconds),
          (change.seconds / change.kubectlSeconds).toFixed(2),
        ]),
      ),
    ),
    "",
    row(["what is wanted", "measured", "at most", "reached"]),
    row([":--", "--:", "--:", "--:"]),
    ...targets.map(({ what, value, unit, most }) =>
      row([what, `${value.toFixed(2)} ${unit}`, `${most} ${unit}`, value <= most ? "yes" : "**no**"]),
    ),
  ].join("\n");
}
