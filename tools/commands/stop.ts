/** `npm stop [-- --keep-cache]`: takes away all that `npm start` made, in whatever state it is. */
import { leftElsewhere } from "../apply/engine.ts";
import { main } from "../cli/main.ts";
import { stopCluster } from "../machine/cluster.ts";

const usage = `npm stop [-- --keep-cache]

Takes away all that npm start made: processes, mounts, network devices, rules and files, what was compiled included.
A stack in a cluster of your own (npm start -- --context NAME) stays, and the command that removes it is printed.
  --keep-cache  keeps what was compiled and downloaded, so that the next start takes seconds`;

await main(usage, { "keep-cache": { type: "boolean", default: false } }, async ({ values }) => {
  const left = leftElsewhere();
  const removed = await stopCluster({ keepCache: values["keep-cache"] });
  console.log(removed.length === 0 ? "Nothing was running, nothing was left." : `Removed ${removed.join(", ")}.`);
  for (const line of left) console.log(line);
});
