import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { checkAuthorizedNetwork, checkRanges, nodeCapacity } from "../../names/ranges.ts";

const good = { nodes: "10.0.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" };

const problemsOf = (ranges: Parameters<typeof checkRanges>[0]) =>
  checkRanges(ranges).map(({ range, value, found, fix }) => `${range}: ${value} ${found}; ${fix}`);

test("valid ranges without overlap pass", () => {
  assert.deepEqual(problemsOf(good), []);
  assert.deepEqual(problemsOf({ ...good, controlPlane: "172.16.0.0/28", maxNodes: 1024 }), []);
});

test("each problem names the value and the allowed values", () => {
  const cases: [object, string[]][] = [
    [{ nodes: "10.0.0.0" }, ["nodes: 10.0.0.0 is not an IPv4 range; write it as in 10.0.0.0/20"]],
    [{ nodes: "10.0.0.0/99" }, ["nodes: 10.0.0.0/99 is not an IPv4 range; write it as in 10.0.0.0/20"]],
    [{ nodes: "10.0.0.256/20" }, ["nodes: 10.0.0.256/20 is not an IPv4 range; write it as in 10.0.0.0/20"]],
    [{ nodes: "fd00::/20" }, ["nodes: fd00::/20 is not an IPv4 range; write it as in 10.0.0.0/20"]],
    [{ nodes: "10.0.0.1/20" }, ["nodes: 10.0.0.1/20 has bits set behind its /20; write 10.0.0.0/20"]],
    [{ nodes: "10.0.0.0/30" }, ["nodes: 10.0.0.0/30 is a /30; choose one from /8 (widest) to /29 (narrowest)"]],
    [{ pods: "10.4.0.0/22" }, ["pods: 10.4.0.0/22 is a /22; choose one from /9 (widest) to /21 (narrowest)"]],
    [{ services: "10.8.0.0/28" }, ["services: 10.8.0.0/28 is a /28; choose one from /16 (widest) to /27 (narrowest)"]],
    [{ controlPlane: "172.16.0.0/27" }, ["controlPlane: 172.16.0.0/27 is a /27; choose a /28"]],
    [
      { services: "34.118.224.0/20" },
      [
        "services: 34.118.224.0/20 is not private; choose one within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 198.18.0.0/15, 240.0.0.0/4",
      ],
    ],
    [
      { services: "10.4.0.0/20" },
      ["pods: 10.4.0.0/14 overlaps with services, which is 10.4.0.0/20; give each addresses of its own"],
    ],
    [
      { pods: "10.16.0.0/20", maxNodes: 17 },
      [
        "nodes: 10.0.0.0/20 and pods, which is 10.16.0.0/20, have room for 16 nodes, but there may be 17 in all zones together; " +
          "widen them: a node takes one address and a /24 of pods",
      ],
    ],
  ];
  for (const [change, expected] of cases) assert.deepEqual(problemsOf({ ...good, ...change }), expected);
});

test("all problems are reported together", () => {
  assert.equal(problemsOf({ nodes: "a", pods: "10.4.0.1/30", services: "8.8.0.0/20" }).length, 4);
});

const dotted = (address: number) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
/** Ranges within 10.0.0.0/8 without host bits. */
const range = (widest: number, narrowest: number) =>
  fc.tuple(fc.nat(2 ** 24 - 1), fc.integer({ min: widest, max: narrowest })).map(([offset, prefix]) => {
    const size = 2 ** (32 - prefix);
    const first = 10 * 2 ** 24 + Math.floor(offset / size) * size;
    return { first, last: first + size - 1, text: `${dotted(first)}/${prefix}` };
  });

test("property: well-formed ranges are refused if and only if two of them overlap", () => {
  fc.assert(
    fc.property(range(8, 29), range(9, 21), range(16, 27), (nodes, pods, services) => {
      const pairs = [
        [nodes, pods],
        [nodes, services],
        [pods, services],
      ] as const;
      const overlapping = pairs.filter(([a, b]) => Math.max(a.first, b.first) <= Math.min(a.last, b.last)).length;
      const problems = problemsOf({ nodes: nodes.text, pods: pods.text, services: services.text });
      assert.equal(problems.length, overlapping);
      assert.ok(problems.every((problem) => problem.includes("overlap")));
    }),
  );
});

test("property: a range with host bits is refused, and the range in the message is accepted", () => {
  fc.assert(
    fc.property(range(16, 27), fc.nat(), ({ first, last, text }, step) => {
      const inside = first + 1 + (step % (last - first));
      const prefix = text.split("/")[1] ?? "";
      const [problem, ...others] = problemsOf({
        ...good,
        pods: "192.168.0.0/16",
        services: `${dotted(inside)}/${prefix}`,
      });
      assert.match(problem ?? "", new RegExp(`write ${text.replaceAll(".", "\\.")}$`));
      assert.ok(others.every((other) => other.includes("overlap")));
    }),
  );
});

test("property: any text gives messages, never an exception", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.ok(Array.isArray(problemsOf({ ...good, nodes: text })));
    }),
  );
});

test("the capacity is the smaller of node addresses and pod /24s", () => {
  assert.equal(nodeCapacity({ nodes: "10.0.0.0/29", pods: "10.4.0.0/14" }), 4);
  assert.equal(nodeCapacity({ nodes: "10.0.0.0/20", pods: "10.4.0.0/21" }), 8);
  assert.throws(() => nodeCapacity({ nodes: "10.0.0.0", pods: "10.4.0.0/21" }), /"10\.0\.0\.0" is not an IPv4 range/);
});

test("property: a client range is accepted if and only if it is canonical and no wider than a /8", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.integer({ min: 0, max: 32 }), (address, prefix) => {
      const inside = (address >>> 0) % 2 ** (32 - prefix);
      const problems = checkAuthorizedNetwork(`${dotted(address)}/${prefix}`);
      assert.equal(problems.length === 0, inside === 0 && prefix >= 8);
      assert.ok(problems.length <= 1);
    }),
  );
  assert.match(checkAuthorizedNetwork("2001:db8::/32")[0]?.found ?? "", /is not an IPv4 range/);
});
