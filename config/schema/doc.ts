/** What a key is for. `npm run reference` makes docs/config.md and config.schema.json of it. */

/**
 * @param description in one or two sentences; what it makes, and what holds without it where that is no plain default
 * @param example a value that the check takes
 * @param since the release that brought the key. @default - the first one, 0.1.0
 */
export const doc = (description: string, example: unknown, since?: string) => ({
  description: since === undefined ? description : `${description} Since ${since}.`,
  examples: [example],
});
