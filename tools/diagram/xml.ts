/** Writes XML (and HTML, which takes the same): everything that is not markup is escaped here, and nowhere else. */

/** Markup, as opposed to text that is still to be escaped. */
export interface Markup {
  readonly markup: string;
}
type Content = Markup | string;
type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Also what XML 1.0 cannot hold at all, as most control characters: it is replaced. https://www.w3.org/TR/xml/#charsets */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** An element; text among its content is escaped. */
export function element(name: string, attributes: Attributes, ...content: readonly Content[]): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
    .join("");
  const inside = content.map((item) => (typeof item === "string" ? escaped(item) : item.markup)).join("");
  return { markup: content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${inside}</${name}>` };
}

/** Elements of which each has a line of its own. */
export const lines = (...items: readonly Markup[]): Markup => ({
  markup: `\n${items.map(({ markup }) => `  ${markup}\n`).join("")}`,
});
