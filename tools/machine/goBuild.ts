/** Compiles programs from pinned Go modules, with everything that Go keeps for it in a folder of the cache. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../cli/run.ts";
import { cacheDir } from "../cli/paths.ts";
import type { Step } from "../cli/progress.ts";
import { goProblem } from "./goModules.ts";

export interface GoBuild {
  /** Of the log, and of the folder for modules and compiled packages. */
  readonly name: string;
  /** Folder of `go.mod`. */
  readonly source: string;
  readonly packages: readonly string[];
  readonly linkerFlags: string;
}

/**
 * Compiles the packages into the folder.
 * @param also more work with the modules; `go` returns what the command printed
 * @throws Problem if Go is missing or too old, or a download fails
 */
export async function goBuild(
  { name, source, packages, linkerFlags }: GoBuild,
  folder: string,
  step: Step,
  also: (go: (args: readonly string[]) => Promise<string>) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const log = join(cacheDir, "logs", `${name}.log`);
  const goDir = join(cacheDir, name);
  const temporary = join(goDir, "tmp");
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const go = (args: readonly string[], onOutput?: (text: string) => void) =>
    run("go", args, {
      cwd: source,
      log,
      ...(onOutput !== undefined && { onOutput }),
      env: {
        CGO_ENABLED: "0",
        GOFLAGS: "-modcacherw -buildvcs=false",
        GOWORK: "off",
        GOMODCACHE: join(goDir, "modules"),
        GOCACHE: join(goDir, "build"),
        GOTMPDIR: temporary,
      },
    });
  try {
    await go(["env", "GOVERSION"]);
    step.detail("downloading modules");
    const total = (await go(["list", "-deps", ...packages])).trim().split("\n").length;
    let compiled = 0;
    // No DWARF: the linker strips it anyway, and not generating it saves 8 % of the time.
    const flags = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", linkerFlags];
    await go(["build", "-v", ...flags, "-o", `${folder}/`, ...packages], (text) => {
      compiled += text.split("\n").length - 1;
      step.detail(`${compiled} of ${total} packages`);
    });
    await also(go);
  } catch (error) {
    throw goProblem(error, log);
  }
}

/** Deletes gigabytes that would help only after a change of the pinned versions; until then, a build continues from them. */
export function forgetGoBuild({ name }: Pick<GoBuild, "name">): void {
  rmSync(join(cacheDir, name), { recursive: true, force: true });
}
