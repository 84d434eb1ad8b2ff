/** Measures the commands of this project and of its peers for the same objects, as whole processes in turn. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../../stack/evaluate.ts";
import { projectDir } from "../../cli/paths.ts";
import { Problem } from "../../cli/problem.ts";
import type { Step } from "../../cli/progress.ts";
import { median } from "../figures.ts";
import { writePeerInputs } from "./peerInputs.ts";
import type { PeerCommands } from "./peers.ts";
import { timed } from "./childProcess.ts";
import { sizeText, type Command, type Comparison, type ToolName } from "./results.ts";
import { stackFile } from "./stack.ts";

/** A temporary stack of the project, because the command needs one. */
const stack = "bench";
const file = join(projectDir, `Pulumi.${stack}.yaml`);

/** @throws Error if a peer renders other objects: then the times are not comparable */
export async function compareTools(
  size: number,
  peers: PeerCommands,
  folder: string,
  rounds: number,
  step: Step,
): Promise<Comparison> {
  if (existsSync(file))
    throw new Problem(`${file} already exists.`, "Move the file away: the benchmark needs this name.");
  mkdirSync(folder);
  const removeFile = () => {
    rmSync(file, { force: true });
  };
  process.once("exit", removeFile);
  writeFileSync(file, stackFile(size));
  try {
    const render = [process.execPath, join(projectDir, "tools/commands/render.ts"), stack];
    const output = (tool: ToolName) => join(folder, `${tool}.yaml`);
    await timed(render, output("this one"));
    const objects = objectsIn(output("this one"));
    const tools = { "this one": render, ...peers(writePeerInputs(folder, objects, size)) };
    const names = Object.keys(tools) as ToolName[];
    const runs = names.map(() => [] as Command[]);
    for (let round = 0; round < rounds; round += 1)
      for (const position of names.keys()) {
        const index = (round + position) % names.length; // Rotate, so that none always comes first.
        const name = names[index] ?? "this one";
        step.detail(`${sizeText(size)}: round ${round + 1} of ${rounds}, ${name}`);
        runs[index]?.push(await timed(tools[name], output(name)));
      }
    for (const name of names) assert.deepEqual(objectsIn(output(name)), objects, `${name} renders other objects`);
    const commands = Object.fromEntries(names.map((name, index) => [name, middle(runs[index] ?? [])]));
    return { size, objects: objects.length, commands: commands as Comparison["commands"] };
  } finally {
    removeFile();
    process.off("exit", removeFile);
  }
}

const middle = (runs: readonly Command[]): Command => ({
  seconds: median(runs.map(({ seconds }) => seconds)),
  cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
});

/** The objects, sorted so that the tools' own orders do not matter. */
function objectsIn(output: string): KubernetesObject[] {
  const key = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`;
  return parseAllDocuments(readFileSync(output, "utf8"))
    .map((document) => document.toJS() as KubernetesObject)
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
