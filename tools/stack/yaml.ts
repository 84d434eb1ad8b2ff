/** Formats Kubernetes objects as YAML. */
import { Document, Scalar, visit } from "yaml";
import { plainValue } from "../../config/stackFile.ts";

/** YAML 1.1 and 1.2, which kubectl and others read, disagree on these: line breaks, not printable, or a byte order mark. */
const special = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A type of its own in YAML 1.1. https://yaml.org/type/value.html */
const defaultKey = "=";

/** Readers disagree on the indentation of a block that begins with white space: some refuse a tab there, some lose a space. */
const blankFirst = /^\s/;

/**
 * One object, without folded lines and aliases, so that a diff shows only what changed. Text that YAML 1.1 takes for
 * something else, such as `yes`, has quotes.
 */
export function objectYaml(object: object): string {
  const document = new Document(object, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  visit(document, {
    Scalar(_, node) {
      const { value } = node;
      if (
        typeof value === "string" &&
        (value.search(special) >= 0 || blankFirst.test(value) || value === defaultKey || plainValue(value) !== value)
      )
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document
    .toString({ lineWidth: 0 })
    .replaceAll(special, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Several objects as one multi-document text. */
export const toYaml = (objects: readonly object[]): string => objects.map(objectYaml).join("---\n");
