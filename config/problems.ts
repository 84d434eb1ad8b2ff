/** Formats config problems: key, value, allowed values and fix. */
import * as z from "zod";
import { project } from "../names/project.ts";
import { isFollowUp, type UnknownKey } from "./followUps.ts";
import { adviceFor } from "./otherKeys.ts";
import { describedAt, placesOf } from "./schema/lookup.ts";
import { meant } from "./unitMistakes.ts";

/** A problem to fix, made by `problem` or `describe`. */
export interface ConfigProblem {
  /** The full Pulumi key with its path. */
  readonly key: string;
  /** `<value> <what is allowed>; <what to do>`, on one line. */
  readonly message: string;
}

/** Collects what `problem` makes, below a key of the collector's. */
export type AddProblem = (path: readonly PropertyKey[], value: unknown, rule: string, fix: string) => void;

/**
 * A problem that the schema cannot express: a value that does not fit other keys or the stack.
 * @param key full key, or its path below this project's namespace
 * @param value as written, or the default that applies; shown short, and never that of a secret
 * @param rule what is allowed and why, continuing a sentence that begins with the value
 * @param fix in the imperative
 */
export function problem(
  key: string | readonly PropertyKey[],
  value: unknown,
  rule: string,
  fix: string,
): ConfigProblem {
  const path = typeof key === "string" ? [] : key;
  const subject = value === undefined ? "is missing" : `${show(path, value)} ${rule}`;
  return { key: typeof key === "string" ? key : keyOf(path), message: `${subject}; ${fix}` };
}

/** `["services", "hoge", "routes", 0]` → `gke-microservices:services.hoge.routes[0]` */
export const keyOf = (path: readonly PropertyKey[]): string =>
  `${project}:${path.map(step).join("").replace(/^\./, "")}`;

/** A part of a path in the syntax of `pulumi config set --path`. In its quotes, only a quote is escaped. */
export const step = (part: PropertyKey): string =>
  typeof part === "number"
    ? `[${part}]`
    : /^[\w-]+$/.test(String(part))
      ? `.${String(part)}`
      : `["${String(part).replaceAll('"', '\\"')}"]`;

/** The key that a warning begins with: `<key>: <text>`. */
export const keyBefore = (warning: string): string => /^(?:"(?:[^"\\]|\\.)*"|[^"\s])*?(?=: )/.exec(warning)?.[0] ?? "";

/** The closest candidate, if it is close enough to be a likely typo. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

/** Optimal string alignment distance: swapping two neighbours, the most frequent typo, counts as one edit. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 10) return Infinity;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const at = (r: number, c: number) => (r === i ? row[c] : rows[r]?.[c]) ?? Infinity;
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(i - 2, j - 2) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? Infinity;
}

const mostShown = 30;

/** The allowed values, the first of many, with a suggestion for a likely typo. */
export function allowed(word: string, candidates: readonly string[]): string {
  const guess = nearest(word, candidates);
  const shown = candidates.length <= mostShown ? candidates : candidates.slice(0, mostShown);
  const more = candidates.length - shown.length;
  return `allowed: ${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}${didYouMean(guess)}`;
}

/** The end of a fix; empty without a guess. */
export const didYouMean = (guess: string | undefined): string =>
  guess === undefined ? "" : `; did you mean "${guess}"?`;

/** Foreign text on one short line, with control and invisible characters escaped. */
export function printable(text: string): string {
  const visible = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
  return visible.length > 400 ? `${visible.slice(0, 399)}…` : visible;
}

/** Stands for a secret value. */
export const hidden = "(secret)";

/** A value as the user wrote it, shortened. It never shows a secret. */
export function show(path: readonly PropertyKey[], value: unknown): string {
  if (path[0] === "secrets" || value === hidden) return hidden;
  const text = value === undefined ? "nothing" : typeof value === "string" ? JSON.stringify(value) : asYaml(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A value as people write it in a stack file, on one line. */
export function asYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asYaml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${asYaml(key)}: ${asYaml(item)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" && plain.test(value) && !otherType.test(value) ? value : JSON.stringify(value);
}

const plain = /^(?:[A-Za-z\d/]|\.\.?\/)[\w/. -]*(?::[\w/.-]+)*(?<! )$/;
/** Text that is a number, a time, a boolean or null without quotes, in YAML 1.1 or 1.2. */
const otherType = /^(?:true|false|yes|no|on|off|y|n|null|\.inf|\.nan|[\d.][\d.:TZ_ eExXoOa-fA-F-]*)$/i;

export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}

/** Converts the schema's issues to problems. Pass the schema's input, so that each problem can show its value. */
export function describe(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  schema: z.core.$ZodType,
): ConfigProblem[] {
  const wrongType = new Set(issues.filter(({ code }) => code === "invalid_type").map(({ path }) => keyOf(path)));
  const unknown = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? unknownKeys(issue, input, schema) : [],
  );
  return issues.flatMap((issue): ConfigProblem[] => {
    // Text of the wrong length is still no list.
    if (issue.code === "too_big" && wrongType.has(keyOf(issue.path))) return [];
    if (isFollowUp(issue, unknown, (path) => valueAt(input, path))) return [];
    const value = valueAt(input, issue.path);
    switch (issue.code) {
      case "unrecognized_keys":
        return unknownKeys(issue, input, schema).map(({ path, key, message }) => ({
          key: keyOf([...path, key]),
          message,
        }));
      case "invalid_key":
        return issue.issues.map((inner) => ({
          key: keyOf(issue.path),
          message: `${show([], issue.path.at(-1))} ${inner.message}${didYouMean(inner.message.includes("DNS label") ? labelMeant(String(issue.path.at(-1))) : undefined)}`,
        }));
      case "invalid_union": {
        const meant = alternativeFor(issue);
        if (meant !== undefined)
          return describe(
            meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
            input,
            schema,
          );
        return [asProblem(issue, value, schema)];
      }
      default:
        return [asProblem(issue, value, schema)];
    }
  });
}

/** The issues of the one alternative that takes the value's type: they say more than that none fits. */
function alternativeFor({ errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  const [meant, ...others] = errors.filter((issues) => issues.length > 0 && !issues.some(isWrongType));
  return others.length === 0 ? meant : undefined;
}

const isWrongType = (issue: z.core.$ZodIssue): boolean =>
  issue.path.length === 0 &&
  (issue.code === "invalid_union"
    ? alternativeFor(issue) === undefined
    : issue.code === "invalid_type" || issue.code === "invalid_value");

const asProblem = (issue: z.core.$ZodIssue, value: unknown, schema: z.core.$ZodType): ConfigProblem => ({
  key: keyOf(issue.path),
  message: `${value === undefined ? "is missing; it" : show(issue.path, value)} ${formOf(issue, schema)}${guess(issue.path, value, schema)}${typeof value === "boolean" && issue.code === "invalid_type" && issue.expected === "string" ? `; write "${value}", with the quotes` : ""}`,
});
const unknownKeys = (
  { path, keys, message }: z.core.$ZodIssueUnrecognizedKeys,
  input: unknown,
  schema: z.core.$ZodType,
): UnknownKey[] => {
  const known = message.split(" ");
  return keys.map((key) => ({
    path,
    key,
    known,
    message: `is not a key that is known here; ${unknownKey(path, key, known, input, schema)}`,
  }));
};

/** What to do with an unknown key: what says the same here, else the keys that are known, and where this one belongs. */
function unknownKey(
  path: readonly PropertyKey[],
  key: string,
  known: readonly string[],
  input: unknown,
  schema: z.core.$ZodType,
): string {
  const advice = adviceFor(path, key);
  return advice === undefined ? `${allowed(key, known)}${placeFor(path, key, input, schema)}` : advice;
}

/** Where a misplaced key belongs: the nearest place that would take its value, unless several are as near. */
function placeFor(path: readonly PropertyKey[], key: string, input: unknown, schema: z.core.$ZodType): string {
  const value = valueAt(input, [...path, key]);
  const common = (other: readonly PropertyKey[]) => {
    const differs = other.findIndex((part, index) => part !== path[index]);
    return differs === -1 ? other.length : differs;
  };
  /** In another list beside the one that has the key, such as a route's host for a host of `egress`. */
  const isOtherList = (other: readonly PropertyKey[]) =>
    path.slice(common(other)).some((part) => typeof part === "number") && other.length > common(other) + 1;
  const places = [
    ...placesOf(schema, key, path).filter(
      // The edge is that of all services: what one of them wants may not close it for the others.
      (place) =>
        !(path[0] === "services" && place.path[0] === "edge") &&
        !isOtherList(place.path) &&
        z.core.safeParse(place.schema, value).success,
    ),
    // At the top: a service without `services`.
    ...(path.length === 0 && isService(value) ? [{ path: ["services", key] }] : []),
  ];
  const most = Math.max(...places.map((place) => common(place.path)));
  const keys = new Set(places.filter((place) => common(place.path) === most).map((place) => keyOf(place.path)));
  if (keys.has(keyOf([...path, key]))) return "; it belongs to another kind or mode";
  return keys.size === 1 ? `; move it to ${[...keys].join("")}` : "";
}

/** `Order_Items` → `order-items`. */
function labelMeant(name: string): string | undefined {
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
  return label === "" || label === name ? undefined : label;
}

const isService = (value: unknown) =>
  typeof value === "object" && value !== null && ["image", "build"].some((each) => Object.hasOwn(value, each));

function guess(path: readonly PropertyKey[], value: unknown, schema: z.core.$ZodType): string {
  // The key of a list's entry is that of the list, such as `ports`.
  const key = path.findLast((part) => typeof part === "string") ?? "";
  const found = meant(key, value, describedAt(schema, path));
  return found === undefined || found === show(path, value) ? "" : `; did you mean ${found}?`;
}

/** A wrong type is answered with the right form: the limits of a number, else the key's example. */
function formOf(issue: z.core.$ZodIssue, schema: z.core.$ZodType): string {
  if (issue.code !== "invalid_type") return issue.message;
  const { example = entryOf(issue, schema), minimum, maximum } = describedAt(schema, issue.path) ?? {};
  if (issue.expected === "boolean") return `${issue.message}, without quotes`;
  if (issue.expected !== "int" && issue.expected !== "number")
    return example === undefined ? issue.message : `${issue.message}, such as ${asYaml(example)}`;
  const isLimit = (limit: number | undefined) => limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
  const limits = isLimit(minimum) && isLimit(maximum) ? ` from ${minimum ?? 0} to ${maximum ?? 0}` : "";
  return `must be a ${issue.expected === "int" ? "whole " : ""}number${limits}, without quotes and unit`;
}

/** YAML's words for JavaScript's types. */
const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  array: "a list",
  object: "a map of keys",
  record: "a map of names",
};

/** For an entry of a list, or a map below a name: the first one in the example of the whole. */
function entryOf({ path, ...issue }: z.core.$ZodIssue, schema: z.core.$ZodType): unknown {
  const isEntry = typeof path.at(-1) === "number" || ("expected" in issue && issue.expected === "object");
  const example = isEntry ? describedAt(schema, path.slice(0, -1))?.example : undefined;
  return typeof example === "object" && example !== null ? Object.values(example)[0] : undefined;
}

/** Messages for the schema's built-in checks; a message in the schema wins. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "unrecognized_keys": {
      const def = issue.inst?._zod.def as { shape?: Record<string, unknown> } | undefined;
      return Object.keys(def?.shape ?? {}).join(" ");
    }
    case "invalid_type":
      if (issue.expected === "boolean") return "must be true or false";
      return `must be ${typeNames[issue.expected] ?? `a ${issue.expected}`}`;
    case "invalid_value":
      return oneOf(issue.input, issue.values.map(String));
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? oneOf(valueAt(issue.input, [String(issue.discriminator)]), issue.options.map(String))
        : "must have another type";
    case "too_small":
      return issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`;
    case "too_big":
      return issue.origin === "string"
        ? `must have at most ${issue.maximum} characters`
        : issue.origin === "array"
          ? `must have at most ${issue.maximum} entries`
          : `must be at most ${issue.maximum}`;
    case "invalid_format":
      return issue.format === "cidrv4"
        ? "must be an IPv4 range such as 10.0.0.0/20"
        : issue.format === "datetime"
          ? "must be a time such as 2026-01-03T17:00:00Z"
          : "has the wrong form";
    default:
      return undefined;
  }
};

function oneOf(input: unknown, values: readonly string[]): string {
  return `is not one of these; ${allowed(typeof input === "string" ? input : "", values)}`;
}
