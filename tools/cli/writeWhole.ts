/** Writes files and removes folders atomically: a full disk or an ended process leaves no partial result. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Writes a file atomically. @param mode permissions of the file. @default 0o644 */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true }); // Writing to a leftover file would keep its old permissions.
  try {
    writeFileSync(unfinished, text, { mode });
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Path of a folder while it is being removed. */
const removalPath = (folder: string): string => `${folder}.removed`;

/**
 * Removes a folder. It is renamed first, so that a half-removed folder is never used after an interruption.
 * @returns whether anything was removed
 */
export function removeWhole(folder: string): boolean {
  const finished = finishRemoval(folder);
  if (!existsSync(folder)) return finished;
  renameSync(folder, removalPath(folder));
  return finishRemoval(folder);
}

/** Completes a removal that was interrupted. @returns whether anything was removed */
export function finishRemoval(folder: string): boolean {
  const removed = removalPath(folder);
  if (!existsSync(removed)) return false;
  rmSync(removed, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return true;
}
