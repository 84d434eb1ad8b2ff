/** Draws what was laid out, as one SVG that stands by itself: text stays text, and light or dark is the viewer's choice. */
import { lineHeight, tallest, type Line } from "./lines.ts";
import type { Layout, Placed, PlacedArrow } from "./placed.ts";
import type { Diagram, Arrow, Group, Node } from "./shapes.ts";
import { element, lines as joined, type Markup } from "./xml.ts";

/** Few colours: what the stack does not run and where it runs is grey, the edge green, the proxy amber, the services blue, dotted if they run by a schedule. */
const style = `
    .ground { fill: #ffffff; }
    text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .bold { font-weight: 600; }
    .group > rect { fill: #59636e; fill-opacity: 0.05; stroke: #8c959f; stroke-dasharray: 5 4; }
    .node > rect { fill: #ffffff; stroke: #59636e; stroke-width: 1.5; }
    .edge > rect { fill: #e9f7ec; stroke: #1a7f37; }
    .proxy > rect { fill: #fff5e0; stroke: #9a6700; }
    .service > rect, .schedule > rect { fill: #e8f2ff; stroke: #0969da; }
    .schedule > rect { stroke-dasharray: 2 3; }
    .outside > rect { stroke-dasharray: 5 4; }
    .line path { fill: none; stroke: #59636e; stroke-width: 1.5; }
    .lookup path, .images path { stroke-dasharray: 5 4; }
    .line rect { fill: #ffffff; stroke: #8c959f; }
    .head path { fill: #59636e; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; }
      text { fill: #e6edf3; }
      .group > rect { fill: #9198a1; fill-opacity: 0.07; stroke: #656c76; }
      .node > rect { fill: #161b22; stroke: #9198a1; }
      .edge > rect { fill: #12261a; stroke: #3fb950; }
      .proxy > rect { fill: #2b2111; stroke: #d29922; }
      .service > rect, .schedule > rect { fill: #12233a; stroke: #58a6ff; }
      .line path { stroke: #9198a1; }
      .line rect { fill: #0d1117; stroke: #656c76; }
      .head path { fill: #9198a1; }
    }
  `;

/** @param prefix of all ids: a page may hold several pictures */
export function svgOf({ title, description }: Diagram, layout: Layout, prefix = ""): string {
  const { width, height, margin, textX, groups, nodes, arrows } = layout;
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-labelledby": `${prefix}title ${prefix}description`,
  };
  const arrow = element("path", { d: "M0 0 8 4 0 8z" });
  const id = (name: string) => `${prefix}${name}`;
  const end = {
    id: id("arrow"),
    class: "head",
    viewBox: "0 0 8 8",
    refX: 8,
    refY: 4,
    markerUnits: "userSpaceOnUse",
    markerWidth: 11,
    markerHeight: 11,
    orient: "auto",
  };
  const svg = element(
    "svg",
    attributes,
    joined(
      element("title", { id: id("title") }, title),
      element("desc", { id: id("description") }, description),
      element("style", {}, { markup: style }),
      element("defs", {}, element("marker", end, arrow)),
      element("rect", { class: "ground", width, height, rx: 8 }),
      ...text(layout.title, margin, margin),
      ...groups.map((group) => groupOf(group, textX, id)),
      // What fails lies over the others where they share a line.
      ...[...arrows].sort((a, b) => Number(fails(a)) - Number(fails(b))).map((arrow) => arrowOf(arrow, id)),
      ...nodes.map((node) => nodeOf(node, id)),
    ),
  );
  return `${svg.markup}\n`;
}

const rect = ({ x, y, width, height }: Omit<Placed<unknown>, "of" | "lines">, rx: number) =>
  element("rect", { x, y, width, height, rx });

/** Lines of text from a top, each on its base line. */
function text(lines: readonly Line[], x: number, top: number, anchor?: "middle"): Markup[] {
  let y = top;
  return lines.map((line) => {
    y += lineHeight(line.size);
    const base = Number((y - line.size * 0.35).toFixed(1));
    const attributes = { class: line.bold ? "bold" : undefined, x, y: base, "font-size": line.size };
    return element("text", { ...attributes, "text-anchor": anchor }, line.text);
  });
}

const fails = ({ of }: PlacedArrow) => of.state === "failed";

type Id = (name: string) => string;

const groupOf = (placed: Placed<Group>, textX: number, id: Id): Markup =>
  element("g", { class: "group", id: id(placed.of.id) }, rect(placed, 10), ...text(placed.lines, textX, placed.y + 6));

const nodeOf = (placed: Placed<Node>, id: Id): Markup =>
  element("g", { class: classes("node", placed.of), id: id(placed.of.id) }, rect(placed, 6), ...centred(placed));

/** Text in the middle of its box, both ways. */
const centred = (placed: Placed<unknown>): Markup[] =>
  text(placed.lines, middle(placed.x, placed.width), placed.y + (placed.height - tallest(placed.lines)) / 2, "middle");

const classes = (what: string, { kind, state }: Node | Arrow) =>
  [what, kind, ...(state === undefined ? [] : [state])].join(" ");

const middle = (start: number, length: number) => Number((start + length / 2).toFixed(1));

/** All that is said about the arrow is its title, which browsers show to the pointer: the label may be shortened. */
function arrowOf({ of, points, label }: PlacedArrow, id: Id): Markup {
  const [first, ...rest] = points.map(({ x, y }) => `${x} ${y}`);
  const path = element("path", { d: `M${first ?? ""}L${rest.join(" ")}`, "marker-end": `url(#${id("arrow")})` });
  const said = of.lines.length === 0 ? [] : [element("title", {}, of.lines.join("\n"))];
  const shown = label === undefined ? [] : [rect(label, 3), ...centred(label)];
  return element("g", { class: classes("line", of) }, ...said, path, ...shown);
}
