/** README and guides stay readable: short sentences, and the field's own terms. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "./rendered.ts";

const pages = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...readdirSync(join(projectDir, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];
const textOf = (page: string): string =>
  readFileSync(join(projectDir, page), "utf8")
    .replaceAll(/^```[^]*?^```$/gm, "")
    .replaceAll(/<!--[^]*?-->/g, "")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1");

/** Of paragraphs, of entries of lists, and of cells that say more than a name. */
function sentences(text: string): string[] {
  const blocks = text
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)|\n(?=[|#])/)
    .map((block) => block.trim().replaceAll(/\s+/g, " "));
  return blocks
    .filter((block) => !block.startsWith("#"))
    .flatMap((block) => (block.startsWith("|") ? block.split("|") : [block]).map((part) => [part, block] as const))
    .flatMap(([part, block]) =>
      part
        .trim()
        .replace(/^(?:[-*]|\d+\.)\s+/, "")
        .split(/(?<=[.!?])\s+/)
        .filter((sentence) => wordsIn(sentence) >= (block.startsWith("|") ? 6 : 3)),
    );
}

const wordsIn = (text: string): number => text.split(/\s+/).filter((word) => /\w/.test(word)).length;
const atShare = (sorted: readonly number[], share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;

for (const page of pages)
  test(`${page}: half of the sentences have at most 16 words, nine in ten at most 28`, () => {
    const lengths = sentences(textOf(page))
      .map(wordsIn)
      .sort((a, b) => a - b);
    assert.ok(lengths.length > 5, `${lengths.length} sentences`);
    assert.ok(atShare(lengths, 0.5) <= 16, `median ${atShare(lengths, 0.5)}`);
    assert.ok(atShare(lengths, 0.9) <= 28, `90th percentile ${atShare(lengths, 0.9)}`);
  });

/** Home-made words, and what is said instead. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/\bmend(s|ed|ing)?\b/i, "fix"],
  [/\bturns? over\b/i, "rotate"],
  [/\bholes?\b/i, "vulnerability"],
  [/\bpredicates?\b/i, "rule"],
  [/(?<!HTTPS )\bentrance\b/i, "edge"],
  [/\bis no (?!more\b|longer\b|known\b)[a-z]+\./i, "is not a …"],
];

test("no page has a home-made word for what has a name", () => {
  for (const page of pages)
    for (const [word, said] of instead) {
      const [found] = word.exec(textOf(page)) ?? [];
      assert.equal(found, undefined, `${page}: "${found ?? ""}"; write "${said}"`);
    }
});
