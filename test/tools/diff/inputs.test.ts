/** Which inputs differ, and which of them replace. The rules are those of Terraform's SDK, on which the providers are built. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { covers, differences, leaves, replaces, written } from "../../../tools/diff/inputs.ts";
import type { TypeFacts } from "../../../tools/diff/providerFacts.ts";

const none: TypeFacts = { replacing: [] };
type Inputs = Readonly<Record<string, unknown>>;
const paths = (before: Inputs, after: Inputs, facts = none) =>
  differences(before, after, facts).map(({ path }) => written(path));
const replacing = (before: Inputs, after: Inputs, facts: TypeFacts) =>
  differences(before, after, facts)
    .filter(({ path }) => replaces(path, facts))
    .map(({ path }) => written(path));

test("values, maps, lists of maps and lists of values", () => {
  assert.deepEqual(paths({ a: 1, b: { c: "x" } }, { b: { c: "x" }, a: 1 }), []);
  assert.deepEqual(paths({ a: 1 }, { a: 2 }), ["a"]);
  assert.deepEqual(paths({ a: "1" }, { a: 1 }), ["a"]);
  assert.deepEqual(paths({ b: { c: "x", d: 1 } }, { b: { c: "y", d: 1 } }), ["b.c"]);
  assert.deepEqual(paths({ labels: { "a.b/c": "x" } }, { labels: { "a.b/c": "y" } }), ['labels["a.b/c"]']);
  assert.deepEqual(paths({ l: [{ a: 1 }, { a: 2 }] }, { l: [{ a: 1 }, { a: 3 }, { a: 4 }] }), ["l[1].a", "l[2].a"]);
  assert.deepEqual(paths({ l: ["a", "b"] }, { l: ["b", "a"] }), ["l"]);
  assert.deepEqual(paths({}, { a: { b: 1 }, l: [{ c: 1 }] }), ["a.b", "l[0].c"]);
  assert.deepEqual(differences({ a: 1 }, { b: 2 }, none), [
    { path: ["a"], before: 1, after: undefined },
    { path: ["b"], before: undefined, after: 2 },
  ]);
});

test("an empty value is the same as none, and an absent one is its default", () => {
  assert.deepEqual(paths({ a: false, b: "", c: 0, d: [], e: {}, f: null }, {}), []);
  assert.deepEqual(paths({ a: { b: false } }, { a: { b: null } }), []);
  const facts: TypeFacts = { replacing: [], defaults: { "a.b": true, c: "x" } };
  assert.deepEqual(paths({ a: { b: true }, c: "x" }, { a: { d: 0 } }, facts), []);
  assert.deepEqual(paths({ a: { b: true } }, { a: { b: false } }, facts), ["a.b"]);
  assert.deepEqual(paths({ c: "y" }, {}, facts), ["c"]);
  assert.deepEqual(paths({ a: { b: false } }, { a: {} }, facts), ["a.b"]);
  const inSet: TypeFacts = { replacing: [], sets: ["s"], defaults: { "s.b": 1 } };
  assert.deepEqual(paths({ s: [{ a: 1, b: 1 }] }, { s: [{ a: 1 }] }, inSet), []);
  assert.deepEqual(paths({ s: [{ a: 1, b: 2 }] }, { s: [{ a: 1 }] }, inSet), ["s"]);
});

test("a block differs if it appears or disappears, even if all in it has its default", () => {
  const facts: TypeFacts = { replacing: ["f"], kept: ["k"], defaults: { "a.b": true } };
  assert.deepEqual(paths({ a: { b: true } }, {}, facts), ["a"]);
  assert.deepEqual(paths({}, { a: { b: true, c: 1 } }, facts), ["a.c"]);
  // Google may have a computed block already, with the same values.
  assert.deepEqual(paths({}, { k: { f: { d: false } } }, { replacing: ["k.f"], kept: ["k"] }), []);
  assert.deepEqual(paths({}, { k: { d: 1 } }, facts), ["k.d"]);
});

test("the provider keeps what is removed, if it computes the input; not in a removed block", () => {
  const facts: TypeFacts = { replacing: ["a.b"], kept: ["a.b", "zones"] };
  assert.deepEqual(paths({ zones: ["a"], other: 1 }, {}, facts), ["other"]);
  assert.deepEqual(paths({ a: { b: 1, c: 1 } }, { a: { c: 1 } }, facts), []);
  assert.deepEqual(paths({ a: { b: 1, c: 1 } }, {}, facts), ["a.b", "a.c"]);
  assert.deepEqual(paths({ a: { b: 1 } }, {}, { replacing: [], kept: ["a"] }), []);
  assert.deepEqual(paths({ zones: ["a"] }, { zones: ["b"] }, facts), ["zones"]);
  assert.deepEqual(paths({ a: { b: true } }, { a: { b: false } }, facts), ["a.b"]);
});

test("the order of a set means nothing; another element is one difference of the set", () => {
  const facts: TypeFacts = { replacing: ["deep.key"], sets: ["zones", "rules", "deep"] };
  assert.deepEqual(paths({ zones: ["a", "b"] }, { zones: ["b", "a"] }, facts), []);
  assert.deepEqual(paths({ rules: [{ a: 1, b: 2 }, { a: 3 }] }, { rules: [{ a: 3 }, { b: 2, a: 1 }] }, facts), []);
  assert.deepEqual(paths({ rules: [{ a: 1 }] }, { rules: [{ a: 1 }, { a: 2 }] }, facts), ["rules"]);
  assert.deepEqual(replacing({ rules: [{ a: 1 }] }, { rules: [{ a: 2 }] }, facts), []);
  assert.deepEqual(replacing({ deep: [{ key: 1, a: 1 }] }, { deep: [{ key: 1, a: 2 }] }, facts), ["deep"]);
});

test("only the listed inputs replace; a block, if it appears or disappears; a map, by any key", () => {
  const facts: TypeFacts = { replacing: ["region", "block", "block.fixed", "list", "list.fixed", "map.*"] };
  assert.deepEqual(replacing({ region: "a", x: 1 }, { region: "b", x: 2 }, facts), ["region"]);
  assert.deepEqual(replacing({ block: { a: 1, fixed: 1 } }, { block: { a: 2, fixed: 1 } }, facts), []);
  assert.deepEqual(replacing({ block: { a: 1, fixed: 1 } }, { block: { a: 1, fixed: 2 } }, facts), ["block.fixed"]);
  assert.deepEqual(replacing({ block: { a: 1 } }, {}, facts), ["block"]);
  assert.deepEqual(replacing({}, { block: { a: 1 } }, facts), ["block"]);
  assert.deepEqual(replacing({ list: [{ a: 1 }] }, { list: [{ a: 2 }] }, facts), []);
  assert.deepEqual(replacing({ list: [{ a: 1 }] }, { list: [{ a: 1 }, { a: 1 }] }, facts), ["list"]);
  assert.deepEqual(replacing({ list: [{ fixed: 1 }] }, { list: [{ fixed: 2 }] }, facts), ["list[0].fixed"]);
  assert.deepEqual(replacing({ map: { a: 1 } }, { map: { a: 2 } }, facts), ["map.a"]);
  assert.deepEqual(replacing({ mapper: 1 }, { mapper: 2 }, facts), []);
});

test("patterns of options cover a path and what is below it", () => {
  const path = ["a", 0, "b.c", "d"];
  for (const pattern of ["a", "a[0]", 'a[0]["b.c"]', 'a[0]["b.c"].d', "a[*]", "*", 'a.*["b.c"]'])
    assert.ok(covers(pattern, path), pattern);
  for (const pattern of ["b", "a[1]", "a.b", 'a[0]["b.c"].d.e', "a[0].b"]) assert.ok(!covers(pattern, path), pattern);
  assert.equal(written(path), 'a[0]["b.c"].d');
});

test("all leaves of a value, with their paths", () => {
  const found: [string, unknown][] = [];
  leaves({ a: [{ b: 1 }, "x"], c: { d: null } }, (path, leaf) => found.push([written(path), leaf]));
  assert.deepEqual(found, [
    ["a[0].b", 1],
    ["a[1]", "x"],
    ["c.d", null],
  ]);
});
