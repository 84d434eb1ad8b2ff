/** `npm run kubeconfig -- STACK`: one kubectl context per stack, in the user's own kubeconfig. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { project } from "../../names/project.ts";
import { main, oneStack } from "../cli/main.ts";
import { onPath } from "../cli/run.ts";
import { withContext, type Access } from "../stack/kubeconfig.ts";
import { projectDir } from "../cli/paths.ts";
import { accessTo } from "../stack/access.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const usage = `npm run kubeconfig -- STACK

Writes the context "${project}-STACK" to your kubeconfig (the first file of $KUBECONFIG, or ~/.kube/config), or
refreshes it. All else in that file stays as it is, the current context too. For a stack on Google it asks the Pulumi
CLI for the stack's output; for "local" it takes the file that npm start made.`;

await main(usage, {}, async ({ positionals }) => {
  const stack = oneStack(positionals, "npm run kubeconfig -- staging");
  const access = await accessTo(stack, projectDir);
  const file = ownKubeconfig();
  const name = `${project}-${stack}`;
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  writeWhole(file, withContext(before, file, name, access), 0o600);
  console.log(`Context ${name} is in ${file}.\n  kubectl --context ${name} get pods --all-namespaces`);
  warnOfPlugin(access);
});

/** Where kubectl itself would write: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
function ownKubeconfig(): string {
  const first = process.env["KUBECONFIG"]?.split(delimiter).find((file) => file !== "");
  const file = resolve(first ?? join(homedir(), ".kube", "config"));
  return existsSync(file) ? realpathSync(file) : file; // A link stays one: what it leads to is written.
}

function warnOfPlugin({ user }: Access): void {
  const { command, installHint } = (user["exec"] ?? {}) as { command?: string; installHint?: string };
  if (command !== undefined && onPath(command) === undefined)
    console.error(`warning: kubectl will need ${command}, which is not on PATH. ${installHint ?? ""}`);
}
