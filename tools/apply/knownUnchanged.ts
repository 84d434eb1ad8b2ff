/**
 * What an earlier run learnt from the API server: that applying an object, to what there was of it, would change nothing. As long as
 * both stay what they were, this need not be asked again; what somebody edits in the cluster is no longer what it was.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stateDir } from "../cli/paths.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const file = join(stateDir, "unchanged.json");
const read = (): Record<string, string[]> =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string[]>) : {};

/** Of an object as it is wanted and as it is in the cluster. */
export const pairDigest = (wanted: unknown, live: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify([wanted, live]))
    .digest("base64url");

/** @param where context and namespace. @returns the digests of such pairs */
export const unchangedBefore = (where: string): ReadonlySet<string> => new Set(read()[where]);

/** Takes the where of what was noted before. */
export function recordUnchanged(where: string, digests: readonly string[]): void {
  // Secrets are among the objects, and a short one could be guessed from its digest.
  writeWhole(file, JSON.stringify({ ...read(), [where]: digests }), 0o600);
}
