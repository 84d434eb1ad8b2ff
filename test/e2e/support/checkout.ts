/** Another checkout of the project, as it is here, with a state of its own. */
import { cpSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { projectDir } from "../../../tools/cli/paths.ts";

/** @param folder takes it. The npm packages are those of this checkout */
export function copyCheckout(folder: string): void {
  cpSync(projectDir, folder, {
    recursive: true,
    // Nor stacks that other tests make here for a moment.
    filter: (path) => !/^((node_modules|\.git|\.local)($|[/.])|Pulumi\.boot-)/.test(relative(projectDir, path)),
  });
  symlinkSync(join(projectDir, "node_modules"), join(folder, "node_modules"));
}
