/** Every place in a config, and something done at one of them. */

export type Config = Record<string, unknown>;
type Path = readonly (string | number)[];
export type Holder = Record<string | number, unknown>;

/** What is done at a place that `where` chooses. @returns what it was, and where */
export type Change = (config: Config, where: number) => string;

function keyPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    return [here, ...keyPaths(item, here)];
  });
}

/** The object that holds a place, and the place's name in it. */
function holder(config: Config, path: Path): [Holder, string | number] {
  let object: unknown = config;
  for (const key of path.slice(0, -1)) object = (object as Holder)[key];
  return [object as Holder, path.at(-1) ?? ""];
}

/** @param fits which keyPaths may be chosen, by their keys with dots between them. Without any nothing is done */
export const at =
  (kind: string, act: (object: Holder, key: string | number) => void, fits = /^/): Change =>
  (config, where) => {
    const all = keyPaths(config).filter((path) => fits.test(path.join(".")));
    const path = all[where % all.length];
    if (path === undefined) return `${kind} nothing`;
    act(...holder(config, path));
    return `${kind} ${path.join(".").slice(0, 200)}`;
  };

/** As an own property, whatever the name: `__proto__` too. */
export const put = (object: object, key: string | number, value: unknown) =>
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
