/** Files and folders that are there whole or not at all, also when the disk fills up or the process is ended meanwhile. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
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

/** Where a folder is while it is being removed. */
const inRemoval = (folder: string): string => `${folder}.removed`;

/**
 * Removes a folder. It goes from its name in one step: what an interruption leaves half removed is not taken as good.
 * @returns whether there was something
 */
export function removeWhole(folder: string): boolean {
  const left = finishRemoval(folder);
  if (!existsSync(folder)) return left;
  renameSync(folder, inRemoval(folder));
  return finishRemoval(folder);
}

/** Takes away what an interrupted removal left. @returns whether there was something */
export function finishRemoval(folder: string): boolean {
  const removed = inRemoval(folder);
  if (!existsSync(removed)) return false;
  rmSync(removed, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return true;
}
