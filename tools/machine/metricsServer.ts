/** metrics-server, which tells autoscalers what pods use. Compiled and started only for a stack that has one. */
import { join } from "node:path";
import { cacheDir } from "../cli/paths.ts";
import type { Step } from "../cli/progress.ts";
import { completed, digest } from "../programs/cache.ts";
import { forgetGoBuild, goBuild } from "./goBuild.ts";

const source = join(import.meta.dirname, "metricsServer");
const build = {
  name: "go-metrics-server",
  source,
  packages: ["sigs.k8s.io/metrics-server/cmd/metrics-server"],
  linkerFlags: "-s -w",
};

/** Folder of the compiled program. */
export const metricsServerDir = join(
  cacheDir,
  "metrics-server",
  digest(
    ["go.mod", "go.sum"].map((file) => join(source, file)),
    build.linkerFlags,
  ),
);

/** @throws Problem if Go is missing or too old, or a download fails */
export async function compileMetricsServer(step: Step): Promise<void> {
  await completed(metricsServerDir, (folder) => goBuild(build, folder, step));
  forgetGoBuild(build);
}
