/** Configs in Pulumi's format, and the messages of refused ones. */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { project } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";

export const projectDir = join(import.meta.dirname, "../..");

/** A valid config: an existing cluster, plain HTTP, one service. */
export const valid = {
  domain: "shop.example.com",
  cluster: { kind: "existing", context: "somewhere" },
  edge: { kind: "ingress", className: "contour" },
  tls: { mode: "none" },
  registry: { kind: "node" },
  services: { hoge: { image: "registry.example.com/hoge:1.4.2", routes: [{ path: "/hoge/" }, { host: "hoge" }] } },
};

/** The same with other settings of its service. */
export const hoge = (changes: Record<string, unknown>) => ({
  ...valid,
  services: { hoge: { ...valid.services.hoge, ...changes } },
});

/** Pulumi's format: text by key, objects as JSON. */
export function raw(config: Record<string, unknown>, more: Record<string, string> = {}): Record<string, string> {
  const entries = Object.entries(config).map(([key, value]) => [
    `${project}:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { ...(Object.fromEntries(entries) as Record<string, string>), ...more };
}

/**
 * The message that refuses a config; fails if it is accepted.
 * @param secretKeys full keys that are encrypted
 */
export function refusal(
  config: Record<string, unknown>,
  more: Record<string, string> = {},
  { stack = "test", secretKeys = [] }: { readonly stack?: string; readonly secretKeys?: readonly string[] } = {},
): string {
  try {
    checkConfig(raw(config, more), stack, projectDir, secretKeys);
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), String(error));
    return error.message;
  }
  return assert.fail("the config was accepted");
}
