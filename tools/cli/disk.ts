/** How much disk the local Kubernetes needs, and one message where there is too little of it, however that shows. */
import { existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { cacheDir, stateDir } from "./paths.ts";
import { Problem } from "./problem.ts";

/** GiB that each kind of work takes at its height, with some room. */
export const diskNeeded = { compile: 8, unpack: 1, image: 1, start: 2, run: 0.1 };

/** Refuses long work that would end on a full disk. @throws Problem */
export function requireDisk(folder: string, gibibytes: number): void {
  const free = freeDisk(folder);
  if (free >= gibibytes) return;
  throw new Problem(
    `${folder} has ${left(folder)} of disk left, and ${size(gibibytes)} are needed.`,
    `${wayOut(folder, gibibytes - free)}, then run the command again.`,
  );
}

/** Whether this is what a program says, or Node throws, when a disk is full (https://man7.org/linux/man-pages/man3/errno.3.html). */
export function saysDiskFull(error: unknown): boolean {
  const text =
    error instanceof Error ? `${error.message}\n${"code" in error ? String(error.code) : ""}` : String(error);
  return /no space left on device|disk quota exceeded|\b(ENOSPC|EDQUOT)\b/i.test(text);
}

/** To be made right after a failure: what is cleaned up later hides which disk it was. @param text what was said */
export function diskFull(text: string): Problem {
  const folder = fullest();
  return new Problem(
    `No space left on the disk of ${folder} (${left(folder)} free):\n${text.trim().slice(-500)}`,
    `${wayOut(folder, diskNeeded.start)}, then run the command again: it goes on from what is complete.`,
  );
}

/** @returns a hint for a failure whose cause may be a disk that is full still; nothing where there is room */
export function diskHint(): string | undefined {
  const folder = fullest();
  if (freeDisk(folder) >= diskNeeded.run) return undefined;
  return `The disk of ${folder} is full (${left(folder)} free), which may be why. ${wayOut(folder, diskNeeded.start)}, then run the command again.`;
}

/** The folder itself, or the nearest above it that exists. */
export function existingParent(folder: string): string {
  return existsSync(folder) ? folder : existingParent(dirname(folder));
}

/** Of the folders that are written to, the one with the least disk left. */
function fullest(): string {
  const folders = [cacheDir, stateDir, tmpdir()];
  const least = Math.min(...folders.map(freeDisk));
  return folders.find((folder) => freeDisk(folder) === least) ?? cacheDir;
}

function wayOut(folder: string, gibibytes: number): string {
  const elsewhere = folder.startsWith(cacheDir)
    ? "set XDG_CACHE_HOME to a folder on another disk"
    : folder.startsWith(stateDir)
      ? "move the checkout to another disk"
      : "set TMPDIR to a folder on another disk";
  return `Free ${size(gibibytes)} there, or ${elsewhere}`;
}

/** GiB; none where no further file can be made. */
function freeDisk(folder: string): number {
  const { bavail, bsize, files, ffree } = statfsSync(existingParent(folder));
  return files > 0 && ffree === 0 ? 0 : (bavail * bsize) / 2 ** 30;
}

/** Rounded up to a tenth of a GiB, so that what is freed is enough. */
function size(gibibytes: number): string {
  return `${(Math.ceil(gibibytes * 10) / 10).toFixed(1)} GiB`;
}

/** Rounded down, so that what is left never looks like enough. */
function left(folder: string): string {
  return `${(Math.floor(freeDisk(folder) * 10) / 10).toFixed(1)} GiB`;
}
