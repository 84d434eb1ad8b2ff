/** The image of the container that holds each pod's namespaces. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../cli/run.ts";
import { pauseImage } from "./node/settings.ts";

/** Writes an image with only the program, in the format of "docker save" (https://github.com/moby/docker-image-spec). */
export async function writePauseImage(folder: string): Promise<void> {
  const work = join(folder, "image");
  mkdirSync(work);
  await run("tar", [
    "--create",
    "--file",
    join(work, "layer.tar"),
    "--owner=0",
    "--group=0",
    "--mtime=@0",
    "--directory",
    folder,
    "pause",
  ]);
  const layer = createHash("sha256")
    .update(readFileSync(join(work, "layer.tar")))
    .digest("hex");
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = {
    architecture,
    os: "linux",
    config: { Entrypoint: ["/pause"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
  };
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  writeFileSync(
    join(work, "manifest.json"),
    JSON.stringify([{ Config: "config.json", RepoTags: [pauseImage], Layers: ["layer.tar"] }]),
  );
  await run("tar", [
    "--create",
    "--file",
    join(folder, "pause.tar"),
    "--directory",
    work,
    "manifest.json",
    "config.json",
    "layer.tar",
  ]);
  rmSync(work, { recursive: true });
}
