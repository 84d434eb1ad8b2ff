/** Parses the few Markdown constructs of a report like GitHub. https://github.github.com/gfm/ */

export interface Block {
  readonly kind: "text" | "fence";
  /** Lines without the fence. */
  readonly lines: readonly string[];
}

/** Text outside and inside fences. Throws for a fence that is not closed. */
export function blocks(markdown: string): Block[] {
  const found: { kind: Block["kind"]; lines: string[] }[] = [];
  let open: string | undefined;
  for (const line of markdown.split("\n")) {
    const ticks = /^ {0,3}(`{3,})([^`]*)$/.exec(line);
    const [, run = "", info = ""] = ticks ?? [];
    if (open === undefined && ticks !== null) {
      open = run;
      found.push({ kind: "fence", lines: [] });
    } else if (open !== undefined && ticks !== null && run.length >= open.length && info.trim() === "") {
      open = undefined;
      found.push({ kind: "text", lines: [] });
    } else if (found.length === 0) found.push({ kind: "text", lines: [line] });
    else found.at(-1)?.lines.push(line);
  }
  if (open !== undefined) throw new Error(`a fence is open to the end: ${open}`);
  return found;
}

/** A line with its code spans replaced. A span ends at the first run of as many backticks. */
export function withoutCode(line: string): string {
  let rest = line;
  let kept = "";
  for (;;) {
    const at = rest.search(/`/);
    if (at < 0) return kept + rest;
    const run = /^`+/.exec(rest.slice(at))?.[0] ?? "";
    const after = rest.slice(at + run.length);
    const end = new RegExp(`(?<!\`)${run}(?!\`)`).exec(after);
    kept += rest.slice(0, at) + (end === null ? run : "CODE");
    rest = end === null ? after : after.slice(end.index + run.length);
  }
}
