/** Every image needs a registry, a local node or a folder to build. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { keyOf, problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkImages(settings: Settings, projectDir: string): ConfigProblem[] {
  const { cluster, registry } = settings;
  const problems: ConfigProblem[] = [];
  if (registry.kind === "node" && cluster.kind === "gke")
    problems.push(
      problem(
        ["registry", "kind"],
        registry.kind,
        "puts images on a local node, and GKE pulls from a registry",
        "use artifact-registry",
      ),
    );
  for (const { key, context } of builds(settings)) {
    if (registry.kind === "artifact-registry" && cluster.kind !== "gke") {
      problems.push(
        problem(
          key,
          { context },
          "needs a registry to push to, and only a stack with cluster.kind gke has one",
          `set ${keyOf(["registry", "kind"])} to node, or give an image`,
        ),
      );
    }
    if (!existsSync(join(projectDir, context, "Dockerfile"))) {
      problems.push(
        problem(
          [...key, "context"],
          context,
          "has no Dockerfile",
          "name a folder that has one, relative to the project",
        ),
      );
    }
  }
  return problems;
}

function builds(settings: Settings): { key: string[]; context: string }[] {
  const services = Object.entries(settings.services).flatMap(([name, { build }]) =>
    build === undefined ? [] : [{ key: ["services", name, "build"], context: build.context }],
  );
  return [
    ...services,
    ...(settings.proxy.build === undefined ? [] : [{ key: ["proxy", "build"], context: settings.proxy.build.context }]),
  ];
}
