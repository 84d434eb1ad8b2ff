/** The local stack with a service for the load, and the edits that suites make to it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { local, stackFile, type Outcome } from "../support/commands.ts";
import { endpoint } from "../support/path.ts";
import { row } from "./table.ts";
import { kindsOf, type Observed } from "./underLoad.ts";

export type Edit = (text: string) => string;

const original = readFileSync(stackFile, "utf8");
/** With a short rollout timeout. */
const base =
  original
    .replace("config:", "config:\n  rolloutSeconds: 40")
    // All of the load has one address, and a machine that stalls lets requests add up.
    .replace("  proxy:\n", "  proxy:\n    requestsPerClient: 3000\n")
    .replace("memory: 64Mi }", "memory: 256Mi }") +
  `    echo:
      build: { context: ./test/e2e/echo }
      health: /
      routes: [{ path: /echo/ }]
      resources: { cpu: 50m }
`;

/** Applies the stack with an edit; without one, restores it. */
export function apply(edit: Edit = (text) => text, engine: "kubectl" | "pulumi" = "kubectl"): Promise<Outcome> {
  writeFileSync(stackFile, edit(base));
  return local("start.ts", "--engine", engine);
}

export async function applied(edit?: Edit, engine?: "kubectl" | "pulumi"): Promise<void> {
  const { status, text } = await apply(edit, engine);
  assert.equal(status, 0, text);
}

export function restoreStackFile(): void {
  writeFileSync(stackFile, original);
}

export const replace =
  (from: string, to: string): Edit =>
  (text) => {
    assert.ok(text.includes(from), `the stack file has no ${from}`);
    return text.replace(from, to);
  };

export const overHttps = (path = "/echo/") => ({ url: `https://shop.localhost${path}`, ca: endpoint().ca });

/** Adds a row to the table. @param inevitable failures that nothing can prevent, and why */
export function addRow({ load, requests, outage }: Observed<unknown>, what: string, inevitable = ""): void {
  row({ what, requests, failures: load.failures, outage, inevitable, p99: load.p99 });
}

export function nothingLost(observed: Observed<unknown>, what: string): void {
  addRow(observed, what);
  assert.deepEqual(kindsOf(observed.load.failures), [], what);
}
