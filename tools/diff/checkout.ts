/** A git revision of this project in a folder of its own, ready to run. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export interface Checkout {
  readonly folder: string;
  /** Why its program cannot be run. @default - it can */
  readonly unusable?: string;
}

/** The commit that a revision such as `main` or `HEAD^1` means. @throws Problem */
export async function commitOf(revision: string): Promise<string> {
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    return (await run("git", args, { cwd: projectDir, timeout: 30_000 })).trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `This checkout has no revision ${JSON.stringify(revision)}.`,
      `Name a branch, a tag or a commit that "git log" shows; "git fetch origin main" gets what is not here yet.`,
    );
  }
}

/** Lends the commit's files, with the npm packages that its lockfile names, to the action. */
export async function withCheckout<T>(commit: string, action: (checkout: Checkout) => Promise<T>): Promise<T> {
  const place = mkdtempSync(join(tmpdir(), "gke-microservices-base-"));
  try {
    // Not a git worktree: nothing of it stays in the repository should this process be ended.
    const [archive, folder] = [join(place, "base.tar"), join(place, "base")];
    await run("git", ["archive", "--format=tar", `--output=${archive}`, commit], { cwd: projectDir, timeout: 60_000 });
    mkdirSync(folder);
    await run("tar", ["-xf", archive, "-C", folder], { timeout: 60_000 });
    // A certificate that the config names is the same on both sides: it is not part of a change.
    if (existsSync(join(projectDir, ".local"))) symlinkSync(join(projectDir, ".local"), join(folder, ".local"));
    const unusable = await providePackages(folder);
    return await action({ folder, ...(unusable !== undefined && { unusable }) });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @returns why that failed */
async function providePackages(folder: string): Promise<string | undefined> {
  const lockfile = (of: string) =>
    existsSync(join(of, "package-lock.json")) ? readFileSync(join(of, "package-lock.json"), "utf8") : undefined;
  const wanted = lockfile(folder);
  if (wanted === undefined) return "It has no package-lock.json.";
  if (wanted === lockfile(projectDir)) {
    symlinkSync(join(projectDir, "node_modules"), join(folder, "node_modules"));
    return undefined;
  }
  try {
    const quiet = ["--no-audit", "--no-fund", "--loglevel", "error"];
    await run("npm", ["ci", "--ignore-scripts", ...quiet], { cwd: folder, timeout: 600_000 });
    // For the revision's own runner, which would install once more.
    writeFileSync(join(folder, "node_modules/.lockfile-installed"), wanted);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return "Its lockfile names other npm packages than this checkout has, and they could not be installed.";
  }
}
