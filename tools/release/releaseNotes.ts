/** The notes of a release: its section of CHANGELOG.md, in the form of https://keepachangelog.com/en/1.1.0/. */
import { Problem } from "../cli/problem.ts";

/**
 * @param version as in package.json, without a `v`
 * @returns the text below the version's heading, without the links at the end of the file
 * @throws Problem if there is no such section, or it is empty
 */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m).slice(1);
  const section = sections.find((text) => text.startsWith(`## [${version}] - `));
  const notes =
    section
      ?.replace(/^.*\n/, "")
      .replaceAll(/^\[[^\]]+\]: .*\n?/gm, "")
      .trim() ?? "";
  if (notes === "")
    throw new Problem(
      `CHANGELOG.md has no notes for version ${version}.`,
      `Add a section "## [${version}] - YYYY-MM-DD", or set "version" in package.json to one that has notes.`,
    );
  return `${notes}\n`;
}
