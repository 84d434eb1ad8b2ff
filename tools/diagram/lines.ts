/** The text of the picture as lines that fit where they stand. */
import type { Arrow, Group, Node } from "./shapes.ts";
import { cut, shortened, widthOf, wrapped } from "./text.ts";

export interface Line {
  readonly text: string;
  /** Pixels. */
  readonly size: number;
  readonly bold: boolean;
}

/** Pixels from line to line, for one of the given size. */
export const lineHeight = (size: number): number => Math.round(size * 1.35);

export const widest = (lines: readonly Line[]): number =>
  Math.max(0, ...lines.map(({ text, size, bold }) => widthOf(text, size, bold ? "bold" : "normal")));
export const tallest = (lines: readonly Line[]): number => lines.reduce((sum, { size }) => sum + lineHeight(size), 0);

function lines(texts: readonly string[], most: number, size: number, bold: boolean): Line[] {
  const weight = bold ? "bold" : "normal";
  return texts.flatMap((line) => wrapped(line, most, size, weight)).map((text) => ({ text, size, bold }));
}

/** All take the pixels that there are for the text. */
export const titleLines = (title: string, most: number): Line[] => lines([title], most, 17, true);
export const nodeLines = ({ title, lines: more }: Pick<Node, "title" | "lines">, most: number): Line[] => [
  ...lines([title], most, 14, true),
  ...lines(more, most, 12, false),
];
export const groupLines = ({ title, lines: more }: Group, most: number): Line[] => [
  ...lines([title], most, 12, true),
  ...lines(more, most, 12, false),
];

const [shownLines, shownOfEach] = [4, 2];

/** Of a long list the first, and of a long line its beginning: the whole is in the arrow's title. */
export const arrowLines = ({ lines: all }: Arrow, most: number): Line[] =>
  lines(
    shortened(all, shownLines).flatMap((line) => cut(wrapped(line, most, 12), shownOfEach)),
    most,
    12,
    false,
  );
