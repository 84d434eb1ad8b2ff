/** Stacks of any size: staging's, with other services. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { projectDir } from "../../cli/paths.ts";

/** How many services; "staging" is that stack as it stands. */
export type Size = "staging" | number;

export const sizes: readonly Size[] = ["staging", 1, 10, 100, 300, 1000, 2000];

const staging = join(projectDir, "Pulumi.staging.yaml");

/** No name is in another one's place where a template of one service is made: see `peerInputs`. */
export const serviceName = (index: number): string => `service-${index}`;
export const imageOf = (index: number): string => `registry.example.com/apps/${serviceName(index)}:1.0.${index}`;

/** The text of the stack file. */
export function stackFile(size: Size): string {
  const text = readFileSync(staging, "utf8");
  if (size === "staging") return text;
  const { config } = parse(text) as { config: Record<string, unknown> };
  const services = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [
      serviceName(index),
      { image: imageOf(index), healthPath: "/readyz", routes: [{ path: `/${serviceName(index)}/` }] },
    ]),
  );
  return stringify({ config: { ...config, services } });
}
