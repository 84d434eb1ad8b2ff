/** A picture uses its canvas: no half of it is empty, wide or narrow, of a small stack or a large one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stackDiagram } from "../../../tools/diagram/diagram.ts";
import { layoutOf } from "../../../tools/diagram/layout.ts";
import { tallest, widest } from "../../../tools/diagram/lines.ts";
import type { Box, Layout } from "../../../tools/diagram/placed.ts";
import { largeStack } from "./large.ts";

const boxesOf = ({ nodes, arrows }: Layout): Box[] => [...nodes, ...arrows.flatMap(({ label }) => label ?? [])];

/** Lines and the text at the top of the groups are something to see, the ground of groups is not. */
const contentOf = (layout: Layout): Box[] => [
  { x: layout.margin, y: layout.margin, width: widest(layout.title), height: tallest(layout.title) },
  ...boxesOf(layout),
  ...layout.groups.map(({ y, lines }) => ({
    x: layout.textX,
    y: y + 6,
    width: widest(lines),
    height: tallest(lines),
  })),
  ...layout.arrows.flatMap(({ points }) =>
    points.slice(1).map((to, index) => {
      const from = points[index] ?? to;
      const [x, y] = [Math.min(from.x, to.x) - 5, Math.min(from.y, to.y) - 5];
      return { x, y, width: Math.abs(from.x - to.x) + 10, height: Math.abs(from.y - to.y) + 10 };
    }),
  ),
];

const cells = 120;
const step = 1 / cells;

/** By row of a grid over the canvas, which cells have something in them. */
function filled(layout: Layout): boolean[][] {
  const content = contentOf(layout);
  return Array.from({ length: cells }, (_, row) =>
    Array.from({ length: cells }, (_, column) => {
      const [x, y] = [(column + 0.5) * step * layout.width, (row + 0.5) * step * layout.height];
      return content.some((box) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
    }),
  );
}

/** The largest rectangle in which there is nothing, as a share of the canvas. */
function largestGap(grid: readonly (readonly boolean[])[]): number {
  let largest = 0;
  const heights = Array<number>(cells).fill(0);
  for (const row of grid) {
    for (const [column, full] of row.entries()) heights[column] = full ? 0 : (heights[column] ?? 0) + 1;
    for (let left = 0; left < cells; left++) {
      let lowest = cells;
      for (let right = left; right < cells; right++) {
        lowest = Math.min(lowest, heights[right] ?? 0);
        largest = Math.max(largest, lowest * (right - left + 1));
      }
    }
  }
  return largest / cells ** 2;
}

/** The share of columns, and of rows, in which there is nothing. */
function emptyShares(grid: readonly (readonly boolean[])[]): { columns: number; rows: number } {
  const rows = grid.filter((row) => !row.includes(true)).length;
  const columns = Array.from({ length: cells }, (_, column) => grid.every((row) => row[column] !== true));
  return { columns: columns.filter(Boolean).length / cells, rows: rows / cells };
}

const pictures = {
  local: stackDiagram("local"),
  staging: stackDiagram("staging"),
  production: stackDiagram("production"),
  large: largeStack(),
};

for (const [name, diagram] of Object.entries(pictures))
  for (const width of [undefined, 330])
    test(`the picture ${name}, ${width ?? "as wide as it needs"}`, () => {
      const layout = layoutOf(diagram, width);
      const grid = filled(layout);
      const { columns, rows } = emptyShares(grid);
      const gap = largestGap(grid);
      assert.ok(gap <= 0.1, `${(gap * 100).toFixed(0)} % of the canvas are one empty rectangle`);
      assert.ok(columns <= 0.1, `${(columns * 100).toFixed(0)} % of the columns are empty`);
      assert.ok(rows <= 0.15, `${(rows * 100).toFixed(0)} % of the rows are empty`);
      assert.ok(layout.width <= (width ?? 1240), `${layout.width} pixels wide`);
      for (const [index, box] of boxesOf(layout).entries())
        assert.ok(
          box.x >= 0 && box.x + box.width <= layout.width && box.y + box.height <= layout.height,
          `box ${index} is outside the picture`,
        );
    });
