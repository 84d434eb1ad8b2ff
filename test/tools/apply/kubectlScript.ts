/** A script in place of kubectl, in a folder that is removed after the tests of the file. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export const folder = mkdtempSync(join(tmpdir(), "kubectl-"));
after(() => {
  rmSync(folder, { recursive: true });
});

export const program = join(folder, "kubectl");

/** @param cases of a shell's `case "$*" in`, one for each call that is answered */
export function installKubectl(...cases: readonly string[]): void {
  writeFileSync(program, `#!/bin/sh\ncase "$*" in\n${cases.map((each) => `  ${each} ;;\n`).join("")}esac\n`);
  chmodSync(program, 0o755);
}
