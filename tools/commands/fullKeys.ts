/** `npm run full-keys -- STACK`: a step of `npm run bootstrap`, to run before the Pulumi CLI writes to the stack file. */
import { main, oneStack } from "../cli/main.ts";
import { withFullKeys } from "../stack/editStackFile.ts";
import { stackFile, textOf } from "../stack/stackFile.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const usage = `npm run full-keys -- STACK

Prefixes the keys of Pulumi.STACK.yaml with the project's name (PROJECT:KEY), as the Pulumi CLI does. Keeps comments.`;

await main(usage, {}, ({ positionals }) => {
  const file = stackFile(oneStack(positionals, "npm run full-keys -- staging"));
  writeWhole(file, withFullKeys(textOf(file), file));
  return Promise.resolve();
});
