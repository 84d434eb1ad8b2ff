/** Builds images with Docker or Podman, where one of them answers: neither needs root here, and both pull base images. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CommandError, onPath, run } from "../cli/run.ts";
import { Problem } from "../cli/problem.ts";
import {
  buildImages,
  imageOf,
  versionOf,
  writeArchive,
  type BuildImages,
  type BuiltImage,
  type ImageSpec,
} from "./build.ts";

const engines = ["docker", "podman"] as const;
export type ContainerEngine = (typeof engines)[number];

/** The first that is on PATH and whose engine answers; undefined if there is none. */
export async function containerEngine(): Promise<ContainerEngine | undefined> {
  for (const engine of engines) {
    if (onPath(engine) === undefined) continue;
    try {
      await run(engine, ["info"], { timeout: 10_000 });
      return engine;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error; // Docker's client without its engine ends with an error.
    }
  }
  return undefined;
}

/**
 * Builds the images for a cluster that somebody has: with Docker or Podman, or else with buildah, which needs root and
 * Debian's packages.
 * @throws Problem if nothing on this machine can build
 */
export const buildAnywhere: BuildImages = async (specs, progress) => {
  const engine = await containerEngine();
  if (engine !== undefined) return buildWith(engine)(specs, progress);
  if (process.getuid?.() === 0 && onPath("apt-get") !== undefined) return buildImages(specs, progress);
  throw new Problem(
    `The images of ${specs.map(({ name }) => name).join(", ")} cannot be built: neither Docker nor Podman answers here, and buildah needs root and apt.`,
    "Start Docker or Podman. Or push ready images to a registry that the cluster pulls from, and set image: instead of build: in Pulumi.local.yaml, for the proxy too.",
  );
};

/**
 * Builds the images whose archive does not exist yet, from the base images that their Dockerfiles name.
 * @throws Problem if a context cannot be read, a build fails or the disk is full
 */
export const buildWith =
  (engine: ContainerEngine): BuildImages =>
  async (specs, progress = () => undefined) => {
    const built = new Map<string, BuiltImage>();
    for (const spec of specs) {
      const image = imageOf(spec, engine);
      if (!existsSync(image.archive)) {
        progress(spec.name);
        await build(engine, spec, image);
      }
      built.set(spec.name, image);
    }
    return built;
  };

async function build(engine: ContainerEngine, { name, context }: ImageSpec, image: BuiltImage) {
  const { reference, archive } = image;
  await mkdir(dirname(archive), { recursive: true });
  const format = engine === "podman" ? ["--format", "docker-archive"] : [];
  try {
    await run(engine, ["build", "--build-arg", `VERSION=${versionOf(image)}`, "--tag", reference, resolve(context)]);
    await writeArchive(archive, (file) => run(engine, ["save", ...format, "--output", file, reference]));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(`${engine} cannot build the image ${name}:\n${error.output}`, `Fix ${context}/Dockerfile.`);
  }
}
