/** A temporary folder for a benchmark, removed when the process ends, however it ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function workFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, "bench-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Without a listener, a signal ends the process without an "exit" event.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  return folder;
}
