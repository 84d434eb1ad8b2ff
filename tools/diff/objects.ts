/** A stack's Kubernetes objects as a checkout's own program renders them, and their text. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { CommandError, run } from "../cli/run.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";
import { stackFile } from "../stack/stackFile.ts";

/** What one side of the comparison has: the objects, or why there are none. */
export type Side =
  | { readonly objects: readonly KubernetesObject[] }
  /** The stack has no file there. */
  | { readonly absent: true }
  /** Its program does not render the stack; in the words of the program. */
  | { readonly refused: string };

/** Renders the stack by the program in the folder, in a process of its own: a program is evaluated once in a process. */
export async function sideOf(folder: string, stack: string): Promise<Side> {
  if (!existsSync(stackFile(stack, folder))) return { absent: true };
  if (!canRender(folder)) return { refused: "Its program cannot render objects yet." };
  const said: string[] = [];
  try {
    // By its own script: where the file stands that renders is that revision's affair.
    const yaml = await run("npm", ["run", "--silent", "render", "--", stack], {
      cwd: folder,
      timeout: 120_000,
      onOutput: (text) => said.push(text),
    });
    return { objects: parseObjects(yaml) };
  } catch (error) {
    if (error instanceof CommandError) return { refused: words(said.join(""), error.status, folder) };
    throw error;
  }
}

function canRender(folder: string): boolean {
  const file = join(folder, "package.json");
  const { scripts } = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as { scripts?: object };
  return scripts !== undefined && "render" in scripts;
}

export function parseObjects(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const object = document.toJS({ maxAliasCount: 0 }) as KubernetesObject | null;
    return object === null ? [] : [redacted(object)];
  });
}

/** What the program said, without its stack trace and without where it happened to be. */
function words(output: string, status: number | null, folder: string): string {
  const said = output.split("\n").filter((each) => !/^\s+at /.test(each));
  const text = said.join("\n").replaceAll(`${folder}/`, "").trim();
  return text === "" ? `It ended with ${status === null ? "a signal" : `status ${status}`}.` : text;
}

/** A program prints no secrets. Should the base's be an older one that did, or a change break it, they end here. */
function redacted(object: KubernetesObject): KubernetesObject {
  if (object.kind !== "Secret") return object;
  const hide = (property: string) =>
    Object.fromEntries(
      Object.keys(object[property] ?? {}).map((key) => [key, `(secret ${property}.${key} not shown)`]),
    );
  return {
    ...object,
    ...(object["data"] !== undefined && { data: hide("data") }),
    ...(object["stringData"] !== undefined && { stringData: hide("stringData") }),
  };
}

/** As YAML in an order of its own, so that only content makes a difference; text of several lines as such lines. */
export function textOf({ apiVersion, kind, metadata, ...rest }: KubernetesObject): string {
  return stringify(
    { apiVersion, kind, metadata: sorted(metadata), ...(sorted(rest) as object) },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
