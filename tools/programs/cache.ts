/** Fills folders of the cache atomically. A folder's name is a digest of its sources. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { diskNeeded, requireDisk } from "../cli/disk.ts";

/** A short digest of the content of files. */
export function digest(files: readonly string[], flags = ""): string {
  const hash = createHash("sha256").update(flags);
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

/** Fills the folder unless it exists. It gets its name only when it is complete, so that a partial one is never used. */
export async function completed(folder: string, work: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  requireDisk(folder, diskNeeded.unpack);
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(join(dirname(folder), "unfinished-"));
  try {
    await work(unfinished);
    chmodSync(unfinished, 0o755);
    // Another command may have finished first, with the same result.
    if (!existsSync(folder)) renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
