/** Edits of stack files keep comments and formatting. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { project } from "../../../names/project.ts";
import { stacksDir } from "../../../tools/cli/paths.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { withFullKeys } from "../../../tools/stack/editStackFile.ts";

const stackFiles = readdirSync(stacksDir).filter((file) => /^Pulumi\.\w+\.yaml$/.test(file));

test("keys get the project's name, and nothing else of a stack file changes", () => {
  assert.ok(stackFiles.length >= 3);
  for (const file of stackFiles) {
    const text = readFileSync(join(stacksDir, file), "utf8");
    const full = withFullKeys(text, file);
    assert.equal(full, text.replaceAll(/^ {2}(?=\w+:( |$))/gm, `  ${project}:`), file);
    assert.match(full, /^ {2}[\w-]+:services:( |$)/m);
    assert.equal(withFullKeys(full, file), full);
  }
});

test("a text that is not a stack file is rejected", () => {
  for (const text of ["config: [", "config: [1]", "", "a: b"])
    assert.throws(
      () => withFullKeys(text, "Pulumi.x.yaml"),
      (error) => error instanceof Problem && error.message === "Pulumi.x.yaml is not a stack file.",
    );
});
