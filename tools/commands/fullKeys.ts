/** `npm run full-keys -- STACK`: a step of `npm run bootstrap`, before the Pulumi CLI writes to the stack's file. */
import { readFileSync } from "node:fs";
import { main } from "../cli/main.ts";
import { withFullKeys } from "../stack/editStackFile.ts";
import { stackFile } from "../stack/stackFile.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const usage = `npm run full-keys -- STACK

Writes the keys of Pulumi.STACK.yaml by their full names, PROJECT:KEY, as the Pulumi CLI does, and keeps its comments.`;

await main(usage, {}, ({ positionals: [stack = ""] }) => {
  const file = stackFile(stack);
  writeWhole(file, withFullKeys(readFileSync(file, "utf8"), file));
  return Promise.resolve();
});
