/** Draws what was laid out, as one SVG that stands by itself: text stays text, and light or dark is the viewer's choice. */
import { type Layout, type Line, type Placed, type PlacedArrow, lineHeight } from "./layout.ts";
import type { Diagram, Arrow, Group, Node } from "./shapes.ts";
import { element, lines as joined, type Markup } from "./xml.ts";

/** Few colours: what the stack does not run is grey, the edge green, the proxy amber, the services blue. */
const style = `
    .ground { fill: #ffffff; }
    text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .bold { font-weight: 600; }
    .group > rect { fill: #59636e; fill-opacity: 0.05; stroke: #8c959f; stroke-dasharray: 5 4; }
    .node > rect { fill: #ffffff; stroke: #59636e; stroke-width: 1.5; }
    .edge > rect { fill: #e9f7ec; stroke: #1a7f37; }
    .proxy > rect { fill: #fff5e0; stroke: #9a6700; }
    .service > rect { fill: #e8f2ff; stroke: #0969da; }
    .outside > rect { stroke-dasharray: 5 4; }
    .line path { fill: none; stroke: #59636e; stroke-width: 1.5; }
    .call path, .egress path { stroke-dasharray: 5 4; }
    .line rect { fill: #ffffff; stroke: #8c959f; }
    #arrow path { fill: #59636e; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; }
      text { fill: #e6edf3; }
      .group > rect { fill: #9198a1; fill-opacity: 0.07; stroke: #656c76; }
      .node > rect { fill: #161b22; stroke: #9198a1; }
      .edge > rect { fill: #12261a; stroke: #3fb950; }
      .proxy > rect { fill: #2b2111; stroke: #d29922; }
      .service > rect { fill: #12233a; stroke: #58a6ff; }
      .line path { stroke: #9198a1; }
      .line rect { fill: #0d1117; stroke: #656c76; }
      #arrow path { fill: #9198a1; }
    }
  `;

export function svgOf({ title, description }: Diagram, { width, height, groups, nodes, arrows }: Layout): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-labelledby": "title description",
  };
  const arrow = element("path", { d: "M0 0 8 4 0 8z" });
  const end = { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" };
  const svg = element(
    "svg",
    attributes,
    joined(
      element("title", { id: "title" }, title),
      element("desc", { id: "description" }, description),
      element("style", {}, { markup: style }),
      element("defs", {}, element("marker", end, arrow)),
      element("rect", { class: "ground", width, height, rx: 8 }),
      element("text", { class: "bold", x: 20, y: 34, "font-size": 17 }, title),
      ...groups.map(groupOf),
      ...arrows.map(arrowOf),
      ...nodes.map(nodeOf),
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

const groupOf = (placed: Placed<Group>): Markup =>
  element(
    "g",
    { class: "group", id: placed.of.id },
    rect(placed, 10),
    ...text(placed.lines, placed.x + 12, placed.y + 6),
  );

const nodeOf = (placed: Placed<Node>): Markup =>
  element(
    "g",
    { class: classes("node", placed.of), id: placed.of.id },
    rect(placed, 6),
    ...text(placed.lines, middle(placed.x, placed.width), placed.y + 8, "middle"),
  );

const classes = (what: string, { kind, state }: Node | Arrow) =>
  [what, kind, ...(state === undefined ? [] : [state])].join(" ");

const middle = (start: number, length: number) => Number((start + length / 2).toFixed(1));

/** All that is said about the arrow is its title, which browsers show to the pointer: the label may be shortened. */
function arrowOf({ of, points, label }: PlacedArrow): Markup {
  const [first, ...rest] = points.map(({ x, y }) => `${x} ${y}`);
  const path = element("path", { d: `M${first ?? ""}L${rest.join(" ")}`, "marker-end": "url(#arrow)" });
  const said = of.lines.length === 0 ? [] : [element("title", {}, of.lines.join("\n"))];
  const shown =
    label === undefined ? [] : [rect(label, 3), ...text(label.lines, middle(label.x, label.width), label.y, "middle")];
  return element("g", { class: classes("line", of) }, ...said, path, ...shown);
}
