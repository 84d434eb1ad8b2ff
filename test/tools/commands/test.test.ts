/** `npm test` without files: what it reports before any test runs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";

/** `npm test` in a checkout whose checkers print their names, and fail if they are among these. */
function run(t: TestContext, ...failing: string[]) {
  const checkout = mkdtempSync(join(tmpdir(), "test-command-"));
  t.after(() => {
    rmSync(checkout, { recursive: true });
  });
  for (const part of ["tools", "names", "Pulumi.yaml", "package.json"])
    cpSync(join(projectDir, part), join(checkout, part), { recursive: true });
  const modules = join(checkout, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  symlinkSync(join(projectDir, "node_modules/@pulumi"), join(modules, "@pulumi"));
  for (const program of ["tsc", "eslint", "prettier"]) {
    const file = join(modules, ".bin", program);
    writeFileSync(file, `#!/bin/sh\necho "ran ${program}"\nexit ${failing.includes(program) ? 1 : 0}\n`);
    chmodSync(file, 0o755);
  }
  mkdirSync(join(checkout, "test"));
  const print = 'import { test } from "node:test"; test(`of ${process.env.TESTED_CHECKOUT}`, () => {});\n';
  writeFileSync(join(checkout, "test/a.test.ts"), print);
  // Inside a test, a runner of tests would run none.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, "tools/commands/test.ts")], {
    encoding: "utf8",
    timeout: 100_000,
    env,
  });
  return { checkout, status, stdout, stderr };
}

test("lint and formatting are both reported, each with what to do; no test runs before", (t) => {
  const { status, stdout, stderr } = run(t, "eslint", "prettier");
  assert.equal(status, 1);
  assert.equal(stdout, "ran tsc\nran eslint\nran prettier\n");
  assert.deepEqual(stderr.match(/^error: .*$/gm), [
    'error: ESLint refuses something (see above). "npx eslint . --fix" corrects some of it.',
    'error: These files are not formatted (see above). "npm run format" formats them.',
  ]);
});

test("then the tests run, and know whose they are", (t) => {
  const { checkout, status, stdout, stderr } = run(t);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ran tsc\nran eslint\nran prettier\n/);
  assert.ok(stdout.includes(`of ${checkout}`), stdout);
  assert.equal(stderr, "");
});
