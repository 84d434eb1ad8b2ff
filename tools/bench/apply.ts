/** Measures how long changes take: one image among many services, and a thousand services next to kubectl alone. */
import { join } from "node:path";
import { run } from "../cli/run.ts";
import { projectDir } from "../cli/paths.ts";
import { createProgress, type Progress } from "../cli/progress.ts";
import { startControlPlane } from "./apply/kwok.ts";
import { measureMany, type Many } from "./apply/many.ts";
import { measureOneImage, type OneImage } from "./apply/oneImage.ts";
import { plot } from "./apply/plot.ts";
import { tables, targets, type ApplyResults } from "./apply/results.ts";
import { reported, whole } from "./report.ts";
import { workFolder } from "./workFolder.ts";

const sizes = { oneImage: [10, 100], many: [100, 1000] };

/** @param options.largest largest number of services @param options.write whether to write the results to the guide */
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
  // Stop it: its pods would disturb the next measurement.
  await run(process.execPath, [join(projectDir, "tools/commands/stop.ts")], { cwd: projectDir });
  const many = await nextToKubectl(upTo(sizes.many), progress);
  return reported<ApplyResults>("apply", { oneImage, many }, { targets, tables, plot }, write);
}

async function nextToKubectl(counts: readonly number[], progress: Progress): Promise<Many[]> {
  const folder = workFolder();
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
