/**
 * A stack's file, `Pulumi.<stack>.yaml`, read as the Pulumi CLI reads it: what the program is handed is what every other command sees.
 * The CLI decodes with Go's yaml.v3, which takes more plain scalars for numbers and times than YAML 1.2 does, and hands over JSON.
 * https://github.com/pulumi/pulumi/blob/v3.265.0/sdk/go/common/workspace/loaders.go,
 * https://github.com/go-yaml/yaml/blob/v3.0.1/resolve.go
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  parseDocument,
  Scalar,
  visit,
  type Document,
  type YAMLMap,
  type YAMLError,
} from "yaml";
import { fullKey } from "../names/project.ts";
import { nearest } from "./problems.ts";

export interface StackFile {
  /** Text by full key, objects as JSON, encrypted values as `{"secure": …}`: as the CLI has them before it decrypts. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Plain scalars that mean something else than they show, such as `0777`, which is 511. */
  readonly rewritten: readonly RewrittenScalar[];
  /** Whether values come from an environment of Pulumi ESC, which the CLI alone can read. */
  readonly usesEnvironment: boolean;
}

export interface RewrittenScalar {
  /** Full key, then the path below it. */
  readonly path: readonly [string, ...(string | number)[]];
  readonly written: string;
  /** What the program gets. */
  readonly read: unknown;
}

/** Why a text is no stack file. `line` is 1 for the first; undefined where no one line is to blame. */
export class StackFileError extends Error {
  readonly line: number | undefined;
  readonly fix: string;
  constructor(found: string, fix: string, line?: number) {
    super(found);
    this.line = line;
    this.fix = fix;
  }

  /** The file, and the line where it is known. */
  placeIn(file: string): string {
    return this.line === undefined ? file : `${file}, line ${this.line}`;
  }
}

/** What the CLI knows at the top of a stack file. */
const topKeys = ["config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"];

/** Merge keys and aliases may make a small file large; no stack needs so many. */
const maxAliases = 1000;

/**
 * @param kind `project` for Pulumi.yaml, which has other keys at its top
 * @throws StackFileError if the CLI would refuse the file, or ignore a part of it
 */
export function parseStackFile(text: string, kind: "stack" | "project" = "stack"): StackFile {
  const lineBreak = /[\u0085\u2028\u2029]/.exec(text);
  if (lineBreak !== null)
    throw new StackFileError(
      `U+${lineBreak[0].charCodeAt(0).toString(16).padStart(4, "0")} ends a line for the CLI, and nowhere else`,
      'write it between double quotes, as in "\\u2028", or remove it',
      text.slice(0, lineBreak.index).split("\n").length,
    );
  refuseBytes(text);
  refuseTags(text);
  const document = parseDocument(text, { schema: "failsafe", merge: false, version: "1.2", prettyErrors: true });
  const [error] = document.errors;
  if (error?.code === "DUPLICATE_KEY") refuseDuplicate(document, text, error.pos[0]);
  if (error !== undefined) {
    const [found, fix] = syntaxOf(error);
    throw new StackFileError(`it is not YAML: ${found}`, fix, error.linePos?.[0].line);
  }
  const { contents } = document;
  if (contents === null || isEmpty(contents)) return { values: new Map(), rewritten: [], usesEnvironment: false };
  if (!isMap(contents)) throw new StackFileError("it is not a map", "write a map with a key `config`");
  return new Reader(document, text).read(contents, kind);
}

/** What is wrong, and the fix, in the words of who writes YAML and no parser. The line's text may hold a secret. */
function syntaxOf({ code, message }: YAMLError): readonly [found: string, fix: string] {
  if (
    code === "MULTILINE_IMPLICIT_KEY" ||
    (code === "BLOCK_AS_IMPLICIT_KEY" && message.startsWith("A block sequence")) ||
    (code === "MISSING_CHAR" && message.startsWith("Implicit map keys"))
  )
    return [
      "the line is no KEY: VALUE, or a list begins among keys",
      "write a space after the colon, or move the line",
    ];
  if (code === "BLOCK_AS_IMPLICIT_KEY")
    return [
      "the line has a second key, or is indented unlike its neighbours",
      "quote a value that has a colon, or begin the line where they begin",
    ];
  if (code === "BAD_INDENT" && message.startsWith("Flow"))
    return ["a bracket or brace that opens above is not closed", "close it before the next key"];
  if (code === "BAD_INDENT") return ["the line is indented unlike its neighbours", "begin it where they begin"];
  if (code === "MISSING_CHAR") return ["a quote, bracket or brace that opens above is not closed", "close it"];
  if (code === "BAD_SCALAR_START" || code === "UNEXPECTED_TOKEN")
    return [
      "a value begins with a special character, or has text after its end",
      "put the whole value between double quotes",
    ];
  const [, ...known] = otherMistakes.find(([codes]) => codes.includes(code)) ?? [
    [],
    firstLine(message),
    "fix that line",
  ];
  return known;
}

const otherMistakes: readonly (readonly [codes: readonly YAMLError["code"][], found: string, fix: string])[] = [
  [
    ["MULTIPLE_DOCS"],
    "a second document begins, behind a line of --- or ..., and the CLI reads only the first",
    "put all keys into one document, and remove that line",
  ],
  [["TAB_AS_INDENT"], "the line begins with a tab", "indent it with spaces"],
  [
    ["BAD_DQ_ESCAPE"],
    "a text between double quotes has a backslash that begins no known escape",
    "write two backslashes for one, or put the text between single quotes",
  ],
  [
    ["BAD_ALIAS", "ALIAS_PROPS", "MULTIPLE_ANCHORS"],
    "a value begins with * or &, which make an alias or an anchor",
    "put the whole value between double quotes, or name one anchor",
  ],
  [["KEY_OVER_1024_CHARS"], "a key has more than 1,024 characters", "shorten it"],
];

/** What Go's reader refuses, or what would be lost: https://github.com/go-yaml/yaml/blob/v3.0.1/readerc.go */
function refuseBytes(text: string): void {
  const found = (pattern: RegExp) => {
    const index = text.search(pattern);
    return index < 0 ? undefined : { at: text.charCodeAt(index), line: lineAt(text, index) };
  };
  const lost = found(/\ufffd/);
  if (lost !== undefined)
    throw new StackFileError(
      "it has bytes that are not UTF-8",
      "save it as UTF-8, or write \\ufffd in quotes",
      lost.line,
    );
  // eslint-disable-next-line no-control-regex
  const control = found(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/);
  if (control !== undefined)
    throw new StackFileError(
      `it has the control character U+${control.at.toString(16).padStart(4, "0")}`,
      'write it between double quotes, as in "\\u0007", or remove it',
      control.line,
    );
  const version = found(/^%YAML(?! 1\.1\s)/m);
  if (version !== undefined)
    throw new StackFileError("it names a version of YAML that the CLI does not take", "remove that line", version.line);
}

const lineAt = (text: string, offset: number) => text.slice(0, offset).split("\n").length;

/** @param offset where the key stands for the second time. @throws StackFileError with both lines */
function refuseDuplicate(document: Document.Parsed, text: string, offset: number): void {
  visit(document, {
    Map(_, { items }) {
      const keys = items.flatMap(({ key }) =>
        isScalar(key) && key.range ? [{ value: key.value, at: key.range[0] }] : [],
      );
      const second = keys.find(({ at }) => at === offset);
      const first = keys.find(({ value }) => value === second?.value);
      if (second === undefined || first === undefined) return;
      const [line, other] = [lineAt(text, offset), lineAt(text, first.at)];
      const where = line === other ? `twice in line ${line}` : `in lines ${other} and ${line}`;
      throw new StackFileError(`the key "${String(second.value)}" is there ${where}`, "keep one of the two", line);
    },
  });
}

/** A tag could make anything of a value; no stack file needs one. The lexer marks scalars, which may begin with the same sign. */
function refuseTags(text: string): void {
  const [scalarFollows, lineOf] = ["\u001f", (offset: number) => text.slice(0, offset).split("\n").length];
  let [previous, offset] = ["", 0];
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.startsWith("!") && previous !== scalarFollows && lexeme !== "!!str")
      throw new StackFileError(`the tag ${lexeme} is not known here`, "remove it, or quote the value", lineOf(offset));
    // The marks of the lexer are not part of the text.
    if (!["\u0002", "\u0018", scalarFollows].includes(lexeme)) offset += lexeme.length;
    previous = lexeme;
  }
}

const firstLine = (text: string) => text.split("\n")[0]?.replace(/(?: at line \d+, column \d+)?:$/, "") ?? "";
const isEmpty = (node: unknown) => isScalar(node) && node.type === Scalar.PLAIN && node.source === "";

type Path = readonly (string | number)[];

class Reader {
  readonly #document: Document;
  readonly #text: string;
  readonly #rewritten: RewrittenScalar[] = [];
  #aliases = 0;

  constructor(document: Document, text: string) {
    this.#document = document;
    this.#text = text;
  }

  read(contents: YAMLMap, kind: "stack" | "project"): StackFile {
    const top = this.#entries(contents);
    for (const [key, { node }] of top)
      // As in other tools' files, `x-` marks a place for anchors.
      if (kind === "stack" && !topKeys.includes(key) && !key.startsWith("x-")) {
        const meant = key.includes(":") ? undefined : nearest(key, topKeys);
        throw this.#refuse(
          node,
          `"${key}" is at the top of the file, where the CLI ignores it`,
          meant === undefined ? "indent it below `config:`" : `write ${meant}, or remove it`,
        );
      }
    const values = new Map<string, unknown>();
    const lines = new Map<string, number>();
    const config = top.get("config")?.value;
    if (config !== undefined && !isEmpty(config)) {
      const map = this.#resolve(config);
      if (!isMap(map))
        throw this.#refuse(config, "`config` is not a map", "write each key on a line of its own below it");
      for (const [short, { node, value }] of this.#entries(map)) {
        const key = fullKey(short);
        const first = lines.get(key);
        const line = this.#lineOf(node);
        if (first !== undefined)
          throw this.#refuse(
            node,
            `${key} is there twice, in lines ${first} and ${line ?? "?"}`,
            "keep one of the two",
          );
        lines.set(key, line ?? 0);
        values.set(key, this.#value(value, [key]));
      }
    }
    return { values, rewritten: this.#rewritten, usesEnvironment: top.has("environment") };
  }

  #refuse(node: unknown, found: string, fix: string): StackFileError {
    return new StackFileError(found, fix, this.#lineOf(node));
  }

  #lineOf(node: unknown): number | undefined {
    const range = (node as { range?: readonly [number, number, number] | null } | null)?.range;
    return range ? lineAt(this.#text, range[0]) : undefined;
  }

  #resolve(node: unknown): unknown {
    if (!isAlias(node)) return node;
    if (++this.#aliases > maxAliases)
      throw this.#refuse(node, `it has more than ${maxAliases} aliases`, "write them out");
    const target = node.resolve(this.#document);
    if (target === undefined)
      throw this.#refuse(node, `the alias *${node.source} has no anchor`, "write the anchor above it");
    return target;
  }

  /** Within brackets and braces YAML 1.1, which the CLI reads, and 1.2 see colons differently. */
  #refuseColons(map: YAMLMap): void {
    if (map.flow === true && map.range && this.#text[map.range[0]] !== "{")
      throw this.#refuse(map, "a list in brackets has a colon in an entry", "quote the entry, or put braces around it");
    for (const { key, value } of map.flow === true ? map.items : [])
      for (const node of [key, value])
        if (node === null || isEmpty(node))
          throw this.#refuse(
            node ?? map,
            "an entry within braces has no key or no value",
            "give it a value, or remove it",
          );
        else this.#refuseColonAtEnd(node, "braces");
  }

  #refuseColonAtEnd(node: unknown, within: "braces" | "brackets"): void {
    if (isScalar(node) && node.type === Scalar.PLAIN && /^:|:$/.test(written(node)))
      throw this.#refuse(node, `"${written(node)}" has a colon at its end, within ${within}`, "quote it");
  }

  /** The keys of a map with what it merges: its own come first, then those of the first map that has them. */
  #entries(map: YAMLMap): Map<string, { readonly node: unknown; readonly value: unknown }> {
    this.#refuseColons(map);
    const entries = new Map<string, { readonly node: unknown; readonly value: unknown }>();
    const merged: YAMLMap[] = [];
    for (const { key, value } of map.items) {
      const node = this.#resolve(key);
      if (isScalar(node) && node.type === Scalar.PLAIN && node.source === "<<" && !isAlias(key)) {
        const target = this.#resolve(value);
        for (const each of isSeq(target) ? target.items.map((item) => this.#resolve(item)) : [target]) {
          if (!isMap(each))
            throw this.#refuse(value, "`<<` merges something that is not a map", "name a map by its alias");
          merged.push(each);
        }
        continue;
      }
      const name = isScalar(node) ? valueOf(node) : undefined;
      // The CLI decodes the file, encodes it and decodes it again. The quotes of this key are lost on the way.
      if (name === "<<") throw this.#refuse(key, `"<<" is a merge to the CLI, with quotes too`, "choose another key");
      if (typeof name !== "string" || (isScalar(node) && node.type === Scalar.PLAIN && name !== written(node)))
        throw isScalar(node)
          ? this.#refuse(
              key,
              `"${written(node)}" is not text as a key`,
              `write ${JSON.stringify(written(node))}, with the quotes`,
            )
          : this.#refuse(key, "a key is not text", "quote it");
      entries.set(name, { node: key, value });
    }
    for (const each of merged)
      for (const [name, entry] of this.#entries(each)) if (!entries.has(name)) entries.set(name, entry);
    return entries;
  }

  #value(node: unknown, path: readonly [string, ...Path]): unknown {
    const target = this.#resolve(node);
    if (target === null) return null;
    if (isSeq(target)) {
      if (target.flow === true) for (const item of target.items) this.#refuseColonAtEnd(item, "brackets");
      return target.items.map((item, index) => this.#value(item, [...path, index]));
    }
    if (isMap(target)) {
      const object: Record<string, unknown> = {};
      // Defined, not assigned: a key may be called __proto__.
      for (const [name, { value }] of this.#entries(target))
        Object.defineProperty(object, name, {
          value: this.#value(value, [...path, name]),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      return object;
    }
    if (!isScalar(target)) throw this.#refuse(target, "it has something that is not YAML", "remove it");
    const value = valueOf(target);
    if (typeof value === "number" && !Number.isFinite(value))
      throw this.#refuse(
        target,
        `${written(target)} is not a number that JSON has`,
        `write ${JSON.stringify(written(target))}, with the quotes`,
      );
    if (target.type === Scalar.PLAIN && value !== null && String(value) !== written(target))
      this.#rewritten.push({ path, written: written(target), read: value });
    return value;
  }
}

const written = (node: Scalar): string => node.source ?? "";

type Value = string | number | bigint | boolean | null;

/** What a scalar is: text unless it is plain and has no tag. */
function valueOf(node: Scalar): Value {
  const text = typeof node.value === "string" ? node.value : "";
  return node.type === Scalar.PLAIN && node.tag === undefined ? plainValue(text) : text;
}

const words: ReadonlyMap<string, Value> = new Map(
  (
    [
      [["true", "True", "TRUE"], true],
      [["false", "False", "FALSE"], false],
      [["", "~", "null", "Null", "NULL"], null],
      [[".nan", ".NaN", ".NAN"], NaN],
      [[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], Infinity],
      [["-.inf", "-.Inf", "-.INF"], -Infinity],
    ] as const
  ).flatMap(([spellings, value]) => spellings.map((word) => [word, value] as const)),
);

/** What yaml.v3 makes of a plain scalar. Times are Go's text of them, as the CLI hands them over. */
export function plainValue(text: string): Value {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (/^\./.test(text))
    return /^\.\d+(_\d+)*([eE][-+]?\d+(_\d+)*)?$/.test(text) ? finite(text, text.replaceAll("_", "")) : text;
  if (!/^[-+\d]/.test(text)) return text;
  const plain = text.replaceAll("_", "");
  const float = () => (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain) ? finite(text, plain) : text);
  return goTime(text) ?? integer(plain) ?? float();
}

/** Too large a number stays text. */
function finite(text: string, plain = text): number | string {
  const value = Number(plain);
  return Number.isFinite(value) ? value : text;
}

/** In base 2, 8, 10 or 16, as Go writes them: `0777` is octal. Undefined where it is none, or has more than 64 bits. */
function integer(text: string): number | bigint | undefined {
  // Go takes a sign after these two prefixes as well.
  const [, prefix, inner, rest] = /^(0[bo])([-+])([0-7]+)$/.exec(text) ?? [];
  if (prefix !== undefined) return integer(`${inner ?? ""}${prefix}${rest ?? ""}`);
  const [, sign = "", digits = ""] =
    /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9]\d*)$/.exec(text) ?? [];
  if (digits === "") return undefined;
  const magnitude = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value < -(2n ** 63n) || value >= 2n ** (sign === "" ? 64n : 63n)) return undefined;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Go's text of a time, as in `2026-01-03 17:00:00 +0000 UTC`; undefined where the text is none. */
function goTime(text: string): string | undefined {
  const parts =
    /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](\d\d?):(\d\d?):(\d\d?)([.,]\d+)?(Z|[-+]\d\d:\d\d))| (\d\d?):(\d\d?):(\d\d?)([.,]\d+)?)?$/.exec(
      text,
    );
  if (parts === null) return undefined;
  const number = (index: number) => Number(parts[index] ?? 0);
  const [year, month, day] = [number(1), number(2), number(3)];
  const [hour, minute, second] = [number(4) || number(9), number(5) || number(10), number(6) || number(11)];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const two = (value: number) => String(value).padStart(2, "0");
  const fraction = (parts[7] ?? parts[12] ?? "").slice(1, 10).replace(/0+$/, "");
  const offset = (parts[8] ?? "Z").replace(":", "");
  const zone = offset === "Z" || /^[-+]0000$/.test(offset) ? "+0000 UTC" : `${offset} ${offset}`;
  const clock = `${two(hour)}:${two(minute)}:${two(second)}${fraction === "" ? "" : `.${fraction}`}`;
  return `${parts[1] ?? ""}-${two(month)}-${two(day)} ${clock} ${zone}`;
}
