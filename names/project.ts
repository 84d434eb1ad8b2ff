/**
 * The project's name, which is also the namespace of its config: it is said in Pulumi.yaml, and nowhere else. Keys without
 * a namespace belong to the project, in a stack file as on the command line, so that a copy under another name, as
 * `pulumi new` makes it, needs no other change.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The checkout. */
export const projectDir = join(import.meta.dirname, "..");

/** Read here rather than asked of the engine, because the commands of the project run without one. */
export const project: string = nameIn(readFileSync(join(projectDir, "Pulumi.yaml"), "utf8"));

/**
 * Without a YAML parser, which every preview would wait for: a name holds nothing that YAML would write in another way.
 * https://www.pulumi.com/docs/iac/concepts/projects/#project-names
 */
export function nameIn(text: string): string {
  const [, name] = /^name:\s*["']?([\w.-]+)/m.exec(text) ?? [];
  if (name === undefined) throw new Error("Pulumi.yaml has no name.");
  return name;
}

/** `domain` → `gke-microservices:domain`, as the Pulumi CLI does it; a key with a namespace stays. */
export function fullKey(key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}
