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

/**
 * The inputs that differ. An absent input has its default, and is the same as an empty one.
 * @param keeps called for each input that the program no longer has, and whose value the provider keeps
 */
export function differences(before: Json, after: Json, facts: TypeFacts, keeps?: (path: Path) => void): Difference[] {
  const found: Difference[] = [];
  /** @param parent whether the provider may have the parent already, or has lost it, or neither */
  const visit = (old: unknown, now: unknown, path: Path, parent: "computed" | "removed" | "there"): void => {
    const name = named(path);
    const [was, is] = [old, now].map((value) => (isEmpty(value) ? facts.defaults?.[name] : value));
    const kept = facts.kept?.includes(name) ?? false;
    if (is === undefined && kept && parent !== "removed") {
      if (canonical(was, name, facts) !== "") keeps?.(path);
      return;
    }
    const add = () => found.push({ path, before: was, after: is });
    // Some blocks may change, but not appear or disappear.
    const appears = (was === undefined) !== (is === undefined) && typeof path.at(-1) === "string";
    const inIt = is === undefined ? "removed" : kept && was === undefined ? "computed" : "there";
    if (facts.sets?.includes(name)) {
      if (elements(was, name, facts) !== elements(is, name, facts)) add();
    } else if ([was, is].every((value) => isObject(value) || value === undefined)) {
      const [olds = {}, nows = {}] = [was, is] as (Json | undefined)[];
      const isBlock = appears && !kept && parent !== "computed";
      if (isBlock && facts.replacing.includes(name)) return void add();
      const count = found.length;
      for (const key of new Set([...Object.keys(olds), ...Object.keys(nows)]))
        visit(olds[key], nows[key], [...path, key], parent === "computed" ? parent : inIt);
      if (isBlock && found.length === count) add();
    } else if ([was, is].every((value) => value === undefined || (Array.isArray(value) && value.every(isObject)))) {
      const [olds = [], nows = []] = [was, is] as (Json[] | undefined)[];
      if (olds.length !== nows.length && facts.replacing.includes(name)) add();
      for (let index = 0; index < Math.max(olds.length, nows.length); index += 1)
        visit(olds[index], nows[index], [...path, index], nows[index] === undefined ? "removed" : inIt);
    } else if (canonical(was, name, facts) !== canonical(is, name, facts)) add();
  };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    visit(before[key], after[key], [key], "there");
  return found;
}

/** Calls `each` with all values that are neither lists nor maps. */
export function leaves(value: unknown, each: (path: Path, leaf: unknown) => void, path: Path = []): void {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) leaves(item, each, [...path, index]);
  else if (isObject(value)) for (const [key, item] of Object.entries(value)) leaves(item, each, [...path, key]);
  else each(path, value);
}

/** Whether a list or a map is the same as none. */
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);

const elements = (value: unknown, name: string, facts: TypeFacts): string =>
  (Array.isArray(value) ? value : [])
    .map((item) => canonical(item, name, facts))
    .sort()
    .join();

/** Equal values have equal texts: without empty values, with defaults, and with sorted keys. */
function canonical(value: unknown, name: string, facts: TypeFacts): string {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return "";
  if (Array.isArray(value))
    return value.length === 0 ? "" : `[${value.map((item) => canonical(item, name, facts)).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const defaults = Object.entries(facts.defaults ?? {}).flatMap(([path, item]) => {
    const key = path.slice(name.length + 1);
    return path.startsWith(`${name}.`) && !key.includes(".") ? [[key, item] as const] : [];
  });
  const entries = Object.entries({ ...Object.fromEntries(defaults), ...value })
    .map(([key, item]) => [key, canonical(item, `${name}.${key}`, facts)] as const)
    .filter(([, text]) => text !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "" : `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`;
}
