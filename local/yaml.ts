/**
 * Kubernetes objects as YAML, for people and for kubectl. How a text has to be quoted is the library's answer, asked for once:
 * most texts of a stack stand in it many times. The blocks are laid out here, as the library does it, and in a third of its time.
 */
import { stringify } from "yaml";

/** One object. Nothing is folded or made an alias, so that a diff shows what changed and no more. */
export const objectYaml = (object: object): string => behind(object, "", true).slice(1);

/** All of them in one text. */
export const toYaml = (objects: readonly object[]): string => objects.map(objectYaml).join("---\n");

/**
 * What stands behind `key:` or `-`.
 * @param indent of what is inside
 * @param inList begins in the line of the `-`
 */
function behind(value: unknown, indent: string, inList: boolean): string {
  if (typeof value !== "object" || value === null) return ` ${scalar(value, indent)}\n`;
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((item) => ["-", item])
    : Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[`${name(key)}:`, item]]));
  if (entries.length === 0) return Array.isArray(value) ? " []\n" : " {}\n";
  const lines = entries
    .map(([start, item]) => `${indent}${start}${behind(item, `${indent}  `, start === "-")}`)
    .join("");
  return inList ? ` ${lines.slice(indent.length)}` : `\n${lines}`;
}

const written = new Map<unknown, string>();

function scalar(value: unknown, indent: string): string {
  let text = written.get(value);
  if (text === undefined) {
    text = stringify({ k: value }, { lineWidth: 0 }).slice("k: ".length, -1);
    written.set(value, text);
  }
  return text.includes("\n") ? text.replaceAll(/\n(?=.)/g, `\n${indent.slice(2)}`) : text;
}

const names = new Map<string, string>();

/** Keys of Kubernetes objects are in one line. */
function name(key: string): string {
  let text = names.get(key);
  if (text === undefined) {
    text = stringify({ [key]: 0 }).slice(0, -": 0\n".length);
    names.set(key, text);
  }
  return text;
}
