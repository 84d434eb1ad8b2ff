/** The notes of a release: its section of CHANGELOG.md, in the form of https://keepachangelog.com/en/1.1.0/. */
import { Problem } from "../cli/problem.ts";

/**
 * @param version as in package.json, without a `v`
 * @returns the text below the version's heading, up to the next version or the links at the end
 * @throws Problem where there is no such section, or nothing in it
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
      `CHANGELOG.md has no notes of version ${version}.`,
      `Add a section "## [${version}] - YYYY-MM-DD", or set "version" in package.json to one that has notes.`,
    );
  return `${notes}\n`;
}
