/** A reader of XML that takes nothing but what is well-formed, as a browser does of an SVG. */
import assert from "node:assert/strict";

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (Element | string)[];
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function plain(text: string): string {
  assert.doesNotMatch(text, /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  return text.replaceAll(/&([^;&]*);|&/g, (_, name: string | undefined) => {
    const meant = entities[name ?? ""];
    assert.ok(meant !== undefined, `&${name ?? ""} is no entity`);
    return meant;
  });
}

/** The root element. Fails for what is not well-formed. */
export function parsed(text: string): Element {
  const root: Element = { name: "", attributes: {}, children: [] };
  const open = [root];
  const top = () => open.at(-1) ?? assert.fail("more was closed than opened");
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>|([^<]+)|([^])/g;
  for (const [all, closing, name = "", given = "", empty, words, other] of text.trim().matchAll(token)) {
    assert.equal(other, undefined, `not well-formed at ${all}`);
    if (words !== undefined) top().children.push(plain(words));
    else if (closing === "/") assert.equal(open.pop()?.name, name);
    else {
      const pairs = [...given.matchAll(/ ([^=]+)="([^"]*)"/g)].map(
        ([, key = "", value = ""]) => [key, plain(value)] as const,
      );
      assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, `an attribute twice in ${all}`);
      const element: Element = { name, attributes: Object.fromEntries(pairs), children: [] };
      top().children.push(element);
      if (empty === "") open.push(element);
    }
  }
  assert.deepEqual(open, [root]);
  assert.equal(root.children.length, 1);
  const [only] = root.children;
  return typeof only === "object" ? only : assert.fail("no element");
}

/** An element and all within it. */
export const all = (element: Element): Element[] => [
  element,
  ...element.children.flatMap((child) => (typeof child === "string" ? [] : all(child))),
];

/** The text within an element. */
export const textOf = (element: Element): string =>
  element.children.map((child) => (typeof child === "string" ? child : textOf(child))).join("");
