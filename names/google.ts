/** Names as Google accepts them. */
import { createHash } from "node:crypto";

/**
 * A Google resource name of at most `max` characters: lower case letters, digits and hyphens, beginning with a letter.
 * What had to be changed to fit ends in a hash of the text, so that different texts keep different names.
 */
export function googleName(text: string, max: number): string {
  if (text.length <= max && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(text)) return text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 6);
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "");
  const head = plain.slice(0, max - hash.length - 1).replace(/-+$/, "");
  return `${head === "" ? "x" : head}-${hash}`;
}

/** Labels that tell a bill or a search which project and stack a Google resource belongs to. */
export function labelsOf(project: string, stack: string): Record<string, string> {
  return { project: googleName(project, 63), stack: googleName(stack, 63) };
}
