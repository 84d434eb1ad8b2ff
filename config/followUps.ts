/** Issues of the schema that an unknown key causes: it was meant to be the key that is missing. */
import type * as z from "zod";

/** An unknown key, with what its problem says. */
export interface UnknownKey {
  /** Of the map that has the key. */
  readonly path: readonly PropertyKey[];
  readonly key: string;
  /** The keys of that map that the schema knows. */
  readonly known: readonly string[];
  readonly message: string;
}

/** Whether the issue says that a key is missing, and an unknown one beside it is probably that key. */
export function isFollowUp(
  { code, message, path }: z.core.$ZodIssue,
  unknown: readonly UnknownKey[],
  valueAt: (path: readonly PropertyKey[]) => unknown,
): boolean {
  const isCheck = code === "custom";
  if (!isCheck && valueAt(path) !== undefined) return false;
  const holder = isCheck ? path : path.slice(0, -1);
  const beside = unknown.filter((each) => isSame(each.path, holder));
  const [first] = beside;
  const value = valueAt(holder);
  if (first === undefined || typeof value !== "object" || value === null) return false;
  const has = (key: string) => Object.hasOwn(value, key);
  const wanted = isCheck ? first.known.filter((key) => words(message).includes(key)) : [String(path.at(-1))];
  if (wanted.length === 0 || wanted.some(has)) return false;
  // Nothing else is there, or the unknown key's problem names the one that is missing.
  return !first.known.some(has) || beside.some((each) => wanted.some((key) => isMeant(key, each.message)));
}

const words = (text: string): string[] => text.split(/[^\w-]+/);

const isMeant = (key: string, message: string): boolean => {
  const [, fix = ""] = message.split(/; (?!allowed: )/);
  return words(fix).includes(key);
};

const isSame = (one: readonly PropertyKey[], other: readonly PropertyKey[]): boolean =>
  one.length === other.length && one.every((part, index) => part === other[index]);
