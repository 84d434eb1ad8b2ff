/** `npm test [-- FILE…]`: runs all checks and tests that need neither root nor a cluster. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";

const usage = `npm test [-- FILE…]

Checks types, lint and formatting, and runs unit and property tests and tests of rendered routes with a real nginx.
It takes three minutes on 2 cores. With file names it runs only those: npm test -- test/config/routes.test.ts`;

await main(usage, {}, ({ positionals: files }) => {
  const bin = (program: string) => join(projectDir, "node_modules/.bin", program);
  const checks = [
    [bin("tsc"), "--noEmit"],
    [bin("eslint"), "."],
    [bin("prettier"), "--check", "--log-level", "warn", "."],
  ];
  const runner = ["--test", "--test-concurrency", "4", "--test-timeout", "120000"];
  const tests = [process.execPath, ...runner, ...(files.length === 0 ? ["test/**/*.test.ts"] : files)];
  for (const [program = "", ...args] of files.length === 0 ? [...checks, tests] : [tests]) {
    const { status } = spawnSync(program, args, { cwd: projectDir, stdio: "inherit" });
    process.exitCode = status ?? 1;
    if (status !== 0) break;
  }
  return Promise.resolve();
});
