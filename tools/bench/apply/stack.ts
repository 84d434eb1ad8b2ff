/** The local stack with many more services that run the same image. */
import { join } from "node:path";
import { stringify } from "yaml";
import { nodeImage } from "../../../components/images/imageReference.ts";
import { project } from "../../../names/project.ts";
import { readStackFile, type RawConfig } from "../../stack/stackFile.ts";
import { projectDir } from "../../cli/paths.ts";

export const stackFile = join(projectDir, "Pulumi.local.yaml");
const context = "./test/e2e/echo";
/** Two images built from the same folder. `npm start` loads them into the node for the first two services. */
export const images = ["s1", "s2"].map((name) => nodeImage(name, join(projectDir, context))) as [string, string];
/** The service whose image changes between the two. */
export const changing = "s3";

/** @param services number of services in addition to the two of the local stack, each with a route by path */
export function stackOf(services: number, image: string): RawConfig {
  const config = readStackFile(stackFile);
  const own = JSON.parse(config[`${project}:services`] ?? "{}") as object;
  const more = Array.from({ length: services }, (_, index) => {
    const name = `s${index + 1}`;
    const source = index < images.length ? { build: { context } } : { image: name === changing ? image : images[0] };
    const resources = { cpu: "1m", memory: "64Mi" };
    return [name, { ...source, replicas: 1, resources, routes: [{ path: `/${name}/` }] }] as const;
  });
  return { ...config, [`${project}:services`]: JSON.stringify({ ...own, ...Object.fromEntries(more) }) };
}

/** The config as a stack file. */
export const stackText = (config: RawConfig): string =>
  stringify({ config: Object.fromEntries(Object.entries(config).map(([key, value]) => [key, parsed(value)])) });

function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
