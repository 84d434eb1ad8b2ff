/** Go's YAML readers, compiled once: what the Pulumi CLI and kubectl make of a text. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { run } from "../../../tools/cli/run.ts";
import { cacheDir } from "../../../tools/cli/paths.ts";
import { completed, digest } from "../../../tools/programs/cache.ts";

const source = import.meta.dirname;
const sources = ["go.mod", "go.sum", "main.go"].map((file) => join(source, file));

export type Answer = { readonly value: unknown } | { readonly error: string };

/** @returns an answer for each text, in their order */
export async function readByGo(as: "pulumi" | "kubectl", texts: readonly string[]): Promise<Answer[]> {
  const folder = join(cacheDir, "tests", "goYaml", digest(sources));
  await completed(folder, async (unfinished) => {
    await run("go", ["build", "-C", source, "-o", join(unfinished, "goYaml"), "."], { timeout: 600_000 });
  });
  const { stdout, stderr, status } = spawnSync(join(folder, "goYaml"), [as], {
    input: texts.map((text) => JSON.stringify(text)).join("\n"),
    encoding: "utf8",
    maxBuffer: 1e9,
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}
