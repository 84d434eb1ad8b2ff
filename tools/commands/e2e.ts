/** `npm run e2e -- [NAME] [--engine pulumi]`: runs the end-to-end tests on the local Kubernetes, and starts it if needed. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

const folder = join(projectDir, "test/e2e");
const suites = readdirSync(folder)
  .filter((file) => file.endsWith(".e2e.ts"))
  .map((file) => file.replace(".e2e.ts", ""))
  .sort();

const usage = `npm run e2e -- [NAME] [--engine pulumi]

Runs all end-to-end suites one after another, or only NAME: ${suites.join(", ")}.
When all suites run, the long ones (faults, hostile, interrupted, jobs, pairs) run in a short version.
--engine pulumi runs the suite that deploys the local stack with the Pulumi CLI.`;

await main(usage, { engine: { type: "string" } }, ({ values, positionals }) => {
  if (values.engine !== undefined && values.engine !== "pulumi")
    throw new Problem(
      `"${values.engine}" is not an engine with a suite of its own.`,
      "Use --engine pulumi, or leave it out.",
    );
  const named = values.engine === undefined ? positionals : ["pulumi"];
  for (const name of named)
    if (!existsSync(join(folder, `${name}.e2e.ts`)))
      throw new Problem(`There is no suite "${name}".`, `Name one of these: ${suites.join(", ")}.`);
  const files = (named.length === 0 ? suites : named).map((name) => join(folder, `${name}.e2e.ts`));
  // One after another: all suites use the same local Kubernetes.
  const { status } = spawnSync(process.execPath, ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files], {
    stdio: "inherit",
    env: { ...process.env, ...(named.length === 0 && { SHORT: "1" }) },
  });
  process.exitCode = status ?? 1;
  return Promise.resolve();
});
