/** YAML means the same to this project, to the Pulumi CLI and to kubectl, or is refused. It needs Go, and no cluster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse, parseAllDocuments } from "yaml";
import { parseStackFile, StackFileError } from "../../config/stackFile.ts";
import { asText } from "../../tools/stack/stackFile.ts";
import { toYaml } from "../../tools/stack/yaml.ts";
import { askGo } from "./support/goProgram.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** What looks like numbers, times, switches and nothing, whole or in pieces. */
const pieces = [
  ...["0", "1", "7", "8", "9", "00", "10", "64", "2026", "9223372036854775807", "18446744073709551616"],
  ...["-", "+", "_", ".", ":", ",", "e", "E", "x", "X", "o", "O", "b", "B", "T", "t", "Z", " "],
  ...["a", "F", "y", "n", "yes", "No", "on", "off", "true", "True", "TRUE", "false", "null", "Null", "~", "inf", "nan"],
  ...["2026-01-03", "17:00:00", "+09:00", "2026-1-3", "0777", "0x1F", "0b101", "0o17", "1_000", "1e3", "1.10", ".5"],
  ...["<", "<<", "=", "!", "%", "é", "\u0085", "\u2028", "\ufeff", "\t"],
];
const scalar = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
const quoted = fc.oneof(
  scalar.map((text) => `'${text.replaceAll("'", "''")}'`),
  scalar.map((text) => JSON.stringify(text)),
);
const leaf = fc.oneof(
  { weight: 6, arbitrary: scalar },
  quoted,
  fc.constantFrom("*a", "*b", "{}", "[]", "|\n    text\n", "!!str 12", ""),
);
const key = fc.oneof({ weight: 4, arbitrary: fc.constantFrom("a", "b", "c", "env", "ID") }, scalar, quoted);

const { node } = fc.letrec<{ node: string; map: string; list: string }>((tie) => ({
  node: fc.oneof({ maxDepth: 3, depthSize: "small" }, leaf, tie("map"), tie("list")),
  map: fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: fc.tuple(key, tie("node")).map(([name, value]) => `${name}: ${value}`) },
        fc.constantFrom("<<: *a", "<<: [*a, *b]", "<<: {a: 1}", "<<: 1"),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((entries) => `{${entries.join(", ")}}`),
  list: fc.array(tie("node"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
}));
const file = fc
  .tuple(fc.array(fc.tuple(key, node), { maxLength: 4 }), fc.boolean())
  .map(([entries, anchors]) =>
    [
      "config:",
      ...(anchors ? ["  a1: &a {a: 01, z: 1}", "  b1: &b {a: 2, y: 0x10}"] : []),
      ...entries.map(([name, value]) => `  ${name}: ${value}`),
      "",
    ].join("\n"),
  );
const oneScalar = scalar.map((text) => `config:\n  k: ${text}\n  env: {A: ${text}, B: [${text}]}\n`);

/** Reasons for which more is refused here than by the CLI, which would change the text, or crash. */
const stricter =
  /is not text as a key|is not known here|is not a number that JSON has|is there twice|is at the top of the file|ends a line for the CLI|has a colon|is a merge to the CLI|within braces has no/;
/** What yaml 2 calls an error, and Go reads. */
const otherSyntax = /^it is not YAML: /;

const exact = (_: string, value: unknown, { source }: { source?: string } = {}) =>
  typeof value === "number" && source !== undefined ? { number: source } : value;
const comparable = (text: string): unknown => {
  try {
    return JSON.parse(text, exact) as unknown;
  } catch {
    return text;
  }
};

test("a stack file is read as the Pulumi CLI reads it, or is refused", async (context) => {
  context.diagnostic(`SEED=${seed}`);
  const texts = fc.sample(fc.oneof(file, oneScalar), { numRuns: 10_000, seed });
  const answers = await askGo("goYaml", ["pulumi"], texts);
  const counts = { same: 0, refusedByBoth: 0, stricter: 0, syntax: 0 };
  for (const [index, text] of texts.entries()) {
    const answer = answers[index] ?? assert.fail("no answer");
    let values: ReadonlyMap<string, unknown>;
    try {
      ({ values } = parseStackFile(text));
    } catch (error) {
      assert.ok(error instanceof StackFileError, `${text}\n${String(error)}`);
      if ("error" in answer) counts.refusedByBoth++;
      else if (stricter.test(error.message)) counts.stricter++;
      else {
        assert.match(error.message, otherSyntax, text);
        counts.syntax++;
      }
      continue;
    }
    assert.ok("value" in answer, `taken here, refused by the CLI: ${JSON.stringify(text)}\n${JSON.stringify(answer)}`);
    const ours = Object.fromEntries([...values].map(([name, value]) => [name, comparable(asText(value))]));
    const theirs = Object.fromEntries(
      Object.entries(answer.value as Record<string, string>).map(([name, value]) => [name, comparable(value)]),
    );
    assert.deepEqual(ours, theirs, JSON.stringify(text));
    counts.same++;
  }
  context.diagnostic(JSON.stringify(counts));
  assert.ok(counts.same > 4000 && counts.refusedByBoth > 500, JSON.stringify(counts));
});

test("rendered YAML is the same text to readers of YAML 1.1 and of YAML 1.2", async (context) => {
  context.diagnostic(`SEED=${seed}`);
  const lines = fc.array(fc.constantFrom("\n", "\n", "\t", " ", "a", "#", "-", ":", "\r", "---", "..."), {
    maxLength: 8,
  });
  const value = fc.oneof(
    scalar,
    lines.map((parts) => parts.join("")),
    fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
    fc.integer(),
    fc.boolean(),
  );
  const object = fc.record({
    kind: fc.constant("ConfigMap"),
    data: fc.dictionary(fc.oneof(fc.constantFrom("a", "b"), scalar), value),
  });
  const objects = fc.sample(object, { numRuns: 5000, seed });
  const texts = objects.map((each) => toYaml([each]));
  const answers = await askGo("goYaml", ["kubectl"], texts);
  for (const [index, each] of objects.entries()) {
    const text = texts[index] ?? "";
    const expected = JSON.parse(JSON.stringify(each)) as unknown;
    assert.deepEqual(parse(text), expected, text);
    assert.deepEqual(parseAllDocuments(text, { version: "1.1" })[0]?.toJS(), expected, text);
    assert.deepEqual(answers[index], { value: expected }, text);
  }
});
