/** The command as it is run: what it prints, and that the picture in the README is that. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { drawn, stackDiagram } from "../../../tools/diagram/diagram.ts";
import { projectDir } from "../../config/refusal.ts";
import { parsed } from "./parsed.ts";

const diagram = (...args: string[]) =>
  spawnSync(process.execPath, [join(projectDir, "tools/commands/diagram.ts"), ...args], {
    encoding: "utf8",
    // Neither credentials nor anything of the user's is needed.
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      TESTED_CHECKOUT: process.env["TESTED_CHECKOUT"],
    },
  });

const regenerate = "npm run diagram -- production --out docs/architecture.svg";

test("the picture in the README is what the command draws", () => {
  const { stdout, status } = diagram("production");
  assert.equal(status, 0);
  const committed = readFileSync(join(projectDir, "docs/architecture.svg"), "utf8");
  assert.ok(stdout === committed, `docs/architecture.svg is not what the stack is now; draw it again: ${regenerate}`);
  assert.match(
    readFileSync(join(projectDir, "README.md"), "utf8"),
    /<img [^>]*src="docs\/architecture\.svg" alt="[^"]+"/,
  );
});

test("every stack is drawn", () => {
  for (const stack of ["local", "staging"]) assert.equal(parsed(drawn(stackDiagram(stack))).name, "svg");
});

test("what is wrong is said with the way out", () => {
  const cases = [
    [[], /Name exactly one stack\.\nRun for example: npm run --silent diagram -- staging/],
    [["nowhere"], /There is no .*Pulumi\.nowhere\.yaml/],
    [["staging", "--out", "/nowhere/stack.svg"], /\/nowhere\/stack\.svg could not be written: .*ENOENT/],
  ] as const;
  for (const [args, expected] of cases) {
    const { stderr, stdout, status } = diagram(...args);
    assert.match(stderr, expected);
    assert.deepEqual([stdout, status], ["", 1]);
  }
});
