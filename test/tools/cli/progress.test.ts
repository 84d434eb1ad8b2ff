import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgress } from "../../../tools/cli/progress.ts";

function output(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 60, write: (text: string) => written.push(text), text: () => written.join("") };
}

test("without a terminal, a step prints one line at its start and one at its end", async () => {
  const out = output(false);
  assert.equal(await createProgress(out, {}).step("Compiling", () => Promise.resolve(7)), 7);
  assert.match(out.text(), /^ {2}Compiling …\n✓ Compiling 0\.\d s\n$/);
});

test("a failed step is marked, and its error is rethrown", async () => {
  const out = output(false);
  await assert.rejects(
    createProgress(out, {}).step("Compiling", () => Promise.reject(new Error("no space"))),
    /no space/,
  );
  assert.match(out.text(), /✗ Compiling/);
});

test("on a terminal, one line is overwritten, cut to the terminal's width, with all running steps", async () => {
  const out = output(true);
  const progress = createProgress(out, { TERM: "xterm" });
  await Promise.all([
    progress.step("one", async (step) => {
      await Promise.resolve();
      step.detail("x".repeat(100));
    }),
    progress.step("two", () => Promise.resolve()),
  ]);
  const escape = String.fromCharCode(27);
  const drawn = out.text().split(`\r${escape}[K`);
  assert.ok(drawn.some((line) => line.startsWith("one") && line.includes("· two")));
  for (const line of drawn.filter((text) => text.startsWith("one"))) assert.ok(line.length < 60, line);
  assert.ok(out.text().includes(`${escape}[32m✓`));
});

test("NO_COLOR removes the colors and keeps the live line", async () => {
  const out = output(true);
  await createProgress(out, { TERM: "xterm", NO_COLOR: "1" }).step("one", () => Promise.resolve());
  const escape = String.fromCharCode(27);
  assert.ok(out.text().includes(`${escape}[K`));
  assert.ok(!out.text().includes(`${escape}[3`));
});
