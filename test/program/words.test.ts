/** Guides and comments stay readable: short sentences, and the standard terms of the field. */
import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
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

/** The sentences of paragraphs, of list items, and of table cells with more than a name. */
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

function assertShort(found: readonly string[], median: number, ninetieth: number): void {
  const lengths = found.map(wordsIn).sort((a, b) => a - b);
  assert.ok(lengths.length > 5, `${lengths.length} sentences`);
  const longest = [...found].sort((a, b) => wordsIn(b) - wordsIn(a)).slice(0, 5);
  const why = `Shorten some sentences. The longest:\n${longest.map((text) => `${wordsIn(text)} words: ${text}`).join("\n")}`;
  assert.ok(atShare(lengths, 0.5) <= median, `median ${atShare(lengths, 0.5)}. ${why}`);
  assert.ok(atShare(lengths, 0.9) <= ninetieth, `90th percentile ${atShare(lengths, 0.9)}. ${why}`);
}

for (const page of pages)
  test(`${page}: half of the sentences have at most 16 words, nine in ten at most 28`, () => {
    assertShort(sentences(textOf(page)), 16, 28);
  });

const folders = ["names", "nginx", "components", "config", "policy", "services/sample", "tools", "test"];

interface Code {
  readonly file: string;
  readonly comments: readonly string[];
  /** Parts of string literals and templates. */
  readonly strings: readonly string[];
}

const code: readonly Code[] = globSync(["*.{ts,js}", ...folders.map((folder) => `${folder}/**/*.{ts,js,mjs}`)], {
  cwd: projectDir,
  exclude: ["**/node_modules/**"],
})
  .sort()
  .map((file) => ({ file, ...parse(readFileSync(join(projectDir, file), "utf8")) }));

function parse(text: string): Omit<Code, "file"> {
  const source = ts.createSourceFile("code.ts", text, ts.ScriptTarget.Latest, true);
  const ranges = new Map<number, number>();
  const strings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    children.forEach(visit);
    if (children.length > 0) return;
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      strings.push(node.text);
    const around = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of around) ranges.set(pos, end);
  };
  visit(source);
  return { comments: joined(text, ranges), strings };
}

/** Comments without their delimiters; `//` on consecutive lines is one comment. */
function joined(text: string, ranges: ReadonlyMap<number, number>): string[] {
  const comments: string[] = [];
  let last = -1;
  for (const [pos, end] of [...ranges].sort(([a], [b]) => a - b)) {
    const content = text
      .slice(pos, end)
      .replaceAll(/^\/\/ ?|^\/\*\*?|\*\/$/g, "")
      .replaceAll(/^\s*\* ?/gm, "")
      .trim();
    const continues = text.startsWith("//", pos) && /^\n[ \t]*$/.test(text.slice(last, pos));
    if (!/^(eslint|prettier)-/.test(content)) comments.push(continues ? `${comments.pop() ?? ""} ${content}` : content);
    last = end;
  }
  return comments;
}

const sentencesOf = (comment: string): string[] =>
  comment
    .replaceAll(/\(?https?:\/\/[^\s)]+\)?/g, "")
    .replaceAll(/\s+/g, " ")
    .split(/(?<=[.!?]) /)
    .filter((sentence) => wordsIn(sentence) >= 3);

for (const folder of folders)
  test(`comments in ${folder}: half of the sentences have at most 12 words, nine in ten at most 20`, () => {
    const comments = code.filter(({ file }) => file.startsWith(`${folder}/`)).flatMap((each) => each.comments);
    assertShort(comments.flatMap(sentencesOf), 12, 20);
  });

test("comments are found in every form, and nowhere else", () => {
  const text = [
    "/** One. */",
    "const a = `// ${/* two */ 1} // no`; // Three",
    "// goes on.",
    "// Four.",
    'f("/* no */")',
  ];
  assert.deepEqual(parse(text.join("\n")).comments, ["One.", "two", "Three goes on. Four."]);
});

/** Home-made words, and the standard term for each. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/\bmend(s|ed|ing)?\b/i, "fix"],
  [/\bturns? over\b/i, "rotate"],
  [/\bholes?\b/i, "vulnerability"],
  [/\bpredicates?\b/i, "rule"],
  [/(?<!HTTPS )\bentrance\b/i, "edge"],
  [/(?<!there )\bis no (?!more\b|longer\b|known\b)[a-z]+\./i, "is not a …"],
];

/** The same for comments, test titles and messages. */
const insteadInCode: typeof instead = [
  ...instead,
  [/\btold\b/i, "get, know, print; by default"],
  [/\bvouch(es|ed)?\b/i, "verify, sign, trust"],
  [/\b(is|are) wanted\b/i, "expected, required"],
  [/\b(is|are) to be\b/i, "must be; or the imperative"],
  [/\bthat is none\b/i, "an invalid …"],
  [/\bwhere there (is|are)\b/i, "if, with"],
  [/\bunder way\b/i, "active, in progress"],
  [/\banew\b/i, "again, recreate"],
  [/\bthrown away\b/i, "removed"],
  [/\blooked (at|for)\b/i, "checked, searched"],
  [/\bpatience\b/i, "timeout"],
];

function assertStandard(where: string, text: string, words: typeof instead): void {
  for (const [word, term] of words) {
    const [found] = word.exec(text) ?? [];
    assert.equal(found, undefined, `${where}: "${found ?? ""}"; write "${term}"`);
  }
}

test("no page has a home-made word for a standard term", () => {
  for (const page of pages) assertStandard(page, textOf(page), instead);
});

test("no comment has a home-made word for a standard term", () => {
  for (const { file, comments } of code) assertStandard(file, comments.join("\n"), insteadInCode);
});

test("no message and no test title has a home-made word for a standard term", () => {
  for (const { file, strings } of code)
    if (!file.endsWith("words.test.ts")) assertStandard(file, strings.join("\n"), insteadInCode);
});
