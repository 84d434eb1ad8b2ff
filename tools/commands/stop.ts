/** `npm stop [-- --delete-cache]`: removes what `npm start` created, whatever its state, except the cache and the local CA. */
import { remainingStacks } from "../apply/engine.ts";
import { main, noArguments } from "../cli/main.ts";
import { keptAuthorityText } from "../stack/localCertificate.ts";
import { Problem } from "../cli/problem.ts";
import { project } from "../../names/project.ts";
import { deleteCache, stopCluster } from "../machine/cluster.ts";
import { apiServer } from "../machine/node/addresses.ts";
import { findSandboxes } from "../machine/sandbox.ts";
import { removeOwnContext } from "../stack/kubeconfig.ts";

const usage = `npm stop [-- --delete-cache]

Removes everything that npm start created: processes, mounts, network devices, firewall rules and files, and the
context that npm run kubeconfig wrote for it.

It keeps compiled and downloaded programs, so that the next start takes seconds. It keeps the local CA in .local-ca, so
that browsers which trust it still do after the next start; clients accept it only for the stack's names. A stack in a
cluster of your own (npm start -- --context NAME) stays; the command that deletes it is printed.

  --delete-cache  delete compiled and downloaded programs too, unless the cluster of another checkout runs with them
  --keep-cache    keep them, which is the default`;

const options = {
  "delete-cache": { type: "boolean", default: false },
  "keep-cache": { type: "boolean", default: false },
} as const;

await main(usage, options, async ({ values, positionals }) => {
  noArguments(positionals, usage);
  if (values["delete-cache"] && values["keep-cache"])
    throw new Problem("--delete-cache and --keep-cache exclude each other.", "Name one of them, or none to keep it.");
  const remaining = remainingStacks();
  const removed = await stopCluster();
  // Another checkout's cluster has the same address.
  const dead = findSandboxes().length === 0 ? removeOwnContext(`${project}-local`, apiServer) : undefined;
  if (dead !== undefined) removed.push(dead);
  console.log(removed.length === 0 ? "There was nothing to remove." : `Removed ${removed.join(", ")}.`);
  if (values["delete-cache"]) for (const folder of await deleteCache()) console.log(`Removed ${folder}.`);
  for (const line of remaining) console.log(line);
  const kept = keptAuthorityText();
  if (kept !== undefined) console.log(kept);
});
