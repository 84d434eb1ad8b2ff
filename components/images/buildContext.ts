/** Hashes the build context of an image, so that an unchanged image is never built again. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join, matchesGlob } from "node:path";

/**
 * A tag for the image of a folder: 12 hex digits of a hash. It covers names, contents and executable bits of the
 * Dockerfile and of all files that `.dockerignore` does not exclude. Times and owners do not count, so a fresh clone
 * gives the same tag.
 * @throws Error if the folder or its Dockerfile is missing or unreadable
 */
export function contextTag(context: string): string {
  const hash = createHash("sha256");
  // Hash the lengths too, so that a name and a content cannot run together.
  const add = (...parts: (string | Buffer)[]) => {
    for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  };
  add(readFileSync(join(context, "Dockerfile")));
  for (const { path, isLink } of contextFiles(context)) {
    const file = join(context, path);
    if (isLink) add(path, "link", readlinkSync(file));
    else add(path, statSync(file).mode & 0o100 ? "executable" : "file", readFileSync(file));
  }
  return hash.digest("hex").slice(0, 12);
}

function contextFiles(context: string): { path: string; isLink: boolean }[] {
  const patterns = ignorePatterns(context);
  const entries = readdirSync(context, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({
      path: join(entry.parentPath, entry.name).slice(join(context, "/").length),
      isLink: entry.isSymbolicLink(),
    }))
    .filter(({ path }) => !isIgnored(path, patterns))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function ignorePatterns(context: string): string[] {
  const file = join(context, ".dockerignore");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * The last pattern that matches the path or one of its parent folders decides
 * (https://docs.docker.com/build/concepts/context/#dockerignore-files). Here `*` does not match a leading dot, unlike
 * in Docker. That can include too many files and cause an extra build, but never a missing one.
 */
function isIgnored(path: string, patterns: readonly string[]): boolean {
  const segments = path.split("/");
  const candidates = segments.map((_, index) => segments.slice(0, index + 1).join("/"));
  const decides = patterns.findLast((pattern) => {
    const glob = pattern.replace(/^!/, "").replace(/^\/|\/$/g, "");
    return candidates.some((candidate) => matchesGlob(candidate, glob));
  });
  return decides !== undefined && !decides.startsWith("!");
}
