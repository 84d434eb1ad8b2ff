/** All key paths of a config, and changes at one of them. */

export type Config = Record<string, unknown>;
type Path = readonly (string | number)[];
export type Holder = Record<string | number, unknown>;

/** A change at a key path that `where` selects. @returns a description with the path */
export type Change = (config: Config, where: number) => string;

function keyPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    return [here, ...keyPaths(item, here)];
  });
}

/** The object that contains a key path, and its last key. */
function holder(config: Config, path: Path): [Holder, string | number] {
  let object: unknown = config;
  for (const key of path.slice(0, -1)) object = (object as Holder)[key];
  return [object as Holder, path.at(-1) ?? ""];
}

/** @param fits the selectable key paths, as keys joined by dots. Without a match nothing changes */
export const at =
  (kind: string, act: (object: Holder, key: string | number) => void, fits = /^/): Change =>
  (config, where) => {
    const all = keyPaths(config).filter((path) => fits.test(path.join(".")));
    const path = all[where % all.length];
    if (path === undefined) return `${kind} nothing`;
    act(...holder(config, path));
    return `${kind} ${path.join(".").slice(0, 200)}`;
  };

/** Sets an own property with any name, even `__proto__`. */
export const put = (object: object, key: string | number, value: unknown) =>
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
