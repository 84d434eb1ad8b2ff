/** Unified diffs of texts, made by git: it is installed wherever there is a base revision. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Ignores the user's git configuration. */
const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_ATTR_NOSYSTEM: "1" };
const options = [
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--no-renames",
  "--text",
  "--histogram",
  "--unified=3",
];

/** The hunks of each pair in unified format, without the header; empty if both texts are equal. */
export function unifiedDiffs(pairs: readonly (readonly [before: string, after: string])[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "diff-"));
  try {
    for (const [side, name] of ["before", "after"].entries()) {
      mkdirSync(join(folder, name));
      for (const [index, pair] of pairs.entries()) writeFileSync(join(folder, name, `${index}.yaml`), pair[side] ?? "");
    }
    const args = ["diff", "--no-index", ...options, "before", "after"];
    const { status, stdout, stderr, error } = spawnSync("git", args, {
      cwd: folder,
      env: { ...env, GIT_DIR: join(folder, "none") },
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      timeout: 120_000,
    });
    if (error !== undefined) throw error;
    if (status !== 0 && status !== 1) throw new Error(`git diff ended with status ${status ?? "none"}: ${stderr}`);
    return hunks(stdout, pairs.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line of content begins with a space, a sign or a backslash, so it cannot look like a header. */
function hunks(output: string, count: number): string[] {
  const texts = Array.from({ length: count }, () => "");
  for (const part of output.split(/^(?=diff --git )/m)) {
    const index = /^diff --git a\/before\/(\d+)\.yaml /.exec(part)?.[1];
    const begin = part.search(/^@@ /m);
    if (index !== undefined && begin >= 0) texts[Number(index)] = part.slice(begin);
  }
  return texts;
}
