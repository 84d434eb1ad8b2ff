/** Disk space that the local Kubernetes needs, and one message for a full disk, however it shows. */
import { existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { cacheDir, stateDir } from "./paths.ts";
import { Problem } from "./problem.ts";

/** Peak disk use of each kind of work, with some reserve. GiB. */
export const diskNeeded = { compile: 8, unpack: 1, image: 1, start: 2, run: 0.1 };

/** Fails before long work that would fill the disk. @throws Problem */
export function requireDisk(folder: string, gibibytes: number): void {
  const free = freeDisk(folder);
  if (free >= gibibytes) return;
  throw new Problem(
    `The disk of ${folder} has ${freeText(folder)} free, but ${size(gibibytes)} are needed.`,
    `${howToFree(folder, gibibytes - free)}, then run the command again.`,
  );
}

/** Whether an error of Node, or the output of a program, means a full disk (https://man7.org/linux/man-pages/man3/errno.3.html). */
export function isDiskFull(error: unknown): boolean {
  const text =
    error instanceof Error ? `${error.message}\n${"code" in error ? String(error.code) : ""}` : String(error);
  return /no space left on device|disk quota exceeded|\b(ENOSPC|EDQUOT)\b/i.test(text);
}

/** Call it right after the failure: a later cleanup hides which disk was full. @param text the program's message */
export function diskFull(text: string): Problem {
  const folder = fullest();
  return new Problem(
    `No space left on the disk of ${folder} (${freeText(folder)} free):\n${text.trim().slice(-500)}`,
    `${howToFree(folder, diskNeeded.start)}, then run the command again: it continues from the completed steps.`,
  );
}

/** @returns a hint for a failure that a full disk may have caused; undefined if there is space */
export function diskHint(): string | undefined {
  const folder = fullest();
  if (freeDisk(folder) >= diskNeeded.run) return undefined;
  return `The disk of ${folder} is full (${freeText(folder)} free), which may be the cause. ${howToFree(folder, diskNeeded.start)}, then run the command again.`;
}

/** The folder itself, or its nearest parent that exists. */
export function existingParent(folder: string): string {
  return existsSync(folder) ? folder : existingParent(dirname(folder));
}

/** The folder with the least free space, of those that the commands write to. */
function fullest(): string {
  const folders = [cacheDir, stateDir, tmpdir()];
  const least = Math.min(...folders.map(freeDisk));
  return folders.find((folder) => freeDisk(folder) === least) ?? cacheDir;
}

function howToFree(folder: string, gibibytes: number): string {
  const elsewhere = folder.startsWith(cacheDir)
    ? "set XDG_CACHE_HOME to a folder on another disk"
    : folder.startsWith(stateDir)
      ? "move the checkout to another disk"
      : "set TMPDIR to a folder on another disk";
  return `Free ${size(gibibytes)} there, or ${elsewhere}`;
}

/** GiB; 0 if the disk has no free inode, since no file can be created then. */
function freeDisk(folder: string): number {
  const { bavail, bsize, files, ffree } = statfsSync(existingParent(folder));
  return files > 0 && ffree === 0 ? 0 : (bavail * bsize) / 2 ** 30;
}

/** Rounded up to a tenth of a GiB, so that freeing this much is enough. */
function size(gibibytes: number): string {
  return `${(Math.ceil(gibibytes * 10) / 10).toFixed(1)} GiB`;
}

/** Rounded down, so that too little space never looks like enough. */
function freeText(folder: string): string {
  return `${(Math.floor(freeDisk(folder) * 10) / 10).toFixed(1)} GiB`;
}
