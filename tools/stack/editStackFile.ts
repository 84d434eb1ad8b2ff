/**
 * Edits a stack file and leaves the rest of it unchanged, including comments and formatting. The YAML parser gives the
 * position in the text, and the text is changed only there.
 */
import { isMap, isScalar, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { fullKey } from "../../names/project.ts";
import { Problem } from "../cli/problem.ts";

interface Edit {
  /** Offset in the text. */
  readonly at: number;
  readonly insert: string;
}

/** @param where origin of the text, for messages. @throws Problem if it is not a stack file */
function configIn(text: string, where: string): YAMLMap {
  const document = parseDocument(text);
  const config = document.get("config");
  if (document.errors.length > 0 || !isMap(config))
    throw new Problem(`${where} is not a stack file.`, "Write YAML with a map `config`, as in Pulumi.staging.yaml.");
  return config;
}

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduceRight((all, { at, insert }) => all.slice(0, at) + insert + all.slice(at), text);
}

const isKey = (node: unknown): node is Scalar<string> => isScalar(node) && typeof node.value === "string";

/**
 * Prefixes every key with the project's name. If a key has no namespace, the Pulumi CLI rewrites the whole file without
 * comments. If all have one, it leaves the rest of the file unchanged.
 */
export function withFullKeys(text: string, where: string): string {
  const keys = configIn(text, where).items.flatMap(({ key }) => (isKey(key) ? [key] : []));
  const edits = keys.map(({ value, range }) => ({
    at: (range?.[0] ?? 0) + (/^["']/.test(text.slice(range?.[0])) ? 1 : 0),
    insert: fullKey(value).slice(0, -value.length),
  }));
  return edited(text, edits);
}

/** Whether the node is a block-style map, to which an entry can be added as new lines. */
function isBlock(node: unknown): node is YAMLMap {
  return isMap(node) && node.flow !== true && node.items.length > 0;
}

/**
 * Adds a service after the existing ones.
 * @param lines the service's settings, without indentation
 * @throws Problem if the services are not a block-style map
 */
export function withService(text: string, where: string, name: string, lines: readonly string[]): string {
  const config = configIn(text, where);
  const services = config.get("services") ?? config.get(fullKey("services"));
  const first = isBlock(services) ? services.items[0]?.key : undefined;
  if (!isBlock(services) || !isKey(first))
    throw new Problem(
      `${where} has no services, or has them in one line.`,
      "Write at least one service there, each on lines of its own, as in Pulumi.staging.yaml.",
    );
  const start = first.range?.[0] ?? 0;
  const indent = " ".repeat(start - (text.lastIndexOf("\n", start) + 1));
  const block = [`${name}:`, ...lines.map((line) => `  ${line}`)].map((line) => `${indent}${line}\n`).join("");
  // Insert after the end of the last line, which may have a trailing comment.
  const end = services.range?.[1] ?? 0;
  const newline = text.indexOf("\n", Math.max(0, end - 1));
  return newline < 0 ? `${text}\n${block}` : edited(text, [{ at: newline + 1, insert: block }]);
}
