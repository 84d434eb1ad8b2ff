/** Writes files that are there whole or not at all, also when the disk fills up or the process is ended meanwhile. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** @param mode permissions of the file. @default 0o644 */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true }); // One that was left behind keeps the permissions that it had.
  try {
    writeFileSync(unfinished, text, { mode });
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
