/**
 * Edits of a stack file that leave all else in it as it is, comments and form included: YAML says where in the text a thing
 * stands, and the text is changed there alone.
 */
import { isMap, isScalar, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { fullKey } from "../../names/project.ts";
import { Problem } from "../cli/problem.ts";

interface Edit {
  /** Where in the text. */
  readonly at: number;
  readonly insert: string;
}

/** @param where the text is from, for messages. @throws Problem where it is not a stack file */
function configIn(text: string, where: string): YAMLMap {
  const document = parseDocument(text);
  const config = document.get("config");
  if (document.errors.length > 0 || !isMap(config))
    throw new Problem(
      `${where} is not a stack file.`,
      "It must be YAML with a map `config`, such as Pulumi.staging.yaml.",
    );
  return config;
}

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduceRight((all, { at, insert }) => all.slice(0, at) + insert + all.slice(at), text);
}

const isKey = (node: unknown): node is Scalar<string> => isScalar(node) && typeof node.value === "string";

/**
 * The stack file with every key by its full name. The Pulumi CLI writes them so itself, and then leaves the rest of the file
 * as it is; where it finds a key without a namespace, it writes the file anew, without comments.
 */
export function withFullKeys(text: string, where: string): string {
  const keys = configIn(text, where).items.flatMap(({ key }) => (isKey(key) ? [key] : []));
  const edits = keys.map(({ value, range }) => ({
    at: (range?.[0] ?? 0) + (/^["']/.test(text.slice(range?.[0])) ? 1 : 0),
    insert: fullKey(value).slice(0, -value.length),
  }));
  return edited(text, edits);
}

/** A map that stands in the file line by line, so that a line more is an entry more. */
function isBlock(node: unknown): node is YAMLMap {
  return isMap(node) && node.flow !== true && node.items.length > 0;
}

/**
 * The stack file with one service more, after the others.
 * @param lines of the service's settings, without indentation
 * @throws Problem where it has no services below each other
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
  // To the end of the last line, a comment behind it included.
  const end = services.range?.[1] ?? 0;
  const newline = text.indexOf("\n", Math.max(0, end - 1));
  return newline < 0 ? `${text}\n${block}` : edited(text, [{ at: newline + 1, insert: block }]);
}
