/** `npm run full-keys -- STACK`: a step of `npm run bootstrap`, to run before the Pulumi CLI writes to the stack file. */
import { readFileSync } from "node:fs";
import { main } from "../cli/main.ts";
import { withFullKeys } from "../stack/editStackFile.ts";
import { stackFile } from "../stack/stackFile.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const usage = `npm run full-keys -- STACK

Prefixes the keys of Pulumi.STACK.yaml with the project's name (PROJECT:KEY), as the Pulumi CLI does. Keeps comments.`;

await main(usage, {}, ({ positionals: [stack = ""] }) => {
  const file = stackFile(stack);
  writeWhole(file, withFullKeys(readFileSync(file, "utf8"), file));
  return Promise.resolve();
});
