/** What the cache holds is there whole or not at all, under a name that says what it was made from. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { diskNeeded, requireDisk } from "../cli/disk.ts";

/** Short name for what these files say. */
export function digest(files: readonly string[], flags = ""): string {
  const hash = createHash("sha256").update(flags);
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

/** The folder appears under its name only when it is complete, so a half one is never taken as good. */
export async function completed(folder: string, work: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  requireDisk(folder, diskNeeded.unpack);
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(join(dirname(folder), "unfinished-"));
  try {
    await work(unfinished);
    chmodSync(unfinished, 0o755);
    // Another command may have been faster: what it made is the same.
    if (!existsSync(folder)) renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
