/** `npm stop [-- --keep-cache]`: takes away all that `npm start` made, in whatever state it is. */
import { parseArgs } from "node:util";
import { stopCluster } from "./cluster.ts";
import { Problem } from "./problem.ts";

try {
  const { values } = parseArgs({ options: { "keep-cache": { type: "boolean", default: false } } });
  const removed = await stopCluster({ keepCache: values["keep-cache"] });
  console.log(removed.length === 0 ? "Nothing was running, nothing was left." : `Removed ${removed.join(", ")}.`);
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error.message);
  console.error(error instanceof Problem ? error.fix : "Usage: npm stop [-- --keep-cache]");
  process.exitCode = 1;
}
