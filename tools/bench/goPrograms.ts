/** Compiles Go programs for the benchmarks from pinned modules, once. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { completed } from "../programs/cache.ts";
import { CommandError, run } from "../cli/run.ts";
import { cacheDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

/**
 * The checksum database verifies the modules and their dependencies (https://go.dev/ref/mod#checksum-database).
 * @param name name of the folder in the cache, including the version
 * @param packages packages of one module, each as `path@version`
 * @returns the folder with the programs
 */
export async function goPrograms(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(cacheDir, "bench", name);
  await completed(folder, async (unfinished) => {
    const work = join(unfinished, "work");
    const env = {
      CGO_ENABLED: "0",
      GOFLAGS: "-modcacherw",
      GOBIN: unfinished,
      GOMODCACHE: join(work, "modules"),
      GOCACHE: join(work, "build"),
    };
    const log = join(cacheDir, "logs", "go.log");
    const install = ["install", "-trimpath", "-ldflags", "-s -w", ...packages];
    try {
      await run("go", install, { env, log, timeout: 1_200_000 });
    } catch (error) {
      if (!(error instanceof CommandError) && !(error instanceof Error && "code" in error)) throw error;
      throw new Problem(
        `${packages.join(", ")} could not be compiled: ${error.message}`,
        `Make "go install ${packages.join(" ")}" work (check the Go version and the module proxy), then run the benchmark again.`,
      );
    }
    rmSync(work, { recursive: true });
  });
  return folder;
}
