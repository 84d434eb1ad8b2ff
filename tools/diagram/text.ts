/** Text in pictures: how wide it is, where it breaks, and how much of it is shown. */

/** `1 pod`, `2 pods` */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

/** At most so many lines: what is left out is counted. */
export function shortened(lines: readonly string[], most: number): string[] {
  return lines.length <= most ? [...lines] : [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more`];
}

/**
 * Pixels that a text takes at most. Which font a viewer has is not known: these are the widths of DejaVu Sans, the widest of
 * the usual ones, so that text fits in others too.
 */
export function widthOf(text: string, size: number, weight: "normal" | "bold" = "normal"): number {
  const ems = Array.from(text).reduce((sum, character) => sum + emsOf(character), 0);
  return Math.ceil(ems * size * (weight === "bold" ? 1.12 : 1));
}

function emsOf(character: string): number {
  if (/[ijlI.,:;'|!]/.test(character)) return 0.34;
  if (/[frt()[\]/ -]/.test(character)) return 0.42;
  if (/[mwMW@%…]/.test(character)) return 1;
  if (/[A-Z#&+=<>~]/.test(character)) return 0.84;
  return character < "\u0250" ? 0.64 : 1;
}

/** Breaks a text into lines of at most so many pixels, behind a space, else a separator. */
export function wrapped(text: string, most: number, size: number, weight: "normal" | "bold" = "normal"): string[] {
  const lines: string[] = [];
  let rest = Array.from(text); // by character: a surrogate pair stays whole
  const fits = (length: number) => widthOf(rest.slice(0, length).join(""), size, weight) <= most;
  while (rest.length > 1 && !fits(rest.length)) {
    let length = 1;
    while (fits(length + 1)) length++;
    const head = rest.slice(0, length);
    const space = head.lastIndexOf(" ") + 1;
    const other = Math.max(...["/", ".", "-", ","].map((separator) => head.lastIndexOf(separator) + 1));
    const end = [space, other].find((at) => at > length / 2) ?? length;
    lines.push(rest.slice(0, end).join("").trimEnd());
    rest = Array.from(rest.slice(end).join("").trimStart());
  }
  return [...lines, rest.join("")];
}

/** The first of some lines; where more is left out, the last of them ends in an ellipsis. */
export function cut(lines: readonly string[], most: number): string[] {
  const shown = lines.slice(0, most);
  return lines.length <= most ? shown : [...shown.slice(0, -1), `${(shown.at(-1) ?? "").slice(0, -3)}…`];
}
