/** Escapes untrusted text for Markdown, so that no content can end its fence, its line or its table. */

/** Writes out characters that are invisible, or that reorder the visible ones (https://trojansource.codes/). */
export function visible(text: string): string {
  return text.toWellFormed().replace(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
}

/** The text on one line, for headings, lists and cells. */
function line(text: string, longest: number): string {
  const whole = visible(text.replace(/\s+/g, " ").trim());
  return whole.length > longest ? `${whole.slice(0, longest).toWellFormed()}…` : whole;
}

const runs = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

/** A code span, in which nothing is markup or a mention. A vertical bar would still end a table cell, so it is replaced. */
export function code(text: string, longest = 160): string {
  const content = line(text, longest).replaceAll("|", "│");
  const ticks = "`".repeat(runs(content) + 1);
  const space = content === "" || /^`|`$/.test(content) ? " " : "";
  return `${ticks}${space}${content}${space}${ticks}`;
}

/** Like {@link code}, but as HTML for a `<summary>`, where Markdown does not work. */
export function htmlCode(text: string, longest = 160): string {
  const escaped = line(text, longest).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<code>${escaped}</code>`;
}

/** A fenced code block whose fence is longer than any fence inside. */
export function fence(text: string, language: string): string {
  const content = visible(text).trimEnd();
  const ticks = "`".repeat(Math.max(3, runs(content) + 1));
  return `${ticks}${language}\n${content}\n${ticks}`;
}

/** A collapsed section. @param summary HTML */
export const details = (summary: string, text: string): string =>
  `<details><summary>${summary}</summary>\n\n${text}\n\n</details>`;

/** As many items as fit, one per line, and the number of the others. @param room characters */
export function listed(items: readonly string[], room: number): string {
  const lines: string[] = [];
  let remaining = room;
  for (const item of items.map((each) => `- ${each}`)) {
    remaining -= item.length + 1;
    if (remaining < 0) break;
    lines.push(item);
  }
  const more = items.length - lines.length;
  return [...lines, ...(more > 0 ? [`- … and ${more} more`] : [])].join("\n");
}

/** The first names in one line, and the number of the others. */
export function names(all: readonly string[], most: number): string {
  const shown = all.slice(0, most).map((name) => code(name, 80));
  return [...shown, ...(all.length > most ? [`${all.length - most} more`] : [])].join(", ");
}
