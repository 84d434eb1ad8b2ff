/** Copies the checkout, for a second one with its own state. */
import { cpSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { projectDir } from "../../../tools/cli/paths.ts";

/** @param folder target of the copy; it links to this checkout's npm packages */
export function copyCheckout(folder: string): void {
  cpSync(projectDir, folder, {
    recursive: true,
    // Also exclude temporary stacks of other tests.
    filter: (path) => !/^((node_modules|\.git|\.local)($|[/.])|Pulumi\.boot-)/.test(relative(projectDir, path)),
  });
  symlinkSync(join(projectDir, "node_modules"), join(folder, "node_modules"));
}
