/** What the suite saw, as the table that it prints and that docs/reliability.md keeps. */

export interface Row {
  readonly what: string;
  readonly requests: number;
  readonly failed: number;
  /** Seconds from the first failure to the last. */
  readonly outage: number;
  /** What could not be saved, and why. */
  readonly inevitable: string;
  /** Milliseconds. */
  readonly p99: number;
}

const rows: Row[] = [];

export function row(seen: Row): void {
  rows.push(seen);
}

export function table(): string {
  const cells = rows.map(({ what, requests, failed, outage, inevitable, p99 }) => [
    what,
    requests.toLocaleString("en"),
    failed.toLocaleString("en"),
    failed === 0 ? "" : `${outage.toFixed(1)} s`,
    `${p99.toFixed(0)} ms`,
    inevitable,
  ]);
  const head = ["what", "requests", "failed", "first to last failure", "p99", "least that is possible"];
  return [head, head.map(() => "---"), ...cells].map((each) => `| ${each.join(" | ")} |`).join("\n");
}
