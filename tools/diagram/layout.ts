/**
 * Where everything stands in the picture: from the clients at the top straight down to the proxy, and below it the services
 * in a grid. What a request does not pass stands to the right of that line, or at the end where the picture is narrow.
 */
import { labelSize, placedArrows, type Point } from "./arrows.ts";
import { arrowLines, groupLines, nodeLines, tallest, titleLines, widest, type Line } from "./lines.ts";
import { rounded, type Box, type Layout } from "./placed.ts";
import type { Diagram, Group, Node } from "./shapes.ts";

interface Sizes {
  readonly narrow: boolean;
  readonly margin: number;
  /** Between a group and what is in it. */
  readonly padding: number;
  /** Where the line from the clients to the proxy runs. */
  readonly line: number;
}
const wide: Sizes = { narrow: false, margin: 20, padding: 12, line: 92 };
const forPhones: Sizes = { narrow: true, margin: 6, padding: 8, line: 70 };
const gap = 20;
/** Of a node to the text in it; a picture's most, unless its own text is wider. */
const [inset, mostWidth, mostText] = [10, 1240, 420];

/** @param width pixels that the picture may take: it is made for a phone. @default - as many as read well on a screen */
export function layoutOf(diagram: Diagram, width?: number): Layout {
  if (width !== undefined) return new Drawing(diagram, forPhones, 1, width).layout();
  const services = diagram.nodes.filter((node) => inGrid(node, diagram)).length;
  const columns = services <= 3 ? [Math.max(1, services)] : [2, 3, 4, 5, 6];
  const layouts = columns.map((each) => new Drawing(diagram, wide, each).layout());
  const fitting = layouts.filter((layout, index) => index === 0 || layout.width <= mostWidth);
  const unlike = (layout: Layout) => Math.abs(Math.log(layout.width / layout.height / 1.3));
  return fitting.reduce((best, each) => (unlike(each) < unlike(best) ? each : best));
}

/** What the proxy sends requests to stands beside one another below it. */
const inGrid = (node: Node, { nodes }: Diagram) =>
  node.kind !== "proxy" &&
  node.group !== undefined &&
  nodes.some(({ kind, group }) => kind === "proxy" && group === node.group);

class Drawing {
  readonly #diagram: Diagram;
  readonly #sizes: Sizes;
  readonly #columns: number;
  readonly #width: number;
  readonly #textX: number;
  /** Where the second thing of a row begins, the same in all rows. */
  readonly #second: number;
  /** In front of it, where there may be an arrow. */
  readonly #between: number;
  readonly #boxes = new Map<string, Box>();
  /** Between two rows of the grid: where the line to a service branches off. */
  readonly #branches = new Map<string, Point>();

  constructor(diagram: Diagram, sizes: Sizes, columns: number, width?: number) {
    this.#diagram = diagram;
    this.#sizes = sizes;
    this.#columns = columns;
    this.#textX = sizes.line + 14;
    const rows = [undefined, ...diagram.groups.map(({ id }) => id)].map((id) => ({
      left: this.#row(id).every(({ kind }) => kind === "registry")
        ? this.#textX
        : this.#left(id) + (id === undefined ? 0 : sizes.padding),
      naturals: this.#row(id).map(naturalWidth),
    }));
    const several = rows.filter(({ naturals }) => naturals.length > 1);
    this.#between = sizes.narrow ? gap : 2 * gap;
    this.#second = Math.max(0, ...several.map(({ left, naturals: [first = 0] }) => left + first + this.#between));
    this.#width = width ?? this.#naturalWidth(rows);
  }

  /** The narrowest in which all text stands as it is. */
  #naturalWidth(rows: readonly { readonly left: number; readonly naturals: readonly number[] }[]): number {
    const { groups, nodes, title } = this.#diagram;
    const { margin, padding } = this.#sizes;
    const zones = nodes.filter(({ kind }) => kind === "zone");
    const zonesLeft = this.#textX + Math.min(3, zones.length) * (Math.max(0, ...zones.map(naturalWidth)) + gap);
    const inner = Math.max(
      ...groups.map((group) => this.#textX + widest(groupLines(group, mostText)) + this.#left(group.id)),
      ...rows.map(({ left, naturals: [first = 0, ...others] }) =>
        others.length === 0
          ? 2 * left + first
          : this.#second + others.reduce((sum, each) => sum + each + gap, -gap) + left,
      ),
      zonesLeft + this.#left(zones[0]?.group) + padding - gap,
    );
    const grid = nodes.filter((node) => inGrid(node, this.#diagram));
    const card = Math.max(
      0,
      ...grid.map(naturalWidth),
      ...this.#arrowsTo(grid).map((arrow) => widest(arrowLines(arrow, 240)) + 8),
    );
    const sides = 2 * (this.#left(grid[0]?.group) + padding) + this.#gutter(grid.length);
    return Math.ceil(
      Math.max(inner, widest(titleLines(title, mostWidth)) + 2 * margin, this.#columns * (card + gap) - gap + sides),
    );
  }

  #arrowsTo = (nodes: readonly Node[]) => this.#diagram.arrows.filter(({ to }) => nodes.some(({ id }) => id === to));

  /** Left of a grid with several rows, the line to the rows below passes. */
  #gutter = (services: number) => (services > this.#columns ? 20 : 0);

  #left(id: string | undefined): number {
    const { margin, padding } = this.#sizes;
    const group = this.#diagram.groups.find((each) => each.id === id);
    return group === undefined ? margin : group.parent === undefined ? margin : this.#left(group.parent) + padding;
  }

  #children = (id: string | undefined) => this.#diagram.nodes.filter(({ group }) => group === id);

  /** What stands in one row at the top of a group: what a request passes, then what it does not. */
  #row(id: string | undefined): Node[] {
    const nodes = this.#children(id).filter((node) => node.kind !== "zone" && !inGrid(node, this.#diagram));
    return this.#sizes.narrow ? nodes.filter(({ kind }) => kind !== "registry") : nodes;
  }

  layout(): Layout {
    const { groups, nodes, arrows } = this.#diagram;
    const { margin } = this.#sizes;
    const title = titleLines(this.#diagram.title, this.#width - 2 * margin);
    const top = margin + tallest(title) + 12;
    const height = this.#fill(undefined, { x: margin, width: this.#width - 2 * margin }, top) + margin;
    const box = (id: string): Box => rounded(this.#boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 });
    return {
      width: this.#width,
      height: Math.ceil(height),
      title,
      margin,
      textX: this.#textX,
      groups: groups.map((of) => ({ of, ...box(of.id), lines: this.#groupLines(of) })),
      nodes: nodes.map((of) => ({ of, ...box(of.id), lines: nodeLines(of, box(of.id).width - 2 * inset) })),
      arrows: placedArrows(arrows, this.#boxes, this.#branches, this.#sizes.line),
    };
  }

  #groupLines(group: Group): Line[] {
    const right = this.#width - this.#left(group.id) - this.#sizes.padding;
    return groupLines(group, right - this.#textX);
  }

  /** Places what is in a group. @returns its lower end */
  #fill(id: string | undefined, { x, width }: Pick<Box, "x" | "width">, top: number): number {
    const { narrow, padding } = this.#sizes;
    const row = this.#row(id);
    const nodes = this.#children(id);
    const zones = nodes.filter(({ kind }) => kind === "zone");
    const grid = nodes.filter((node) => inGrid(node, this.#diagram));
    const registries = narrow ? nodes.filter(({ kind }) => kind === "registry") : [];
    let y = top;
    const space = (more: number) => {
      y += more;
    };
    if (row.length > 0) space(this.#placeRow(row, { x, width }, y));
    if (zones.length > 0) {
      if (row.length > 0) space(this.#labelSpace(row, 12));
      const [left, right] = [this.#textX, x + width];
      const most = Math.max(1, Math.floor((right - left + gap) / (Math.max(...zones.map(naturalWidth)) + gap)));
      for (let first = 0; first < zones.length; first += most) {
        if (first > 0) space(12);
        space(this.#placeAcross(zones.slice(first, first + most), left, right, y));
      }
    }
    if (grid.length > 0) y = this.#placeGrid(grid, { x, width }, y);
    for (const group of this.#diagram.groups.filter(({ parent }) => parent === id)) {
      if (row.length > 0 || zones.length > 0) space(zones.length > 0 ? 16 : this.#labelSpace(row, 16));
      const inner = { x: x + padding, width: width - 2 * padding };
      const header = tallest(this.#groupLines(group)) + 16;
      const end = this.#fill(group.id, inner, y + header) + padding;
      this.#boxes.set(group.id, { x, y, width, height: end - y });
      y = end;
    }
    if (registries.length > 0) {
      space(this.#labelSpace(registries, 28));
      space(this.#placeAcross(registries, x, x + width, y));
    }
    return y;
  }

  /** Enough for the labels of the arrows that leave these downwards. */
  #labelSpace(row: readonly Node[], least: number): number {
    const leaving = this.#diagram.arrows.filter(
      ({ from, to }) => row.some(({ id }) => id === from) && !row.some(({ id }) => id === to),
    );
    const labels = leaving.map((arrow) => (arrow.lines.length === 0 ? 0 : labelSize(arrow).height));
    return Math.max(least, ...labels.map((height) => height + 26));
  }

  #placeRow(row: readonly Node[], { x, width }: Pick<Box, "x" | "width">, y: number): number {
    // Nothing of this row is on the line from the clients: it passes at the left.
    if (row.every(({ kind }) => kind === "registry")) return this.#placeAcross(row, this.#textX, x + width, y);
    const [first, ...others] = row;
    if (first === undefined || others.length === 0) return this.#placeAcross(row, x, x + width, y);
    const start = this.#second;
    const naturals = others.map(naturalWidth);
    const spare = x + width - start - naturals.reduce((sum, each) => sum + each + gap, -gap);
    let left = start;
    const boxes = others.map((node, index) => {
      const box = { node, x: left, width: (naturals[index] ?? 0) + spare / others.length };
      left += box.width + gap;
      return box;
    });
    return this.#placeBoxes([{ node: first, x, width: start - this.#between - x }, ...boxes], y);
  }

  /** All of the same width, from left to right. @returns their height */
  #placeAcross(row: readonly Node[], left: number, right: number, y: number): number {
    const width = (right - left - (row.length - 1) * gap) / row.length;
    return this.#placeBoxes(
      row.map((node, index) => ({ node, x: left + index * (width + gap), width })),
      y,
    );
  }

  /** @returns their height, which is the same for all */
  #placeBoxes(boxes: readonly { node: Node; x: number; width: number }[], y: number): number {
    const height = Math.max(...boxes.map(({ node, width }) => heightOf(node, width)));
    for (const { node, x, width } of boxes) this.#boxes.set(node.id, { x, y, width, height });
    return height;
  }

  #placeGrid(grid: readonly Node[], { x, width }: Pick<Box, "x" | "width">, top: number): number {
    const gutter = this.#gutter(grid.length);
    const left = x + gutter;
    const card = (width - gutter - (this.#columns - 1) * gap) / this.#columns;
    let y = top;
    for (let first = 0; first < grid.length; first += this.#columns) {
      const row = grid.slice(first, first + this.#columns);
      const labels = this.#arrowsTo(row).map((arrow) => labelSize(arrow, card - 8).height);
      const branch = first === 0 ? y : y + 14;
      const next = branch + Math.max(0, ...labels) + 28;
      if (first > 0) for (const { id } of row) this.#branches.set(id, { x: x + gutter / 2, y: branch });
      y = next + this.#placeAcross(row, left, left + row.length * (card + gap) - gap, next);
    }
    return y;
  }
}

const naturalWidth = (node: Node) => widest(nodeLines(node, 240)) + 2 * inset;
const heightOf = (node: Node, width: number) => tallest(nodeLines(node, width - 2 * inset)) + 16;
