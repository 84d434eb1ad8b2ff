/** Small Go programs of the tests, compiled once: they answer as the Go programs do that read what this project writes. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { run } from "../../../tools/cli/run.ts";
import { cacheDir, projectDir } from "../../../tools/cli/paths.ts";
import { completed, digest } from "../../../tools/programs/cache.ts";

export type Answer = { readonly value: unknown } | { readonly error: string };

/** @param name of its folder in `test/e2e` @returns an answer for each text, in their order */
export async function askGo(name: string, args: readonly string[], texts: readonly string[]): Promise<Answer[]> {
  const source = join(projectDir, "test/e2e", name);
  const sources = ["go.mod", "go.sum", "main.go"].map((file) => join(source, file));
  const folder = join(cacheDir, "tests", name, digest(sources));
  await completed(folder, async (unfinished) => {
    await run("go", ["build", "-C", source, "-o", join(unfinished, name), "."], { timeout: 600_000 });
  });
  const { stdout, stderr, status } = spawnSync(join(folder, name), args, {
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
