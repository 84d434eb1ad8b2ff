/** The table of results that the suite prints and that docs/reliability.md has. */
import type { Failure } from "./openLoad.ts";

export interface Row {
  readonly what: string;
  readonly requests: number;
  readonly failures: readonly Failure[];
  /** Seconds from the first failure to the last. */
  readonly outage: number;
  /** Failures that nothing can prevent, and why. */
  readonly inevitable: string;
  /** 99th percentile of the latency. Milliseconds. */
  readonly p99: number;
}

const rows: Row[] = [];

export function row(seen: Row): void {
  rows.push(seen);
}

export function table(): string {
  const cells = rows.map(({ what, requests, failures, outage, inevitable, p99 }) => [
    what,
    requests.toLocaleString("en"),
    failures.length.toLocaleString("en"),
    signsOf(failures).join(", "),
    failures.length === 0 ? "" : `${outage.toFixed(1)} s`,
    `${p99.toFixed(0)} ms`,
    inevitable,
  ]);
  const head = ["what", "requests", "failed", "seen as", "first to last failure", "p99", "least that is possible"];
  return [head, head.map(() => "---"), ...cells].map((each) => `| ${each.join(" | ")} |`).join("\n");
}

/** Groups failures by who answered, or how the connection ended. */
const signs: readonly (readonly [RegExp, string])[] = [
  [/^\d+ \{"error"/, "proxy's"],
  [/^\d+ (no healthy upstream|upstream (connect|request))/, "edge's"],
  [/^(socket hang up|.*ECONNRESET|.*EPIPE|Client network socket disconnected)/, "connection reset"],
  [/ECONNREFUSED/, "connection refused"],
  [/cut off|closed with/, "cut off"],
  [/no answer/, "no answer"],
];

/** `12 × edge's 503, 2 × connection reset`, the most frequent first. */
export function signsOf(failures: readonly Failure[]): string[] {
  const counts = new Map<string, number>();
  for (const { kind, what } of failures) {
    const sign = signs.find(([form]) => form.test(what))?.[1] ?? "";
    const status = /^(?:Unexpected server response: )?([45]\d\d)\b/.exec(what)?.[1] ?? "";
    const group = `${sign} ${status}`.trim();
    const name = `${kind === "websocket" ? "websocket " : ""}${group === "" ? what : group}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} × ${name}`);
}
