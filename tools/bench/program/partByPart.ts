/**
 * Measures the parts of the program once. It runs in its own process, because a process loads the program's modules only
 * once. Argument: a stack file.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Measured, Part } from "./results.ts";

const project = join(import.meta.dirname, "../../..");
const [, , path = ""] = process.argv;

/** CPU time of all threads. Unlike the wall clock, it hardly depends on the machine's other load. Milliseconds. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const parts: Partial<Record<Part, number>> = {};
let before = cpuMs();
function ended(part: Part): void {
  const now = cpuMs();
  parts[part] = now - before;
  before = now;
}

// Load the measured modules only from here on.
for (const sdk of ["pulumi", "kubernetes", "gcp", "docker", "tls"]) await import(`@pulumi/${sdk}`);
ended("SDKs");

const index = readFileSync(join(project, "index.ts"), "utf8");
for (const [, file = ""] of index.matchAll(/from "\.\/(.*)";$/gm)) await import(`../../../${file}`);
const { evaluate } = await import("../../stack/evaluate.ts");
const { readStackFile } = await import("../../stack/stackFile.ts");
const { checkConfig } = await import("../../../config/config.ts");
const { proxyRoutes } = await import("../../../config/routes.ts");
const { renderRoutes } = await import("../../../nginx/routes.ts");
const { toYaml } = await import("../../stack/yaml.ts");
ended("own modules");

const config = readStackFile(path);
ended("stack file");

const { settings } = checkConfig(config, "bench", project);
ended("config check");

const { objects } = await evaluate("bench", config, "redacted");
ended("evaluation");

toYaml(objects);
ended("YAML");

renderRoutes(proxyRoutes(settings));
ended("nginx text");

const measured: Measured = {
  parts: parts as Record<Part, number>,
  memoryMiB: process.resourceUsage().maxRSS / 1024,
  objects: objects.length,
};
console.log(JSON.stringify(measured));
