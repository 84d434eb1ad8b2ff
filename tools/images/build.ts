/** Builds images for the local Kubernetes from the same Dockerfiles as production, each as an archive for containerd to import. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { nodeImage } from "../../components/images/imageReference.ts";
import { baseArguments } from "./baseArguments.ts";
import { baseImage, baseKey, type Base } from "./baseImages.ts";
import { buildah, imagesDir } from "./buildah.ts";
import { diskNeeded, requireDisk } from "../cli/disk.ts";
import { withLock } from "../cli/lock.ts";
import { cacheLock } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export interface ImageSpec {
  /** A DNS label. */
  readonly name: string;
  /** Folder with a Dockerfile that takes its base images from build arguments (see `baseArguments`). */
  readonly context: string;
  /** What a build argument without a default stands for. */
  readonly base: Base;
}

export interface BuiltImage {
  /** `localhost/gke-microservices/<name>:<tag>`, as in the program. The tag is derived from the context. */
  readonly reference: string;
  /** Archive in Docker's format, for `ctr images import`. */
  readonly archive: string;
}

const days = 24 * 60 * 60 * 1000;

/** @param progress receives the name of the image that is being built @returns the images by name */
export type BuildImages = (
  specs: readonly ImageSpec[],
  progress?: (message: string) => void,
) => Promise<Map<string, BuiltImage>>;

/**
 * The image that is built for the spec, without building it.
 * @param builder which has base images of its own. @default - buildah, with the bases of this project
 * @throws Problem if the context cannot be read
 */
export function imageOf(spec: ImageSpec, builder?: string): BuiltImage {
  const { name, context } = spec;
  let reference: string, bases: string;
  try {
    reference = nodeImage(name, context);
    bases = builder ?? basesOf(spec).map(baseKey).join(" ");
  } catch (error) {
    throw new Problem(
      `The image context ${context} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "Name a readable folder that holds a Dockerfile as build.context.",
    );
  }
  // The archive also depends on the bases: a newer base gives another image under the same reference.
  const key = createHash("sha256").update(`${bases} ${reference}`).digest("hex").slice(0, 12);
  return { reference, archive: join(imagesDir, `${name}-${key}.tar`) };
}

const argumentsOf = ({ context, base }: ImageSpec) =>
  baseArguments(readFileSync(join(context, "Dockerfile"), "utf8"), base);

/** The base images of this project that the image is built from, without the empty one. */
const basesOf = (spec: ImageSpec): Base[] => [
  ...new Set(Object.values(argumentsOf(spec)).filter((base) => base !== "scratch")),
];

/**
 * Builds the images whose archive does not exist yet, which needs root.
 * @param progress - receives the name of the image that is being built
 * @returns the images by name
 * @throws Problem if a context cannot be read, a download fails, a build fails or the disk is full
 */
export async function buildImages(
  specs: readonly ImageSpec[],
  progress: (message: string) => void = () => undefined,
): Promise<Map<string, BuiltImage>> {
  const all = specs.map((spec) => ({ spec, image: imageOf(spec) }));
  const missing = all.filter(({ image }) => !existsSync(image.archive));
  if (missing.length > 0)
    await withLock(cacheLock, async () => {
      await mkdir(imagesDir, { recursive: true });
      requireDisk(imagesDir, diskNeeded.image);
      await removeUnfinished();
      // One after another: buildah's storage allows one writer, and the disk is the bottleneck.
      for (const { spec, image } of missing) {
        await build(spec, image, progress);
        await removeOld(spec.name, image.archive);
      }
    });
  return new Map(all.map(({ spec, image }) => [spec.name, image]));
}

async function build(spec: ImageSpec, image: BuiltImage, progress: (message: string) => void) {
  const { reference, archive } = image;
  const what = `Building the image ${spec.name}`;
  const bases: string[] = [];
  for (const [argument, base] of Object.entries(argumentsOf(spec)))
    bases.push("--build-arg", `${argument}=${base === "scratch" ? base : await baseImage(base)}`);
  progress(spec.name);
  const context = resolve(spec.context);
  // No timestamps, so that the same input gives the same digest. No pull: the base is in the storage.
  const args = ["build", "--isolation", "chroot", "--timestamp", "0", "--pull-never"];
  const built = [...bases, "--build-arg", `VERSION=${versionOf(image)}`, "--tag", reference, context];
  try {
    await buildah(what, [...args, ...built], context);
  } catch (error) {
    throw error instanceof Problem ? (missingBase(spec, error) ?? error) : error;
  }
  await writeArchive(archive, (file) => buildah(what, ["push", reference, `docker-archive:${file}:${reference}`]));
  await buildah(what, ["rmi", reference]); // Only the archive is kept.
}

/** The build argument VERSION of an image: its tag. */
export const versionOf = ({ reference }: BuiltImage): string => reference.slice(reference.lastIndexOf(":") + 1);

/** Writes under a temporary name, so that an interrupted build leaves nothing that looks like an archive. */
export async function writeArchive(archive: string, write: (file: string) => Promise<unknown>): Promise<void> {
  const unfinished = `${archive}.unfinished`;
  await rm(unfinished, { force: true });
  try {
    await write(unfinished);
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/**
 * The problem of a build whose Dockerfile names a base image that buildah would have to pull.
 * @returns undefined if it failed for another reason
 */
export function missingBase(
  { name, base }: Pick<ImageSpec, "name" | "base">,
  { message }: Problem,
): Problem | undefined {
  const image = /(\S+): image not known/.exec(message)?.[1];
  if (image === undefined) return undefined;
  return new Problem(
    `The image ${name} cannot be built on this machine: its Dockerfile starts from ${image}, and the local build pulls nothing.`,
    `Start from what it has: "FROM scratch", or "FROM \${BASE}", whose default says which of them: an image named node, python, golang, static, nginx, postgres or redis, such as "ARG BASE=node:24". Or name a ready image in ${base === "nginx" ? "proxy" : `services.${name}`}.image and a cluster that pulls it: npm start -- --context NAME.`,
  );
}

/** Removes the containers and layers that a killed or failed build left in buildah's storage. */
async function removeUnfinished(): Promise<void> {
  const temporary = join(imagesDir, "tmp");
  for (const name of existsSync(temporary) ? await readdir(temporary) : [])
    if (!name.startsWith("buildah-cache")) await rm(join(temporary, name), { recursive: true, force: true }); // of RUN --mount=type=cache
  if (existsSync(join(imagesDir, "storage"))) await buildah("Cleaning up", ["rm", "--all"]);
}

/** Removes archives older than 7 days. Newer ones stay, for older contexts and for other checkouts. */
async function removeOld(name: string, current: string): Promise<void> {
  const isArchive = new RegExp(`^${name}-[0-9a-f]{12}\\.tar(\\.unfinished)?$`);
  for (const file of await readdir(imagesDir)) {
    const path = join(imagesDir, file);
    if (!isArchive.test(file) || path === current) continue;
    if (Date.now() - (await stat(path)).mtimeMs > 7 * days) await rm(path);
  }
}
