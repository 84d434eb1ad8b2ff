/** Runs the project's commands on this checkout. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { kubectlPath } from "../../../tools/machine/kubernetes.ts";
import { kubeconfigPath, projectDir } from "../../../tools/cli/paths.ts";

export interface Outcome {
  readonly status: number | null;
  /** Standard output and standard error together. */
  readonly text: string;
  /** Duration. */
  readonly seconds: number;
}

/** Runs a command without npm: `local("start.ts", "--engine", "kubectl")` is `npm start -- --engine kubectl`. */
export function local(script: string, ...args: string[]): Promise<Outcome> {
  return command(process.execPath, [join(projectDir, "tools/commands", script), ...args]);
}

/** Stops the local Kubernetes, and fails if that fails: the next suite would fail in its place. */
export async function stop(): Promise<void> {
  const { status, text } = await local("stop.ts");
  assert.equal(status, 0, text);
}

export function command(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const began = Date.now();
  const child = spawn(program, args, {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, text, seconds: (Date.now() - began) / 1000 });
    });
  });
}

/** The local Kubernetes of this checkout. */
export const localTarget = { kubectl: kubectlPath, kubeconfig: kubeconfigPath, context: "gke-microservices-local" };

export const stackFile = join(projectDir, "Pulumi.local.yaml");

/** Edits the local stack file for one test, and restores it afterwards. */
export function editStack(context: TestContext, edit: (text: string) => string): void {
  const original = `${stackFile}.original`;
  if (!existsSync(original)) {
    copyFileSync(stackFile, original);
    context.after(() => {
      copyFileSync(original, stackFile);
      rmSync(original);
    });
  }
  writeFileSync(stackFile, edit(readFileSync(stackFile, "utf8")));
}
