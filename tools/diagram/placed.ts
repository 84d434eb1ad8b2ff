/** A picture of which everything has its place. Pixels. */
import type { Line } from "./lines.ts";
import type { Arrow, Group, Node } from "./shapes.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Placed<T> extends Box {
  readonly of: T;
  readonly lines: readonly Line[];
}
export interface PlacedArrow {
  readonly of: Arrow;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Missing where nothing is said about the arrow. */
  readonly label: Placed<Arrow> | undefined;
}
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly title: readonly Line[];
  /** Pixels from each side to the title and to the outermost boxes. */
  readonly margin: number;
  /** Where the text of groups begins: right of the line that passes through them. */
  readonly textX: number;
  /** Outer groups first. */
  readonly groups: readonly Placed<Group>[];
  readonly nodes: readonly Placed<Node>[];
  readonly arrows: readonly PlacedArrow[];
}

const number = (value: number) => Number(value.toFixed(1));

export const rounded = ({ x, y, width, height }: Box): Box => ({
  x: number(x),
  y: number(y),
  width: number(width),
  height: number(height),
});
export const point = ({ x, y }: { readonly x: number; readonly y: number }) => ({ x: number(x), y: number(y) });
