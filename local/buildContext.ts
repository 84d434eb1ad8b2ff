/** What an image is built from, as a hash: the same context is the same image, so an unchanged one is never built again. */
import { createHash } from "node:crypto";
import { readFile, readdir, readlink, stat } from "node:fs/promises";
import { join, matchesGlob } from "node:path";
import { Problem } from "./problem.ts";

/**
 * Names, contents and executable bits of the Dockerfile and of what `.dockerignore` lets through; neither times nor owners.
 * @returns hex
 * @throws Problem when the folder or its Dockerfile is missing or unreadable
 */
export async function contextHash(context: string): Promise<string> {
  const hash = createHash("sha256");
  // Lengths keep a name and a content from running into each other.
  const add = (...parts: (string | Buffer)[]) => {
    for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  };
  try {
    add(await readFile(join(context, "Dockerfile")));
    for (const { path, isLink } of await contextFiles(context)) {
      const file = join(context, path);
      if (isLink) add(path, "link", await readlink(file));
      else add(path, (await stat(file)).mode & 0o100 ? "executable" : "file", await readFile(file));
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Problem(
      `The image context ${context} cannot be read: ${reason}`,
      "Name a readable folder that holds a Dockerfile as the service's build.context.",
    );
  }
  return hash.digest("hex");
}

async function contextFiles(context: string): Promise<{ path: string; isLink: boolean }[]> {
  const patterns = await ignorePatterns(context);
  const entries = await readdir(context, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({
      path: join(entry.parentPath, entry.name).slice(join(context, "/").length),
      isLink: entry.isSymbolicLink(),
    }))
    .filter(({ path }) => !isIgnored(path, patterns))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function ignorePatterns(context: string): Promise<string[]> {
  const text = await readFile(join(context, ".dockerignore"), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * The last pattern that matches the path, or a folder above it, decides
 * (https://docs.docker.com/build/concepts/context/#dockerignore-files). Should this let through more than the builder
 * does (here `*` does not match a leading dot), an image is built once too often, never once too seldom.
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
