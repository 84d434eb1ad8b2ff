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

/** @returns undefined if the path leads to no key, as below a kind that does not have it */
export function describedAt(root: z.core.$ZodType, path: readonly PropertyKey[]): Described | undefined {
  const layers = unwrapped(root);
  const [key, ...rest] = path;
  const inner = layers.at(-1) ?? root;
  if (key === undefined) {
    const meta = layers.map((each) => z.globalRegistry.get(each) as { examples?: readonly unknown[] } | undefined);
    const { minValue, maxValue } = inner as { readonly minValue?: number | null; readonly maxValue?: number | null };
    return {
      example: meta.find((each) => each?.examples !== undefined)?.examples?.[0],
      minimum: minValue ?? undefined,
      maximum: maxValue ?? undefined,
    };
  }
  const { shape, catchall, valueType, element, options } = definitionOf(inner);
  const own =
    shape !== undefined && Object.hasOwn(shape, key) ? shape[String(key)] : (catchall ?? valueType ?? element);
  if (own !== undefined) return describedAt(own, rest);
  return options?.map((option) => describedAt(option, path)).find((found) => found !== undefined);
}
