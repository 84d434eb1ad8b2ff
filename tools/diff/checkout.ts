/** Checks out a git revision of this project into a temporary folder, ready to run. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export interface Checkout {
  readonly folder: string;
  /** Why its program cannot run. @default - it can */
  readonly unusable?: string;
}

/** The commit of a revision such as `main` or `HEAD^1`. @throws Problem */
export async function commitOf(revision: string): Promise<string> {
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    return (await run("git", args, { cwd: projectDir, timeout: 30_000 })).trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `This checkout has no revision ${JSON.stringify(revision)}.`,
      `Name a branch, a tag or a commit that "git log" shows. "git fetch origin main" fetches what is missing.`,
    );
  }
}

/** Runs the action with a folder of the commit's files and its npm packages, and removes the folder afterwards. */
export async function withCheckout<T>(commit: string, action: (checkout: Checkout) => Promise<T>): Promise<T> {
  const work = mkdtempSync(join(tmpdir(), "gke-microservices-base-"));
  try {
    // Not a git worktree: if this process is killed, a worktree would leave traces in the repository.
    const [archive, folder] = [join(work, "base.tar"), join(work, "base")];
    await run("git", ["archive", "--format=tar", `--output=${archive}`, commit], { cwd: projectDir, timeout: 60_000 });
    mkdirSync(folder);
    await run("tar", ["-xf", archive, "-C", folder], { timeout: 60_000 });
    // Use the same certificate files on both sides: they are not part of a change.
    if (existsSync(join(projectDir, ".local"))) symlinkSync(join(projectDir, ".local"), join(folder, ".local"));
    const unusable = await providePackages(folder);
    return await action({ folder, ...(unusable !== undefined && { unusable }) });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Links or installs the npm packages. @returns why that failed; undefined if it did not */
async function providePackages(folder: string): Promise<string | undefined> {
  const lockfile = (of: string) =>
    existsSync(join(of, "package-lock.json")) ? readFileSync(join(of, "package-lock.json"), "utf8") : undefined;
  const required = lockfile(folder);
  if (required === undefined) return "It has no package-lock.json.";
  if (required === lockfile(projectDir)) {
    symlinkSync(join(projectDir, "node_modules"), join(folder, "node_modules"));
    return undefined;
  }
  try {
    const quiet = ["--no-audit", "--no-fund", "--loglevel", "error"];
    await run("npm", ["ci", "--ignore-scripts", ...quiet], { cwd: folder, timeout: 600_000 });
    // Tells the revision's own runner that the packages are installed.
    writeFileSync(join(folder, "node_modules/.lockfile-installed"), required);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return "Its lockfile needs other npm packages than this checkout has, and they could not be installed.";
  }
}
