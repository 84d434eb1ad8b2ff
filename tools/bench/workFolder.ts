/** A folder for what a benchmark writes: it goes with the process, however that ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function workFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, "bench-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Without a listener, a signal ends the process with no "exit".
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  return folder;
}
