/** Progress lines and the steps of a start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { partsOf } from "../../../tools/bench/start/phases.ts";
import { createProgress } from "../../../tools/cli/progress.ts";

const near = (parts: readonly { name: string; seconds: number }[]) =>
  parts.map(({ name, seconds }) => [name, Number(seconds.toFixed(3))]);

test("steps are in the order of their start; the remaining time is everything else", () => {
  const lines = [
    { text: "Engine: kubectl", at: 500 },
    { text: "  Compiling Kubernetes (minutes, once) …", at: 1000 },
    { text: "  Getting Envoy …", at: 1000 },
    { text: "✓ Getting Envoy 2.0 s", at: 3000 },
    { text: "  Compiling Kubernetes (minutes, once) … 1 min 0 s 600 of 2939 packages", at: 61_000 },
    { text: "✓ Compiling Kubernetes (minutes, once) 1 min 40 s", at: 101_000 },
    { text: "  images …", at: 102_000 },
    { text: "✓ images 5.0 s", at: 107_000 },
  ];
  assert.deepEqual(near(partsOf(lines, 110)), [
    ["Compiling Kubernetes", 100],
    ["Getting Envoy", 2],
    ["images", 5],
    ["everything else", 5],
  ]);
  assert.deepEqual(near(partsOf([], 3)), [["everything else", 3]]);
});

test("the lines are those that progress prints without a terminal", async () => {
  const lines: { text: string; at: number }[] = [];
  const progress = createProgress({ write: (text: string) => lines.push({ text: text.trimEnd(), at: lines.length }) });
  await progress.step("images", () => Promise.resolve());
  await assert.rejects(progress.step("stack", () => Promise.reject(new Error("no"))));
  assert.deepEqual(
    partsOf(lines, 1).map(({ name }) => name),
    ["images", "everything else"],
  );
});
