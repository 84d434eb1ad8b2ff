/** Derives the time of each step of `npm start` from its progress lines and their times. */

export interface Part {
  readonly name: string;
  readonly seconds: number;
}

interface Line {
  readonly text: string;
  /** Milliseconds since the command was started. */
  readonly at: number;
}

/**
 * `  images …` starts a step and `✓ images 5.4 s` ends it. Steps can run in parallel. The last entry is the time outside
 * all steps: Node, the validation of the config, and the requests to every route at the end.
 */
export function partsOf(lines: readonly Line[], totalSeconds: number): Part[] {
  const steps = new Map<string, { from: number; to?: number }>();
  for (const { text, at } of lines) {
    const begun = /^ {2}(.+) …$/.exec(text)?.[1];
    if (begun !== undefined) steps.set(begun, { from: at });
    const step = steps.get(/^✓ (.+?) (?:\d+ min )?[\d.]+ s$/.exec(text)?.[1] ?? "");
    if (step !== undefined) step.to = at;
  }
  const parts = [...steps].flatMap(([name, { from, to }]) => (to === undefined ? [] : { name, from, to }));
  let [covered, until] = [0, 0];
  for (const { from, to } of parts) {
    covered += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return [
    ...parts.map(({ name, from, to }) => ({ name: name.replace(/ \(.*\)$/, ""), seconds: (to - from) / 1000 })),
    { name: "everything else", seconds: totalSeconds - covered / 1000 },
  ];
}
