/** The ways of the arrows between what has its place, and where their labels stand. */
import { arrowLines, tallest, widest } from "./lines.ts";
import { point, rounded, type Box, type PlacedArrow } from "./placed.ts";
import type { Arrow } from "./shapes.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

const mostText = 240;

/** @param width pixels that there are for its text */
export function labelSize(arrow: Arrow, width = mostText): Pick<Box, "width" | "height"> {
  const lines = arrowLines(arrow, width);
  return { width: widest(lines) + 8, height: tallest(lines) + 6 };
}

/**
 * @param branches where the line to a service in a lower row of the grid leaves the one beside the grid
 * @param line where the line from the clients to the proxy runs
 */
export function placedArrows(
  arrows: readonly Arrow[],
  boxes: ReadonlyMap<string, Box>,
  branches: ReadonlyMap<string, Point>,
  line: number,
): PlacedArrow[] {
  return arrows.flatMap((of): PlacedArrow[] => {
    const [from, to] = [boxes.get(of.from), boxes.get(of.to)];
    if (from === undefined || to === undefined) return [];
    const toService = of.from === "proxy";
    const x = middleOf(of, from, to, line);
    const points = way(from, to, x, branches.get(of.to));
    const placed = { of, points: points.map(point), label: undefined };
    const [start, end] = points.slice(-2);
    if (of.lines.length === 0 || start === undefined || end === undefined) return [placed];
    const most = toService ? to.width - 8 : mostText;
    const size = labelSize(of, most);
    // Of a service, between the branch and the head of the arrow; else close to what it leaves, where no other text is.
    const y = toService ? start.y + (end.y - 6 - start.y - size.height) / 2 : nearest(start, end, size.height);
    const box = rounded({ x: x - size.width / 2, y, ...size });
    return [{ ...placed, label: { of, ...box, lines: arrowLines(of, most) } }];
  });
}

const nearest = (start: Point, end: Point, height: number) => (start.y < end.y ? start.y + 10 : start.y - 10 - height);

function middleOf({ kind, from: id }: Arrow, from: Box, to: Box, line: number): number {
  if (kind === "images") return from.x + from.width / 2;
  return id === "proxy" ? to.x + to.width / 2 : line;
}

function way(from: Box, to: Box, x: number, branch: Point | undefined): Point[] {
  const bottom = from.y + from.height;
  if (from.y === to.y) {
    const y = from.y + from.height / 2;
    return [
      { x: from.x + from.width, y },
      { x: to.x, y },
    ];
  }
  if (branch !== undefined) return [{ x: branch.x, y: bottom }, branch, { x, y: branch.y }, { x, y: to.y }];
  return from.y < to.y
    ? [
        { x, y: bottom },
        { x, y: to.y },
      ]
    : [
        { x, y: from.y },
        { x, y: to.y + to.height },
      ];
}
