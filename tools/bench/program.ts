/** Measures the program as stacks grow: part by part, next to the SDK alone, and next to the tools that teams use instead. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createProgress, type Step } from "../cli/progress.ts";
import { compareTools } from "./program/compare.ts";
import { getPeers, peerVersions } from "./program/peers.ts";
import { plot } from "./program/plot.ts";
import { measured, runProgram } from "./program/childProcess.ts";
import { tables } from "./program/report.ts";
import {
  exponents,
  sizeText,
  summarize,
  targets,
  type Bare,
  type Comparison,
  type Measured,
  type ProgramResults,
  type Sized,
} from "./program/results.ts";
import { sizes, stackFile, type Size } from "./program/stack.ts";
import { reported } from "./report.ts";
import { workFolder } from "./workFolder.ts";

/** Largest stack for the comparison. More would take minutes: kustomize searches all objects for each object. */
const largestCompared = 1000;

export interface ProgramOptions {
  readonly rounds: number;
  /** Largest number of services. */
  readonly largest: number;
  /** Whether to write the results to the guide. */
  readonly write: boolean;
}

export async function program(options: ProgramOptions): Promise<{ result: ProgramResults; text: string }> {
  const progress = createProgress();
  const { rounds, largest } = options;
  const peers = await getPeers(progress);
  const folder = workFolder();
  const measuredSizes = sizes.filter((size) => size === "staging" || size <= largest);
  const parts: Sized[] = [];
  await progress.step("Measuring the program part by part", async (step) => {
    for (const size of measuredSizes) parts.push(await measureParts(size, folder, rounds, step));
  });
  const comparisons: Comparison[] = [];
  await progress.step("Measuring whole commands in turn", async (step) => {
    for (const size of measuredSizes)
      if (size !== "staging" && size <= largestCompared)
        comparisons.push(await compareTools(size, peers, join(folder, String(size)), rounds, step));
  });
  const programs = { node: process.versions.node, ...peerVersions() };
  const figures = { programs, rounds, sizes: parts, exponents: exponents(parts), comparisons };
  return reported<ProgramResults>("program", figures, { targets, tables, plot }, options.write);
}

async function measureParts(size: Size, folder: string, rounds: number, step: Step): Promise<Sized> {
  const [stack, recorded] = [join(folder, "stack.yaml"), join(folder, "resources.json")];
  writeFileSync(stack, stackFile(size));
  step.detail(`${sizeText(size)}: recording resources`);
  await runProgram("record.ts", stack, recorded);
  const ours: Measured[] = [];
  const bare: Bare[] = [];
  const pausing: Bare[] = [];
  const inTurn = [
    async () => ours.push(await measured<Measured>("partByPart.ts", stack)),
    async () => bare.push(await measured<Bare>("bare.ts", recorded)),
    async () => pausing.push(await measured<Bare>("bare.ts", recorded, "pausing")),
  ];
  for (let round = 0; round < rounds; round += 1) {
    step.detail(`${sizeText(size)}: round ${round + 1} of ${rounds}`);
    // Reverse the order in every other round, so that none always comes first.
    for (const measure of round % 2 === 0 ? inTurn : inTurn.toReversed()) await measure();
  }
  return summarize(size, ours, bare, pausing);
}
