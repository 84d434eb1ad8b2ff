/**
 * The project's name, which is also the namespace of its config keys. It is set only in Pulumi.yaml. Keys without a
 * namespace belong to the project, in stack files and on the command line. So a copy with another name, as `pulumi new`
 * creates it, needs no other change.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The root folder of the checkout. */
export const projectDir = join(import.meta.dirname, "..");

/**
 * The folder of `Pulumi.yaml` and the stack files. The tests of this checkout have their own, so that nobody's services
 * decide whether they pass. A copy that a test makes elsewhere uses its own files.
 */
export const stacksDir = process.env["TESTED_CHECKOUT"] === projectDir ? join(projectDir, "test/stacks") : projectDir;

/** Read from the file instead of from the engine, because the project's commands run without an engine. */
export const project: string = nameIn(readFileSync(join(stacksDir, "Pulumi.yaml"), "utf8"));

/**
 * Uses a regular expression, because loading a YAML parser would slow every preview. Project names need no YAML
 * escapes.
 * https://www.pulumi.com/docs/iac/concepts/projects/#project-names
 */
export function nameIn(text: string): string {
  const [, name] = /^name:\s*["']?([\w.-]+)/m.exec(text) ?? [];
  if (name === undefined) throw new Error("Pulumi.yaml has no name.");
  return name;
}

/** `domain` → `gke-microservices:domain`, as in the Pulumi CLI; a key with a namespace stays as it is. */
export function fullKey(key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}
