/** What the schema says about a key, for the messages that refuse its value. */
import * as z from "zod";

export interface Described {
  readonly example: unknown;
  /** Limits of a number. */
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly catchall?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
}

const definitionOf = (schema: z.core.$ZodType) => schema._zod.def as unknown as Definition;

/** A schema without what is around it: defaults, options to leave it out, transformations. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { innerType, in: input, out } = definitionOf(schema);
  const next = innerType ?? (input && definitionOf(input).type === "transform" ? out : input);
  return next === undefined ? [schema] : [schema, ...unwrapped(next)];
}

/** Where a key is known: its full path, and its schema there. */
export interface KnownKey {
  readonly path: readonly PropertyKey[];
  readonly schema: z.core.$ZodType;
}

/**
 * All places of a key in the schema. Names and indexes are those of `near`, as long as a place is on its path; else `NAME` and 0.
 * @param near path of the map that holds the unknown key
 */
export function placesOf(
  root: z.core.$ZodType,
  name: string,
  near: readonly PropertyKey[],
  path: readonly PropertyKey[] = [],
): KnownKey[] {
  const { shape, catchall, valueType, element, options } = definitionOf(unwrapped(root).at(-1) ?? root);
  const here = near.slice(0, path.length).every((part, index) => part === path[index]) ? near[path.length] : undefined;
  const below = (schema: z.core.$ZodType, key: PropertyKey) => placesOf(schema, name, near, [...path, key]);
  const named = valueType ?? (catchall && definitionOf(catchall).type !== "never" ? catchall : undefined);
  return [
    ...Object.entries(shape ?? {}).flatMap(([key, schema]) => [
      ...(key === name ? [{ path: [...path, key], schema }] : []),
      ...below(schema, key),
    ]),
    ...(named === undefined ? [] : below(named, here ?? "NAME")),
    ...(element === undefined ? [] : below(element, typeof here === "number" ? here : 0)),
    ...(options ?? []).flatMap((option) => placesOf(option, name, near, path)),
  ];
}

interface Limited {
  readonly minValue?: number | null;
  readonly maxValue?: number | null;
}
const isNumber = (schema: z.core.$ZodType | Limited): schema is z.core.$ZodType & Limited =>
  "maxValue" in schema && typeof schema.maxValue === "number";

/** @returns undefined if the path leads to no key, as below a kind that does not have it */
export function describedAt(root: z.core.$ZodType, path: readonly PropertyKey[]): Described | undefined {
  const layers = unwrapped(root);
  const [key, ...rest] = path;
  const inner = layers.at(-1) ?? root;
  if (key === undefined) {
    const meta = layers.map((each) => z.globalRegistry.get(each) as { examples?: readonly unknown[] } | undefined);
    // Of a number, or of the alternative that is one.
    const { minValue, maxValue } = [inner, ...(definitionOf(inner).options ?? [])].find(isNumber) ?? {};
    return {
      example: meta.find((each) => each?.examples !== undefined)?.examples?.[0],
      minimum: minValue ?? undefined,
      maximum: maxValue ?? undefined,
    };
  }
  const { shape, catchall, valueType, element, options } = definitionOf(inner);
  const named = catchall && definitionOf(catchall).type !== "never" ? catchall : valueType;
  const own = shape !== undefined && Object.hasOwn(shape, key) ? shape[String(key)] : (named ?? element);
  if (own !== undefined) return describedAt(own, rest);
  return options?.map((option) => describedAt(option, path)).find((found) => found !== undefined);
}
