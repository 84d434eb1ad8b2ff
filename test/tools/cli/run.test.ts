import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../tools/cli/run.ts";

test("a variable is added to the environment, or removed from it", async (t) => {
  process.env["RUN_TEST"] = "of this process";
  t.after(() => {
    delete process.env["RUN_TEST"];
  });
  const print = ["-c", 'printf "%s" "${RUN_TEST-none}"'];
  assert.equal(await run("sh", print), "of this process");
  assert.equal(await run("sh", print, { env: { RUN_TEST: "of the command" } }), "of the command");
  assert.equal(await run("sh", print, { env: { RUN_TEST: undefined } }), "none");
});
