/** Results of the program benchmark. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { isMet } from "../../../tools/bench/figures.ts";
import { plot } from "../../../tools/bench/program/plot.ts";
import { cpuSeconds } from "../../../tools/bench/program/childProcess.ts";
import { tables } from "../../../tools/bench/program/report.ts";
import {
  exponent,
  exponents,
  partNames,
  summarize,
  targets,
  type Bare,
  type Measured,
  type Part,
  type ProgramResults,
} from "../../../tools/bench/program/results.ts";
import type { Size } from "../../../tools/bench/program/stack.ts";

const about = (value: number, expected: number) => {
  assert.ok(Math.abs(value - expected) < 1e-6, `${value} is not ${expected}`);
};

test("the exponent is that of a power, whatever its factor", () => {
  const counts = [100, 300, 1000, 2000];
  const [power, factor] = [
    fc.double({ min: -2, max: 3, noNaN: true }),
    fc.double({ min: 0.01, max: 100, noNaN: true }),
  ];
  fc.assert(
    fc.property(power, factor, (to, each) => {
      about(exponent(counts.map((count) => [count, each * count ** to])), to);
    }),
  );
  // A constant part makes it smaller than 1.
  assert.ok(exponent(counts.map((count) => [count, 500 + count])) < 0.8);
  // One size is not enough for a line.
  assert.ok(Number.isNaN(exponent([[100, 5]])));
});

/** A run in which each service takes one millisecond per part. */
function run(services: number, evaluation = services): Measured {
  const parts = Object.fromEntries(partNames.map((name) => [name, services])) as Record<Part, number>;
  return { parts: { ...parts, evaluation }, memoryMiB: 100, objects: 5 * services };
}
const bare = (milliseconds: number): Bare => ({ milliseconds, memoryMiB: 90, resources: 6 });

const sized = (size: Size, services: number) =>
  summarize(
    size,
    [run(services), run(services, 3 * services), run(services, 4 * services)],
    [bare(services), bare(2 * services), bare(8 * services)],
    [bare(services), bare(services), bare(services)],
  );

test("a size has medians, the ratio by round, and a total without the SDKs and without repeated parts", () => {
  const { parts, totalMs, overBare, objects, bare, pausing } = sized(10, 10);
  assert.equal(parts.evaluation, 30);
  assert.equal(totalMs, 30 + 10 + 10 + 10);
  assert.deepEqual(overBare, { median: 1, min: 0.5, max: 1.5 });
  assert.equal(objects, 50);
  assert.deepEqual([bare.milliseconds, pausing.milliseconds], [20, 10]);
});

const sizes = [sized("staging", 2), sized(1, 1), sized(100, 100), sized(1000, 1000)];

test("growth is fitted from 100 services up", () => {
  const found = exponents([...sizes, sized(10, 5000)]);
  for (const [name, value] of Object.entries(found)) about(value, name === "memory" ? 0 : 1);
});

test("targets: the bare program for each size, the total for staging, the growth for each part", () => {
  const found = targets({ sizes, exponents: { ...exponents(sizes), YAML: 1.06 } });
  assert.deepEqual(
    found.map((target) => [target.what, target.limit, isMet(target)]),
    [
      ["staging, all beyond importing the SDKs", 50, true],
      ["evaluation over the bare program, staging", 1.15, true],
      ["evaluation over the bare program, 1 service", 1.15, true],
      ["evaluation over the bare program, 100 services", 1.15, true],
      ["evaluation over the bare program, 1,000 services", 1.15, true],
      ["exponent of growth, stack file", 1.05, true],
      ["exponent of growth, config check", 1.05, true],
      ["exponent of growth, evaluation", 1.05, true],
      ["exponent of growth, YAML", 1.05, false],
      ["exponent of growth, nginx text", 1.05, true],
      ["exponent of growth, total", 1.05, true],
      ["exponent of growth, memory", 1.05, true],
    ],
  );
});

test("without two large sizes, there is no target for the growth", () => {
  const found = targets({ sizes: sizes.slice(0, 2), exponents: exponents(sizes.slice(0, 2)) });
  assert.deepEqual(
    found.filter(({ what }) => what.startsWith("exponent")),
    [],
  );
});

test("the CPU time of a command is the sum of user and system time from bash", () => {
  about(cpuSeconds("0m0.010s 0m0.020s\n1m2.500s 0m0.750s\n"), 63.25);
  assert.throws(() => cpuSeconds("bash: not found"), /unexpected output of "times"/);
});

suite("tables and plot", () => {
  const command = (seconds: number) => ({ seconds, cpuSeconds: seconds / 2 });
  const results: ProgramResults = {
    benchmark: "program",
    date: "2026-01-02",
    machine: { cpu: "A", cores: 2, memoryGiB: 8, kernel: "6.1" },
    programs: { node: "24.0.0", helm: "3.1.0", kustomize: "5.1.0", cdk8s: "2.1.0" },
    rounds: 3,
    sizes,
    exponents: exponents(sizes),
    comparisons: [1, 100, 1000].map((size) => ({
      size,
      objects: 5 * size,
      commands: { "this one": command(size), Helm: command(2), kustomize: command(3), cdk8s: command(0.01) },
    })),
    targets: targets({ sizes, exponents: exponents(sizes) }),
  };

  test("the tables have every size, every tool and every target", () => {
    const text = tables(results);
    assert.match(text, /Node 24\.0\.0, Helm 3\.1\.0, kustomize 5\.1\.0, cdk8s 2\.1\.0/);
    for (const { what } of results.targets) assert.ok(text.includes(`| ${what} `), what);
    assert.match(text, /^\| 1,000 services \| +5,000 \| +1000\.00 s, 100,000 µs \| +2\.00 s, 200 µs \|/m);
    assert.doesNotMatch(text, /NaN|undefined/);
  });

  test("every line of the plot is inside the picture, and labels do not overlap", () => {
    const picture = plot(results);
    assert.doesNotMatch(picture, /NaN|undefined|Infinity/);
    const lines = [...picture.matchAll(/points="([^"]+)"/g)].map(([, points = ""]) => points);
    assert.equal(lines.length, 6);
    const [, left = NaN, right = NaN] = (
      /class="grid" x1="(\d+)" x2="(\d+)" y1="[1-9]/.exec(
        picture.split("\n").findLast((text) => text.includes('class="grid"')) ?? "",
      ) ?? []
    ).map(Number);
    assert.ok(left > 16 && right < 744, `${left} to ${right}`);
    for (const [x = NaN, y = NaN] of lines.flatMap((points) =>
      points.split(" ").map((each) => each.split(",").map(Number)),
    ))
      assert.ok(x >= left && x <= right && y >= 70 && y <= 420, `${x}, ${y}`);
    const labels = [...picture.matchAll(/<text x="(\d+)" y="([\d.]+)" style/g)]
      .map(([, x, y]) => {
        assert.equal(Number(x), right + 10);
        return Number(y);
      })
      .sort((a, b) => a - b);
    assert.equal(labels.length, 6);
    for (const [index, y] of labels.entries()) assert.ok(index === 0 || y - (labels[index - 1] ?? 0) >= 16);
  });
});
