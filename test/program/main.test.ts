/** The check that Pulumi runs first: an old Node.js would fail with "Unknown file extension .ts". */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { projectDir } from "./rendered.ts";

/** Imports main.js in a Node.js that claims another version. */
function runOn(version: string): string {
  const claim = `Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });`;
  const { stderr } = spawnSync(process.execPath, ["--eval", `${claim} import("./main.js")`], {
    cwd: projectDir,
    encoding: "utf8",
  });
  return stderr;
}

for (const version of ["20.20.2", "22.17.9"])
  test(`Node.js ${version} is refused with the fix`, () => {
    assert.match(runOn(version), /Node\.js 22\.18 or newer is needed/);
  });

test("a recent Node.js gets as far as the config", () => {
  const stderr = runOn("22.18.0");
  assert.doesNotMatch(stderr, /Node\.js 22\.18/);
  assert.match(stderr, /[\w-]+:domain/);
});
