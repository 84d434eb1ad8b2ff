/** Images for the local Kubernetes, each as an archive that containerd imports, from the Dockerfile that production uses too. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { nodeImage } from "../../components/images/imageReference.ts";
import { baseImage, baseKey, type Base } from "./baseImages.ts";
import { buildah, imagesDir } from "./buildah.ts";
import { diskNeeded, requireDisk } from "../cli/disk.ts";
import { withLock } from "../cli/lock.ts";
import { cacheLock } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export interface ImageSpec {
  /** A DNS label. */
  readonly name: string;
  /** Folder with a Dockerfile that takes its base image from the build argument `BASE`. */
  readonly context: string;
  readonly base: Base;
}

export interface BuiltImage {
  /** As the program names it: `localhost/gke-microservices/<name>:<tag>`, the tag following from the context. */
  readonly reference: string;
  /** Archive in Docker's format, for `ctr images import`. */
  readonly archive: string;
}

const days = 24 * 60 * 60 * 1000;

/** What {@link buildImages} gives for the spec, without building anything. @throws Problem when the context cannot be read */
export function imageOf({ name, context, base }: ImageSpec): BuiltImage {
  let reference: string;
  try {
    reference = nodeImage(name, context);
  } catch (error) {
    throw new Problem(
      `The image context ${context} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "Name a readable folder that holds a Dockerfile as build.context.",
    );
  }
  // The archive is of a base, too: a newer base is a newer image under the same name.
  const key = createHash("sha256")
    .update(`${baseKey(base)} ${reference}`)
    .digest("hex")
    .slice(0, 12);
  return { reference, archive: join(imagesDir, `${name}-${key}.tar`) };
}

/**
 * Builds those images whose archive is not there yet; needs root then.
 * @param progress - told in a few words what is being built
 * @returns by name
 * @throws Problem when a context cannot be read, a download fails, a build fails or the disk is full
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
      // One after another: buildah's storage takes one writer, and the disk is what it waits for.
      for (const { spec, image } of missing) {
        await build(spec, image, progress);
        await removeOld(spec.name, image.archive);
      }
    });
  return new Map(all.map(({ spec, image }) => [spec.name, image]));
}

async function build(spec: ImageSpec, { reference, archive }: BuiltImage, progress: (message: string) => void) {
  const what = `Building the image ${spec.name}`;
  const base = await baseImage(spec.base);
  progress(spec.name);
  const context = resolve(spec.context);
  const version = reference.slice(reference.lastIndexOf(":") + 1);
  // The same input gives the same digest: no times. The base is in the storage: there is nothing to pull.
  const args = ["build", "--isolation", "chroot", "--timestamp", "0", "--pull-never"];
  const built = ["--build-arg", `BASE=${base}`, "--build-arg", `VERSION=${version}`, "--tag", reference, context];
  await buildah(what, [...args, ...built], context);
  // An interrupted build leaves this name, which nothing takes for an archive.
  const unfinished = `${archive}.unfinished`;
  await rm(unfinished, { force: true });
  try {
    await buildah(what, ["push", reference, `docker-archive:${unfinished}:${reference}`]);
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
  await buildah(what, ["rmi", reference]); // the archive is what is kept
}

/** What a build that was killed, or that a full disk ended, left in buildah's storage: containers, and layers of no image. */
async function removeUnfinished(): Promise<void> {
  await rm(join(imagesDir, "tmp"), { recursive: true, force: true });
  if (existsSync(join(imagesDir, "storage"))) await buildah("Cleaning up", ["rm", "--all"]);
}

/** Going back to the context of a few days ago stays quick; another checkout's archives stay too. */
async function removeOld(name: string, current: string): Promise<void> {
  const isArchive = new RegExp(`^${name}-[0-9a-f]{12}\\.tar(\\.unfinished)?$`);
  for (const file of await readdir(imagesDir)) {
    const path = join(imagesDir, file);
    if (!isArchive.test(file) || path === current) continue;
    if (Date.now() - (await stat(path)).mtimeMs > 7 * days) await rm(path);
  }
}
