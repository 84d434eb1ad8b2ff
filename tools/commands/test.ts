/** `npm test [-- FILE…]`: runs all checks and tests that need neither root nor a cluster. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";

const usage = `npm test [-- FILE…]

Checks types, lint and formatting, and runs unit and property tests and tests of rendered routes with a real nginx.
It takes three minutes on 2 cores. With file names it runs only those: npm test -- test/config/routes.test.ts`;

/** A program with its arguments, and what to say and do if it fails. */
type Check = readonly [readonly string[], string?];

await main(usage, {}, ({ positionals: files }) => {
  const bin = (program: string) => join(projectDir, "node_modules/.bin", program);
  const checks: Check[] = [
    [[bin("tsc"), "--noEmit"]],
    [[bin("eslint"), "."], 'ESLint refuses something (see above). "npx eslint . --fix" corrects some of it.'],
    [
      [bin("prettier"), "--check", "--log-level", "warn", "."],
      'These files are not formatted (see above). "npm run format" formats them.',
    ],
  ];
  const runner = ["--test", "--test-concurrency", "4", "--test-timeout", "120000"];
  const tests = [process.execPath, ...runner, ...(files.length === 0 ? ["test/**/*.test.ts"] : files)];
  const passes = ([[program = "", ...args], failure]: Check) => {
    const env = { ...process.env, TESTED_CHECKOUT: projectDir };
    const { status } = spawnSync(program, args, { cwd: projectDir, stdio: "inherit", env });
    if (status !== 0) {
      process.exitCode = status ?? 1;
      if (failure !== undefined) console.error(`error: ${failure}`);
    }
    return status === 0;
  };
  // All checks run, so that one run shows everything to correct. The tests then wait for that.
  const failed = files.length === 0 ? checks.filter((check) => !passes(check)) : [];
  if (failed.length === 0) passes([tests]);
  return Promise.resolve();
});
