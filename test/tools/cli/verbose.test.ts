import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../tools/cli/run.ts";
import { createProgress } from "../../../tools/cli/progress.ts";
import { beVerbose } from "../../../tools/cli/verbose.ts";

const shell = (script: string, confidential = false) => run("sh", ["-c", script], { confidential });

test("what is run and what it prints is told in order, secrets by their size alone, and the result stays the same", async () => {
  assert.equal(await shell("echo before"), "before\n"); // Nobody asked.
  let told = "";
  beVerbose((text) => {
    told += text;
  });
  assert.equal(await shell("echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three"), "one\nthree");
  assert.equal(await shell("echo the-secret", true), "the-secret\n");
  await assert.rejects(shell("echo 'it''s' broken; exit 3"));
  assert.equal(
    told,
    `$ sh -c 'echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three'
sh | one
sh | two
sh | three
$ sh -c 'echo the-secret'
sh | (11 characters that this command reads, and that may hold secrets)
$ sh -c 'echo '\\''it'\\'''\\''s'\\'' broken; exit 3'
sh | its broken
sh | ended with status 3
`,
  );
});

test("the live line gives way to what is told", async () => {
  let written = "";
  const terminal = { isTTY: true, write: (text: string) => (written += text) };
  await createProgress(terminal, { TERM: "xterm" }).step("one", () => Promise.resolve());
  assert.match(written, /^ {2}one …\n✓ one 0\.\d s\n$/);
});
