/** `npm run kubeconfig -- STACK`: adds a context for the stack to the user's kubeconfig. */
import { existsSync, readFileSync } from "node:fs";
import { project } from "../../names/project.ts";
import { main, oneStack } from "../cli/main.ts";
import { onPath } from "../cli/run.ts";
import { ownKubeconfig, withContext, type Access } from "../stack/kubeconfig.ts";
import { stacksDir } from "../cli/paths.ts";
import { accessTo } from "../stack/access.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const usage = `npm run kubeconfig -- STACK

Adds or updates the context "${project}-STACK" in your kubeconfig (the first file of $KUBECONFIG, or ~/.kube/config).
The rest of the file stays unchanged, including the current context. For a stack on Google Cloud it reads the stack's
output with the Pulumi CLI; for "local" it reads the kubeconfig that npm start wrote, and npm stop removes the context.`;

await main(usage, {}, async ({ positionals }) => {
  const stack = oneStack(positionals, "npm run kubeconfig -- staging");
  const access = await accessTo(stack, stacksDir);
  const file = ownKubeconfig();
  const name = `${project}-${stack}`;
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  writeWhole(file, withContext(before, file, name, access), 0o600);
  console.log(`Wrote the context ${name} to ${file}.\n  kubectl --context ${name} get pods --all-namespaces`);
  warnOfPlugin(access);
});

function warnOfPlugin({ user }: Access): void {
  const { command, installHint } = (user["exec"] ?? {}) as { command?: string; installHint?: string };
  if (command !== undefined && onPath(command) === undefined)
    console.error(`warning: kubectl needs ${command}, which is not on PATH. ${installHint ?? ""}`);
}
