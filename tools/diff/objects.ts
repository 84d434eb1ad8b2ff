/** Evaluates a stack with a checkout's own program, and formats its Kubernetes objects for comparison. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { CommandError, run } from "../cli/run.ts";
import type { KubernetesObject, Registered } from "../stack/evaluate.ts";
import { stackFile } from "../stack/stackFile.ts";

/** One side of the comparison: the objects, or why there are none. */
export type Side =
  | {
      readonly objects: readonly KubernetesObject[];
      /** Everything that the program registers; undefined if an older program cannot list it. */
      readonly resources?: readonly Registered[];
    }
  /** There is no stack file. */
  | { readonly absent: true }
  /** The program cannot render the stack: its error message. */
  | { readonly refused: string };

/** Evaluates the stack with the program in the folder, in its own process: a process can evaluate only one program. */
export async function sideOf(folder: string, stack: string): Promise<Side> {
  if (!existsSync(stackFile(stack, folder))) return { absent: true };
  if (!canRender(folder)) return { refused: "Its program cannot render objects yet." };
  const work = mkdtempSync(join(tmpdir(), "gke-microservices-resources-"));
  const file = join(work, "resources.json");
  try {
    const rendered = await render(folder, stack, ["--resources", file]);
    if ("yaml" in rendered)
      return {
        objects: parseObjects(rendered.yaml),
        resources: JSON.parse(readFileSync(file, "utf8")) as Registered[],
      };
    if (!/(Unknown|no) option '?--resources/.test(rendered.refused)) return rendered;
    const older = await render(folder, stack, []);
    return "yaml" in older ? { objects: parseObjects(older.yaml) } : older;
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function render(folder: string, stack: string, options: readonly string[]) {
  const output: string[] = [];
  try {
    // Through the npm script, because other revisions have the file elsewhere.
    const yaml = await run("npm", ["run", "--silent", "render", "--", stack, ...options], {
      cwd: folder,
      timeout: 120_000,
      onOutput: (text) => output.push(text),
    });
    return { yaml };
  } catch (error) {
    if (error instanceof CommandError) return { refused: messageIn(output.join(""), error.status, folder) };
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

/** The program's output, without its stack trace and the path of its folder. */
function messageIn(output: string, status: number | null, folder: string): string {
  const lines = output.split("\n").filter((each) => !/^\s+at /.test(each));
  const text = lines.join("\n").replaceAll(`${folder}/`, "").trim();
  return text === "" ? `It failed with ${status === null ? "a signal" : `status ${status}`}.` : text;
}

/** Redacts Secrets again, in case an older base revision or a broken change renders their values. */
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

/** YAML with sorted keys, so that only content makes a difference. Multi-line strings stay multi-line. */
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
