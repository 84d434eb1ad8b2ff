/** What a key is for. `npm run reference` makes docs/config.md and config.schema.json of it. */

/**
 * @param description in one or two sentences; what it makes, and what holds without it where that is no plain default
 * @param example a value that the check takes
 */
export const doc = (description: string, example: unknown) => ({ description, examples: [example] });
