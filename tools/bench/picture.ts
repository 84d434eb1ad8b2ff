/** The frame of the plots: heading, machine, and colors that are readable on light and dark backgrounds. */
import { widthOf, wrapped } from "../diagram/text.ts";

interface Picture {
  /** Accessible title. */
  readonly title: string;
  /** @default - the title */
  readonly head?: string;
  /** Below the heading; broken into lines. */
  readonly below: string;
  /** With one line below the heading. */
  readonly height: number;
  /** CSS rules besides those of text. */
  readonly styles: readonly string[];
  /** CSS rules for a dark background. */
  readonly dark?: readonly string[];
  readonly body: readonly string[];
}

/** A horizontal bar with a label to its right. @param name its CSS class @default - none */
export const bar = (x: number, y: number, length: number, text: string, name?: string): string =>
  `  <rect ${name === undefined ? "" : `class="${name}" `}x="${x}" y="${y}" width="${length.toFixed(1)}" height="14" rx="2"/>
  <text x="${(x + length + 8).toFixed(1)}" y="${y + 12}">${text}</text>`;

/** The same for all plots, so that their bars can be compared. */
const width = 760;
const margin = 16;
const [textSize, headSize, lineHeight] = [13, 16, 17];

/** From where to where bars reach, so that all texts on both sides have room, in any usual font. */
export const barArea = (before: readonly string[], after: readonly string[]) => ({
  left: margin + widest(before) + 10,
  right: width - margin - widest(after) - 10,
});
const widest = (texts: readonly string[]) => Math.max(...texts.map((text) => widthOf(text, textSize)));

export function picture({ title, head = title, below, height, styles, dark = [], body }: Picture): string {
  const onDark = ["text { fill: #e6edf3; }", ...dark];
  const lines = wrapped(below, width - 2 * margin, textSize);
  const more = (lines.length - 1) * lineHeight;
  const content = body.join("\n");
  const media =
    dark.length === 0 ? ` ${onDark.join(" ")} ` : `\n${onDark.map((rule) => `      ${rule}\n`).join("")}    `;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + more}" width="${width}" height="${height + more}" role="img" aria-labelledby="title">
  <title id="title">${title}</title>
  <style>
    text { font: ${textSize}px system-ui, sans-serif; fill: #24292f; }
    .head { font-size: ${headSize}px; font-weight: 600; }
${styles.map((rule) => `    ${rule}\n`).join("")}    @media (prefers-color-scheme: dark) {${media}}
  </style>
  <text class="head" x="${margin}" y="24">${head}</text>
${lines.map((line, index) => `  <text x="${margin}" y="${43 + index * lineHeight}">${line}</text>`).join("\n")}
${more === 0 ? content : `  <g transform="translate(0 ${more})">\n${content}\n  </g>`}
</svg>
`;
}
