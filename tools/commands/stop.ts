/** `npm stop [-- --keep-cache]`: removes everything that `npm start` created, whatever its state, except the local CA. */
import { remainingStacks } from "../apply/engine.ts";
import { main } from "../cli/main.ts";
import { keptAuthorityText } from "../stack/localCertificate.ts";
import { project } from "../../names/project.ts";
import { stopCluster } from "../machine/cluster.ts";
import { apiServer } from "../machine/node/addresses.ts";
import { findSandboxes } from "../machine/sandbox.ts";
import { removeOwnContext } from "../stack/kubeconfig.ts";

const usage = `npm stop [-- --keep-cache]

Removes everything that npm start created: processes, mounts, network devices, firewall rules and files, including
compiled programs, and the context that npm run kubeconfig wrote for it.

It keeps the local CA in .local-ca, so that browsers which trust it still do after the next start; clients accept it
only for the stack's names. A stack in a cluster of your own (npm start -- --context NAME) stays; the command that
deletes it is printed.

  --keep-cache  keep compiled and downloaded programs, so that the next start takes seconds`;

await main(usage, { "keep-cache": { type: "boolean", default: false } }, async ({ values }) => {
  const remaining = remainingStacks();
  const removed = await stopCluster({ keepCache: values["keep-cache"] });
  // Another checkout's cluster has the same address.
  const dead = findSandboxes().length === 0 ? removeOwnContext(`${project}-local`, apiServer) : undefined;
  if (dead !== undefined) removed.push(dead);
  console.log(removed.length === 0 ? "There was nothing to remove." : `Removed ${removed.join(", ")}.`);
  for (const line of remaining) console.log(line);
  const kept = keptAuthorityText();
  if (kept !== undefined) console.log(kept);
});
