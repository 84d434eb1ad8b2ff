/** The Kubernetes manifests of each stack. */
import assert from "node:assert/strict";
import { render } from "../../program/rendered.ts";

export const stacks = ["local", "staging", "production"] as const;

/** Renders a stack as YAML. Images that are not built yet get a digest of zeros. */
export async function manifests(stack: string): Promise<string> {
  const { status, stdout, stderr } = await render(stack);
  assert.equal(status, 0, stderr);
  return stdout.replaceAll(
    /\((\S+) digest not shown\)/g,
    (_, image: string) => `registry.example.com/apps/${image}@sha256:${"0".repeat(64)}`,
  );
}
