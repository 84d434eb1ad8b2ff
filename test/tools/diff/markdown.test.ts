import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { code, details, fence, htmlCode, listed, visible } from "../../../tools/diff/markdown.ts";
import { blocks, withoutCode } from "./markdown.ts";

/** Any text, often with Markdown and HTML syntax. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "`",
        "```",
        "````\n",
        "|",
        "\\",
        "</summary>",
        "<!--",
        "\n",
        "\r\n",
        "> ",
        "@here",
        "](x)",
        "\u202e",
      ),
    ),
  ) // prettier-ignore
  .map((parts) => parts.join(""));

test("no text ends its fence", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const [before, inside, after, ...more] = blocks(`before\n${fence(text, "diff")}\nafter`);
      assert.deepEqual([before?.lines, after?.lines, more], [["before"], ["after"], []]);
      assert.equal(inside?.lines.join("\n"), visible(text).trimEnd());
    }),
    { numRuns: 2000 },
  );
  assert.equal(fence("a\n````\nb", "yaml"), "`````yaml\na\n````\nb\n`````");
});

test("a code span is one line, one span and one cell", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.equal(withoutCode(`| ${code(text)} |`), "| CODE |");
      assert.doesNotMatch(code(text), /[|\n\r]/);
      assert.ok(code(text, 20).length <= 20 * "\\u{10ffff}".length);
    }),
    { numRuns: 2000 },
  );
  assert.equal(code("a"), "`a`");
  assert.equal(code("a `b` c"), "``a `b` c``");
  assert.equal(code("`"), "`` ` ``");
  assert.equal(code(" a |\n b "), "`a │ b`");
  assert.equal(code(""), "`  `");
  assert.equal(code("abcdef", 3), "`abc…`");
});

test("no text adds an element to a summary", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const { 1: content } = /^<code>([^<>"\n]*)<\/code>$/.exec(htmlCode(text)) ?? [];
      assert.ok(content !== undefined, htmlCode(text));
      assert.doesNotMatch(content, /&(?!#\d+;)/);
    }),
  );
  assert.equal(htmlCode(`<b a="x">&</b>`), "<code>&#60;b a=&#34;x&#34;&#62;&#38;&#60;/b&#62;</code>");
  assert.equal(details("a", "b"), "<details><summary>a</summary>\n\nb\n\n</details>");
});

test("invisible characters are written out", () => {
  assert.equal(visible("a\u202eb\u0000\u200b\ufeff"), "a\\u{202e}b\\u{0}\\u{200b}\\u{feff}");
  assert.equal(visible("é 漢字 👍\ttab\nline"), "é 漢字 👍\ttab\nline");
});

test("a list has as many items as fit, and counts the others", () => {
  assert.equal(listed(["a", "b", "c"], 100), "- a\n- b\n- c");
  assert.equal(listed(["a", "b", "c"], 8), "- a\n- b\n- … and 1 more");
  assert.equal(listed(["a", "b", "c"], 0), "- … and 3 more");
  assert.equal(listed([], 0), "");
});
