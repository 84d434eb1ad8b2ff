/** The frame of the plots: a head, what it was measured on, and colours that can be read on light and on dark ground. */

interface Picture {
  /** For those who cannot see it. */
  readonly title: string;
  /** @default - the title */
  readonly head?: string;
  /** The line below the head. */
  readonly below: string;
  readonly height: number;
  /** Rules of style beyond those of text, and those that are others on dark ground. */
  readonly styles: readonly string[];
  readonly dark?: readonly string[];
  readonly body: readonly string[];
}

/** A bar from a point to the right, and what it says behind it. @param name of its style @default - the rule for all */
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
