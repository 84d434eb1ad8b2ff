/** `npm run rules`: writes the table of security rules into docs/security.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mark, table } from "../../policy/table.ts";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";
import { writeWhole } from "../cli/writeWhole.ts";

await main("npm run rules\n\nWrites the table of security rules into docs/security.md.", {}, () => {
  const page = join(projectDir, "docs/security.md");
  const [written = ""] = readFileSync(page, "utf8").split(mark);
  writeWhole(page, written + mark + table());
  return Promise.resolve();
});
