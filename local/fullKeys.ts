/** `node local/fullKeys.ts STACK`: a step of `npm run bootstrap`, before the Pulumi CLI writes to the stack's file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "./cli.ts";
import { projectDir } from "./paths.ts";
import { withFullKeys } from "./stackFile.ts";
import { writeWhole } from "./writeWhole.ts";

const usage = `node local/fullKeys.ts STACK

Writes the keys of Pulumi.STACK.yaml by their full names, PROJECT:KEY, as the Pulumi CLI does, and keeps its comments.`;

await main(usage, {}, ({ positionals: [stack = ""] }) => {
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  writeWhole(file, withFullKeys(readFileSync(file, "utf8"), file));
  return Promise.resolve();
});
