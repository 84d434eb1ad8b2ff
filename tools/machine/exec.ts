/** Runs commands inside the sandbox, in the node's network. A machine has one sandbox, of this checkout or of another. */
import { join } from "node:path";
import { run } from "../cli/run.ts";
import { programs } from "./prepare.ts";
import { cacheDir, logsDir, stateDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { enter, findSandboxes } from "./sandbox.ts";

/** @returns the id of the first process inside this checkout's sandbox, if it is running */
export function sandboxInit(): number | undefined {
  return findSandboxes().find(({ state }) => state === stateDir)?.init;
}

/** @returns the command's standard output. @throws CommandError, Problem if no sandbox is running */
export function runInNode(...command: readonly string[]): Promise<string> {
  return run(...inNode(...command));
}

/** Imports an image archive ("docker save" or OCI) into the node. @throws CommandError, Problem */
export async function importImage(tarPath: string): Promise<void> {
  await run(...inNode("ctr", "-n", "k8s.io", "images", "import", "-"), { inputFile: tarPath });
}

/** @returns the references of the images in the node */
export async function imagesInNode(): Promise<string[]> {
  return (await runInNode("ctr", "-n", "k8s.io", "images", "list", "--quiet")).trim().split("\n");
}

function inNode(...command: readonly string[]): [string, string[]] {
  const init = findSandboxes()[0]?.init;
  if (init === undefined)
    throw new Problem(
      "The local Kubernetes is not running.",
      `Start it: npm start (its last log: ${join(logsDir, "sandbox.log")})`,
    );
  const path = programs.map((folder) => folder.replace(cacheDir, "/cache"));
  const [program = "", ...args] = [...enter(init, path), ...command];
  return [program, args];
}
