/** Generates stack files of any size: that of staging, with other services. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { projectDir } from "../../cli/paths.ts";

/** Number of services; "staging" is the unchanged stack. */
export type Size = "staging" | number;

export const sizes: readonly Size[] = ["staging", 1, 10, 100, 300, 1000, 2000];

const staging = join(projectDir, "Pulumi.staging.yaml");

/** Unique names, which `peerInputs` replaces in the template of one service. */
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
      { image: imageOf(index), health: "/readyz", routes: [{ path: `/${serviceName(index)}/` }] },
    ]),
  );
  return stringify({ config: { ...config, services } });
}
