import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { countChanges } from "../../../tools/stack/pulumiCli.ts";
import { fixFor, knownMessages } from "../../../tools/stack/pulumiMessages.ts";

test("every kind of change counts, and those of the preview do not", () => {
  const text = `Previewing update (local):
Resources:
    + 2 to create
    +-1 to replace
Updating (local):
Outputs:
    url: "https://shop.localhost/"
Resources:
    + 2 created
    ~ 3 updated
    - 1 deleted
    +-4 replaced
    10 changes. 12 unchanged
`;
  assert.equal(countChanges(text), 10);
  assert.equal(countChanges("Resources:\n    28 unchanged\n"), 0);
});

test("an update that failed within its preview has no summary", () => {
  assert.equal(countChanges("error: preview failed\n"), 0);
});

test("what Pulumi says leads to a fix, and the guide has the same messages", () => {
  const guide = readFileSync(join(projectDir, "docs/troubleshooting.md"), "utf8");
  for (const { says } of knownMessages) assert.ok(guide.includes(`\`…${says}…\``), says);
  const locked = "error: the stack is currently locked by 1 lock(s). Either wait for the other process";
  assert.match(fixFor(locked) ?? "", /pulumi cancel/);
  assert.match(
    fixFor('error: resource "urn:…" cannot be deleted\nbecause it is protected.') ?? "",
    /deletionProtection/,
  );
  assert.equal(fixFor("error: something else"), undefined);
});
