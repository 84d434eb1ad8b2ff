/** Objects are written as the library writes them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse, parseAllDocuments, stringify } from "yaml";
import { objectYaml, toYaml } from "../../local/yaml.ts";

const library = (object: object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", "no", "~", "1.10", "0x1f", "a: b", "a #b", "- a", " a", "a ", "'", '"', "{{ a }}", "2026-01-01"),
  // Blocks of lines, also with indentation, blank lines and spaces at their ends.
  fc
    .array(fc.constantFrom("", " ", "a", "  b", "c  ", "# d", "e: f", "\tg"), { maxLength: 5 })
    .map((all) => all.join("\n")),
);
const key = fc.oneof(fc.stringMatching(/^\w[\w./-]{0,11}$/), fc.constantFrom("", "no", "1", "a b", "a: b", "#", "<<"));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));

test("any object is written as the library would write it", () => {
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 5 }), (object) => {
      assert.equal(objectYaml(object), library(object));
    }),
    { numRuns: 2000 },
  );
});

test("what is undefined is left out, and the same thing twice is written twice", () => {
  const labels = { a: "b" };
  assert.equal(objectYaml({ one: labels, none: undefined, two: [labels] }), "one:\n  a: b\ntwo:\n  - a: b\n");
});

test("objects are documents of one stream", () => {
  const objects = [
    { kind: "A", data: { text: "a\n\nb\n" } },
    { kind: "B", list: [[1, [2]], {}, []] },
  ];
  assert.deepEqual(
    parseAllDocuments(toYaml(objects)).map((document) => document.toJS() as unknown),
    objects,
  );
  assert.deepEqual(parse(toYaml(objects.slice(0, 1))), objects[0]);
});
