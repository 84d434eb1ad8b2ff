/** Names and labels that the program computes itself, so that both engines make the same objects. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The first 10 hex digits of the SHA-256 of the data: a name that changes with the content and only with it. */
export function contentHash(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 10);
}

/**
 * A tag made from a build context: 12 hex digits of the SHA-256 over each file's path, mode and content.
 * Times do not count, so a fresh clone gives the same tag. Repositories with immutable tags refuse a second push, which this never needs.
 */
export function contextTag(folder: string): string {
  const hash = createHash("sha256");
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  for (const path of paths) {
    const file = join(folder, path);
    const stat = statSync(file);
    if (!stat.isFile()) continue;
    // Of the mode only the executable bit is kept by git.
    hash.update(JSON.stringify([path, (stat.mode & 0o111) !== 0])).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 12);
}

/** The labels that select a workload's pods. They never change: a Deployment's selector is immutable. */
export const selectorLabels = (name: string): Record<string, string> => ({ "app.kubernetes.io/name": name });

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export const commonLabels = (name: string): Record<string, string> => ({
  ...selectorLabels(name),
  "app.kubernetes.io/part-of": "gke-microservices",
});
