/** Which resource is which on both sides. The rules are the engine's: getOldResource in step_generator.go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { identified, predecessors } from "../../../tools/diff/identity.ts";
import type { Registered } from "../../../tools/stack/evaluate.ts";
import { registered } from "./registered.ts";

const [component, network, vpc] = ["shop:index:Cluster", "shop:index:Network", "gcp:compute/network:Network"] as const;
const box = (name: string, rest: Partial<Registered> = {}) =>
  registered(component, name, {}, { custom: false, ...rest });
const child = (name: string, parent: Registered, rest: Partial<Registered> = {}) =>
  registered(vpc, name, {}, { parent: parent.urn, ...rest });

/** Pairs of names. */
function pairs(base: Registered[], head: Registered[]) {
  const [before, after] = [identified(base), identified(head)];
  const old = predecessors(before, after);
  return after.map((resource) => [old.get(resource.fullUrn)?.name, resource.name]);
}

test("the full URN names the types of all parents", () => {
  const outer = box("a");
  const inner = registered(network, "a-network", {}, { custom: false, parent: outer.urn });
  const [, , leaf] = identified([outer, inner, child("a-vpc", inner)]);
  assert.equal(leaf?.urn, "urn:pulumi:staging::shop::shop:index:Network$gcp:compute/network:Network::a-vpc");
  assert.equal(
    leaf.fullUrn,
    "urn:pulumi:staging::shop::shop:index:Cluster$shop:index:Network$gcp:compute/network:Network::a-vpc",
  );
});

test("a resource keeps its identity by its URN, not by its name alone", () => {
  const [a, b] = [registered(vpc, "a"), registered("gcp:compute/router:Router", "a")];
  assert.deepEqual(pairs([a], [b]), [[undefined, "a"]]);
  assert.deepEqual(pairs([a, b], [b, a]), [
    ["a", "a"],
    ["a", "a"],
  ]);
});

test("another parent is another resource, unless an alias says otherwise", () => {
  const [one, two] = [box("one"), registered(network, "two", {}, { custom: false })];
  const old = child("vpc", one);
  assert.deepEqual(pairs([one, old], [two, child("vpc", two)]), [
    [undefined, "two"],
    [undefined, "vpc"],
  ]);
  const moved = child("vpc", two, { aliases: [{ parent: one.urn }] });
  assert.deepEqual(pairs([one, old], [two, moved]).at(-1), ["vpc", "vpc"]);
  const raised = registered(vpc, "vpc", {}, { aliases: [{ urn: identified([one, old])[1]?.fullUrn ?? "" }] });
  assert.deepEqual(pairs([one, old], [raised]), [["vpc", "vpc"]]);
  const lowered = child("vpc", one, { aliases: [{ parent: "" }] });
  assert.deepEqual(pairs([registered(vpc, "vpc")], [one, lowered]).at(-1), ["vpc", "vpc"]);
});

test("an alias with a former name or type", () => {
  assert.deepEqual(pairs([registered(vpc, "old")], [registered(vpc, "new", {}, { aliases: [{ name: "old" }] })]), [
    ["old", "new"],
  ]);
  assert.deepEqual(
    pairs([registered("a:b:Old", "x")], [registered(vpc, "x", {}, { aliases: [{ type: "a:b:Old" }] })]),
    [["x", "x"]],
  );
});

test("children follow a renamed parent, with its name as their prefix", () => {
  const [old, now] = [box("old"), box("new", { aliases: [{ name: "old" }] })];
  assert.deepEqual(
    pairs([old, child("old-vpc", old), child("fixed", old)], [now, child("new-vpc", now), child("fixed", now)]),
    [
      ["old", "new"],
      ["old-vpc", "new-vpc"],
      ["fixed", "fixed"],
    ],
  );
});

test("a name that is still in use is nobody's former name", () => {
  const old = registered(vpc, "old");
  assert.deepEqual(pairs([old], [old, registered(vpc, "new", {}, { aliases: [{ name: "old" }] })]), [
    ["old", "old"],
    [undefined, "new"],
  ]);
});
