/** Copies the checkout, for a second one with its own state. Its stack files are those of the tests. */
import { cpSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { projectDir } from "../../../tools/cli/paths.ts";

const testStacks = join(projectDir, "test/stacks");

/** @param folder target of the copy; it links to this checkout's npm packages */
export function copyCheckout(folder: string): void {
  cpSync(projectDir, folder, {
    recursive: true,
    // Also exclude the project's own stacks, and temporary stacks of other tests.
    filter: (path) =>
      !/^((node_modules|\.git|\.local)($|[/.-])|Pulumi\.|test\/stacks\/.*-\d)/.test(relative(projectDir, path)),
  });
  copyStacks(folder);
  symlinkSync(join(projectDir, "node_modules"), join(folder, "node_modules"));
}

/** Gives a checkout the project file and the stack files of the tests. */
export function copyStacks(folder: string): void {
  for (const file of ["Pulumi.yaml", "Pulumi.local.yaml", "Pulumi.staging.yaml", "Pulumi.production.yaml"])
    cpSync(join(testStacks, file), join(folder, file));
}
