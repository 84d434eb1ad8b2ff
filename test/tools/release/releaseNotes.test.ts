/** The release notes come from the changelog; without them, the release fails. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { releaseNotes } from "../../../tools/release/releaseNotes.ts";

const changelog = `# Changelog

## [Unreleased]

## [1.10.0] - 2026-12-01

### Added

- A thing.

## [1.1.0] - 2026-11-01

- Another.

[1.1.0]: https://example.com/1.1.0
`;

test("a version's notes are its own section, without the heading and the links", () => {
  assert.equal(releaseNotes(changelog, "1.10.0"), "### Added\n\n- A thing.\n");
  assert.equal(releaseNotes(changelog, "1.1.0"), "- Another.\n");
});

for (const version of ["1.1", "1.10", "2.0.0", "Unreleased"])
  test(`a version without a section fails: ${version}`, () => {
    assert.throws(() => releaseNotes(changelog, version), /CHANGELOG\.md has no notes for version/);
  });

test("the policy pack, whose version previews show, has the project's version", () => {
  const versionOf = (file: string) =>
    (JSON.parse(readFileSync(join(projectDir, file), "utf8")) as { version: string }).version;
  assert.equal(versionOf("policy/package.json"), versionOf("package.json"));
});

test("the README has the minor version", () => {
  const textOf = (file: string) => readFileSync(join(projectDir, file), "utf8");
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  const [, written] = /^Version (\d+\.\d+), /m.exec(textOf("README.md")) ?? [];
  assert.equal(written, version.replace(/\.\d+$/, ""), 'change "Version …" in README.md');
});

test("this version has notes", () => {
  const textOf = (file: string) => readFileSync(join(projectDir, file), "utf8");
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  assert.match(releaseNotes(textOf("CHANGELOG.md"), version), /^### /m);
});
