/** `npm run release-notes`: prints the release notes that the release workflow publishes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";
import { releaseNotes } from "../release/releaseNotes.ts";

const usage = `npm run release-notes

Prints the section of CHANGELOG.md for the version in package.json. It fails if there is none: a release needs notes.
In a pipe, use npm run --silent release-notes.`;

await main(usage, {}, () => {
  const textOf = (file: string) => readFileSync(join(projectDir, file), "utf8");
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  process.stdout.write(releaseNotes(textOf("CHANGELOG.md"), version));
  return Promise.resolve();
});
