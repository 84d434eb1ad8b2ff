/** Documentation of a key. `npm run reference` generates docs/config.md and config.schema.json from it. */

/**
 * @param description one or two sentences: the effect, and the behaviour without the key unless it has a plain default
 * @param example a valid value
 * @param since the release that brought the key. @default - the first one, 0.1.0
 */
export const doc = (description: string, example: unknown, since?: string) => ({
  description: since === undefined ? description : `${description} Since ${since}.`,
  examples: [example],
});

/** For config.schema.json, which does not see what `refine` refuses. */
export const exactlyOne = (...keys: readonly string[]) => ({ oneOf: keys.map((key) => ({ required: [key] })) });
export const atLeastOne = (...keys: readonly string[]) => ({ anyOf: keys.map((key) => ({ required: [key] })) });
