/** Pulumi's config as the schema takes it: names without the namespace, values as they were written. */
import type * as z from "zod";
import { project, fullKey } from "../names/project.ts";
import { allowed, keyOf, problem, valueAt, wording, type ConfigProblem } from "./problems.ts";
import { withOrigins } from "./like.ts";
import { withoutPorts } from "./schedules.ts";
import { schema } from "./schema.ts";
import type { RewrittenScalar } from "./stackFile.ts";

/** Config namespaces of this program's providers, which check their own keys. */
export const providers = ["gcp", "kubernetes", "docker", "tls", "pulumi"];

/** The schema's input: names without the namespace, JSON parsed. */
export function inputOf(
  raw: Readonly<Record<string, string>>,
  isOurs: (key: string) => boolean = (key) => splitKey(key)[0] === project,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(raw)) {
    const [namespace, name] = splitKey(key);
    if (providers.includes(namespace) || !isOurs(key)) continue;
    // The CLI passes an unset object as the empty default from Pulumi.yaml. Use the schema's default then.
    if (text === "{}" && hasDefault(name)) continue;
    Object.defineProperty(input, name, { value: parse(name, text), enumerable: true });
  }
  return input;
}

export function splitKey(key: string): [string, string] {
  const colon = key.indexOf(":");
  return [key.slice(0, colon), key.slice(colon + 1)];
}

/** Pulumi passes objects as JSON and plain values as text. A number that JavaScript would change stays text. */
function parse(name: string, text: string): unknown {
  if (name === "domain" || name === "namespace") return text;
  try {
    return JSON.parse(text, exactly) as unknown;
  } catch {
    return text;
  }
}

const exactly = (_: string, value: unknown, { source }: { readonly source?: string } = {}): unknown =>
  typeof value === "number" && source !== undefined && String(value) !== source ? source : value;

/** Keys that the schema would not see: JavaScript takes `__proto__` for something else when an object is copied. */
export function reservedKeys(value: unknown, path: readonly PropertyKey[]): ConfigProblem[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...(key === "__proto__"
      ? [problem([...path, key], key, "is a name that JavaScript reserves", "choose another name")]
      : []),
    ...reservedKeys(item, [...path, Array.isArray(value) ? Number(key) : key]),
  ]);
}

/** The input with the keys that services take from others or from their schedule, before the schema sees it. */
export const completed = (input: Record<string, unknown>): Record<string, unknown> => withoutPorts(withOrigins(input));

/**
 * Validates the shape. Text that looks like a number arrives as one, from a stack file as from `pulumi config set --path`:
 * a key that takes text takes it as it was written.
 */
export function parseShape(input: Record<string, unknown>): ReturnType<typeof schema.safeParse> {
  const first = schema.safeParse(input, { error: wording });
  const numbers = wantedTexts(first.error?.issues ?? []).filter((path) => typeof valueAt(input, path) === "number");
  if (numbers.length === 0) return first;
  for (const path of numbers) {
    const holder = valueAt(input, path.slice(0, -1)) as Record<PropertyKey, unknown>;
    holder[path.at(-1) ?? ""] = String(valueAt(input, path));
  }
  return schema.safeParse(input, { error: wording });
}

/** Where text is missing, also in one of several forms that a key may have. */
const wantedTexts = (
  issues: readonly z.core.$ZodIssue[],
  at: readonly PropertyKey[] = [],
): (readonly PropertyKey[])[] =>
  issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code === "invalid_union") return issue.errors.flatMap((form) => wantedTexts(form, path));
    return issue.code === "invalid_type" && issue.expected === "string" ? [path] : [];
  });

/** Reports config that a renamed project left behind: the engine would silently ignore it. */
export function foreign(key: string, namespace: string, name: string): ConfigProblem {
  if (!Object.hasOwn(schema.shape, name))
    return problem(
      key,
      namespace,
      "is a namespace that is neither this project's nor a provider's",
      allowed(namespace, [project, ...providers]),
    );
  return problem(
    key,
    namespace,
    `is not the name of this project, which is "${project}" in Pulumi.yaml`,
    `write ${fullKey(name)}, or ${name} alone`,
  );
}

function hasDefault(name: string): boolean {
  return Object.entries(schema.shape).some(([key, value]) => key === name && value.safeParse(undefined).success);
}

/** A superset of the plain scalars that `parseStackFile` calls rewritten. */
export const mayBeRewritten =
  /(?:^|[\s,[{]|["']:)(?:[-+][\d._]|\.\d|0[\d_bBoOxX]|[\d._]*\d_|\d+\.\d*0(?![\d.])|\d+\.(?!\d)|[\d.]+[eE]|\d{16}|\d{4}-\d|True\b|TRUE\b|False\b|FALSE\b)/m;

/**
 * Text of which the program gets something else, because it has no quotes. Numbers, true and false may be written in any form.
 * @param rewritten what the stack file has of that kind
 */
export function lostText(
  raw: Readonly<Record<string, string>>,
  rewritten: readonly RewrittenScalar[],
): ConfigProblem[] {
  if (rewritten.length === 0) return [];
  const input = inputOf(raw);
  const parsed = parseShape(completed(input));
  const unknown = new Set(
    parsed.error?.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" ? issue.keys.map((key) => keyOf([...issue.path, key])) : [],
    ),
  );
  return rewritten.flatMap(({ path: [key, ...rest], written, read }) => {
    const [namespace, name] = splitKey(key);
    const path = [name, ...rest];
    // How a value is written does not matter if its key is unknown.
    if (namespace !== project || path.some((_, index) => unknown.has(keyOf(path.slice(0, index + 1))))) return [];
    const value = parsed.success ? valueAt(parsed.data, path) : undefined;
    // The same amount, however it is written: `cpu: 0.50`.
    if (path.at(-2) === "resources" && typeof read === "number" && Number(written) === read) return [];
    const lost =
      (looksDecimal(written, read) && String(valueAt(input, path)) === String(read)) ||
      (parsed.success ? value === String(read) : typeof read !== "boolean");
    if (!lost) return [];
    const meaning = name === "secrets" ? "something else" : String(read);
    return problem(path, written, `without quotes is ${meaning} to the Pulumi CLI`, howToWrite(name, value, written));
  });
}

/** @param value of a config that is otherwise right, where the key decides whether it is text */
function howToWrite(name: string, value: unknown, written: string): string {
  if (name === "secrets") return "quote it";
  if (typeof value === "number") return `write ${Number(written.replaceAll("_", ""))}`;
  return `write ${JSON.stringify(written)}, with the quotes${value === undefined ? ", if it is text" : ""}`;
}

/** A number with a zero before it, which is octal to the CLI, and decimal to its readers. */
const looksDecimal = (written: string, read: unknown): boolean =>
  /^[-+]?0[\d_]+$/.test(written) && Number(written.replaceAll("_", "")) !== read;
