/** The local stack with many services that run one image. */
import { join } from "node:path";
import { stringify } from "yaml";
import { nodeImage } from "../../../components/images/imageReference.ts";
import { project } from "../../../names/project.ts";
import { readStackFile, type RawConfig } from "../../stack/stackFile.ts";
import { projectDir } from "../../cli/paths.ts";

export const stackFile = join(projectDir, "Pulumi.local.yaml");
const context = "./test/e2e/echo";
/** Both are built from the same folder; `npm start` puts them on the node for the first two services. */
export const images = ["s1", "s2"].map((name) => nodeImage(name, join(projectDir, context))) as [string, string];
/** The service whose image changes from the first to the second. */
export const changing = "s3";

/** @param services how many beside the two of the local stack, each with a route by path */
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

/** The same as a stack file. */
export const stackText = (config: RawConfig): string =>
  stringify({ config: Object.fromEntries(Object.entries(config).map(([key, value]) => [key, parsed(value)])) });

function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
