/** Finds the inputs of a resource that differ, as its provider would. */
import type { TypeFacts } from "./providerFacts.ts";

export type Path = readonly (string | number)[];

export interface Difference {
  readonly path: Path;
  /** undefined: there is none. */
  readonly before: unknown;
  readonly after: unknown;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `secondaryIpRanges[0].rangeName`, as Pulumi writes paths. */
export const written = (path: Path): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return /^[\w-]+$/.test(key) ? `${text}${text === "" ? "" : "."}${key}` : `${text}["${key}"]`;
  }, "");

/** Without indices, as the facts name inputs. */
const named = (path: Path): string => path.filter((key) => typeof key === "string").join(".");

/** Whether a change of the input replaces the resource. */
export function replaces(path: Path, { replacing, sets = [] }: TypeFacts): boolean {
  const name = named(path);
  // A changed element of a set is another element, so all of its inputs change.
  const below = sets.includes(name) ? `${name}.` : undefined;
  return replacing.some(
    (each) =>
      each === name ||
      (each.endsWith(".*") && name.startsWith(each.slice(0, -1))) ||
      (below !== undefined && each.startsWith(below)),
  );
}

/** Whether a pattern of `ignoreChanges` or `replaceOnChanges` covers the path. `*` stands for any key. */
export function covers(pattern: string, path: Path): boolean {
  const keys = [...pattern.matchAll(/\["([^"]+)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, key]) => quoted ?? index ?? key,
  );
  return keys.length <= path.length && keys.every((key, index) => key === "*" || key === String(path[index]));
}

/** The inputs that differ. An absent input has its default, and is the same as an empty one. */
export function differences(before: Json, after: Json, facts: TypeFacts): Difference[] {
  const found: Difference[] = [];
  /** @param removed whether a parent was removed: then the provider keeps nothing in it */
  const visit = (old: unknown, now: unknown, path: Path, removed: boolean): void => {
    const name = named(path);
    const [was, is] = [old, now].map((value) => value ?? facts.defaults?.[name]);
    if (same(was, is)) return;
    if (is === undefined && !removed && facts.kept?.includes(name)) return;
    // Some blocks may change, but not appear or disappear.
    const appears = (was === undefined) !== (is === undefined) && typeof path.at(-1) === "string";
    if (appears && facts.replacing.includes(name)) found.push({ path, before: was, after: is });
    else if (facts.sets?.includes(name)) {
      if (!same(ordered(was), ordered(is))) found.push({ path, before: was, after: is });
    } else if ([was, is].every((value) => isObject(value) || value === undefined)) {
      const [olds, nows] = [was, is] as (Json | undefined)[];
      for (const key of new Set([...Object.keys(olds ?? {}), ...Object.keys(nows ?? {})]))
        visit(olds?.[key], nows?.[key], [...path, key], is === undefined);
    } else if ([was, is].every((value) => value === undefined || (Array.isArray(value) && value.every(isObject)))) {
      const [olds = [], nows = []] = [was, is] as (Json[] | undefined)[];
      if (olds.length !== nows.length && facts.replacing.includes(name)) found.push({ path, before: was, after: is });
      for (let index = 0; index < Math.max(olds.length, nows.length); index += 1)
        visit(olds[index], nows[index], [...path, index], nows[index] === undefined);
    } else found.push({ path, before: was, after: is });
  };
  visit(before, after, [], false);
  return found;
}

/** Calls `each` with all values that are neither lists nor maps. */
export function leaves(value: unknown, each: (path: Path, leaf: unknown) => void, path: Path = []): void {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) leaves(item, each, [...path, index]);
  else if (isObject(value)) for (const [key, item] of Object.entries(value)) leaves(item, each, [...path, key]);
  else each(path, value);
}

const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

const ordered = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((item) => canonical(item)).sort() : value;

/** Equal values have equal texts: without empty values, and with sorted keys. */
function canonical(value: unknown): string {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return "";
  if (Array.isArray(value)) return value.length === 0 ? "" : `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value)
    .map(([key, item]) => [key, canonical(item)] as const)
    .filter(([, text]) => text !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "" : `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`;
}
