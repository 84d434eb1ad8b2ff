/** `npm run release-notes`: what CHANGELOG.md says of the version in package.json; the release workflow publishes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";
import { releaseNotes } from "../release/releaseNotes.ts";

const usage = `npm run release-notes

Prints what CHANGELOG.md says of the version in package.json. Without such a section it fails: a release needs notes.
In a pipe, use npm run --silent release-notes.`;

await main(usage, {}, () => {
  const textOf = (file: string) => readFileSync(join(projectDir, file), "utf8");
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  process.stdout.write(releaseNotes(textOf("CHANGELOG.md"), version));
  return Promise.resolve();
});
