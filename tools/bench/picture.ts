/** The frame of the plots: heading, machine, and colors that are readable on light and dark backgrounds. */

interface Picture {
  /** Accessible title. */
  readonly title: string;
  /** @default - the title */
  readonly head?: string;
  /** The line below the heading. */
  readonly below: string;
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

const width = 760;

export function picture({ title, head = title, below, height, styles, dark = [], body }: Picture): string {
  const onDark = ["text { fill: #e6edf3; }", ...dark];
  const media =
    dark.length === 0 ? ` ${onDark.join(" ")} ` : `\n${onDark.map((rule) => `      ${rule}\n`).join("")}    `;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">${title}</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .head { font-size: 16px; font-weight: 600; }
${styles.map((rule) => `    ${rule}\n`).join("")}    @media (prefers-color-scheme: dark) {${media}}
  </style>
  <text class="head" x="16" y="24">${head}</text>
  <text x="16" y="43">${below}</text>
${body.join("\n")}
</svg>
`;
}
