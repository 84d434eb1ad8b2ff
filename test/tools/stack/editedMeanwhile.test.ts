/** A stack file that is edited while a command runs. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { editedMeanwhile, readStackFile } from "../../../tools/stack/stackFile.ts";

test("an edit after the file was read is reported, unless its config is the same", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "edited-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "Pulumi.local.yaml");
  writeFileSync(file, "config:\n  domain: shop.localhost\n");
  const readAt = new Date(2026, 0, 2, 3, 4, 5);
  const used = readStackFile(file, "refuse");
  assert.equal(editedMeanwhile(file, used, readAt), undefined);
  writeFileSync(file, "# a comment\nconfig: { domain: shop.localhost }\n");
  assert.equal(editedMeanwhile(file, used, readAt), undefined);
  const said =
    "Pulumi.local.yaml was edited meanwhile. This start used it as it was at 03:04:05: run npm start again to apply the rest.";
  for (const text of ["config: { domain: other.localhost }\n", "config: [\n"]) {
    writeFileSync(file, text);
    assert.equal(editedMeanwhile(file, used, readAt), said);
  }
  rmSync(file);
  assert.equal(editedMeanwhile(file, used, readAt), said);
});
