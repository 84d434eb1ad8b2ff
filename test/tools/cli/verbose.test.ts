import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../tools/cli/run.ts";
import { createProgress } from "../../../tools/cli/progress.ts";
import { beVerbose } from "../../../tools/cli/verbose.ts";

const shell = (script: string, confidential = false) => run("sh", ["-c", script], { confidential });

test("--verbose prints commands and their output in order, but only the length of secrets, and does not change the result", async () => {
  assert.equal(await shell("echo before"), "before\n"); // Not verbose yet.
  let output = "";
  beVerbose((text) => {
    output += text;
  });
  assert.equal(await shell("echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three"), "one\nthree");
  assert.equal(await shell("echo the-secret", true), "the-secret\n");
  await assert.rejects(shell("echo 'it''s' broken; exit 3"));
  assert.equal(
    output,
    `$ sh -c 'echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three'
sh | one
sh | two
sh | three
$ sh -c 'echo the-secret'
sh | (11 characters, not shown because they may contain secrets)
$ sh -c 'echo '\\''it'\\'''\\''s'\\'' broken; exit 3'
sh | its broken
sh | ended with status 3
`,
  );
});

test("with --verbose there is no live line", async () => {
  let written = "";
  const terminal = { isTTY: true, write: (text: string) => (written += text) };
  await createProgress(terminal, { TERM: "xterm" }).step("one", () => Promise.resolve());
  assert.match(written, /^ {2}one …\n✓ one 0\.\d s\n$/);
});
