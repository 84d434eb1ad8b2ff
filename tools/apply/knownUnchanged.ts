/**
 * Remembers objects for which a dry run showed no change, so that the next run need not ask the API server again. An
 * entry is a digest of the object in the config and the live object: if either changes, it no longer matches.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stateDir } from "../cli/paths.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const file = join(stateDir, "unchanged.json");
const read = (): Record<string, string[]> =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string[]>) : {};

/** Digest of an object in the config and in the cluster. */
export const pairDigest = (desired: unknown, live: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify([desired, live]))
    .digest("base64url");

/** @param where context and namespace. @returns the digests recorded for it */
export const unchangedBefore = (where: string): ReadonlySet<string> => new Set(read()[where]);

/** Replaces the digests recorded for `where`. */
export function recordUnchanged(where: string, digests: readonly string[]): void {
  // Readable by the owner only: the objects include Secrets, and a short one could be guessed from its digest.
  writeWhole(file, JSON.stringify({ ...read(), [where]: digests }), 0o600);
}
