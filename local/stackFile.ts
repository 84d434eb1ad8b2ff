/**
 * Edits of a stack file that leave all else in it as it is, comments and form included: YAML says where in the text a thing
 * stands, and the text is changed there alone.
 */
import { isMap, isScalar, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { fullKey } from "../config/project.ts";
import { Problem } from "./problem.ts";

interface Edit {
  /** Where in the text. */
  readonly at: number;
  readonly insert: string;
}

/** @param where the text is from, for messages. @throws Problem where it is no stack file */
function configIn(text: string, where: string): YAMLMap {
  const document = parseDocument(text);
  const config = document.get("config");
  if (document.errors.length > 0 || !isMap(config))
    throw new Problem(
      `${where} is no stack file.`,
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
