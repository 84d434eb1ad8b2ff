/** Work on many items, a few at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrently } from "../../../tools/cli/concurrently.ts";

test("at most `count` run at a time, and the results are in the order of the items", async () => {
  let [running, most] = [0, 0];
  const results = await concurrently(3, [50, 10, 30, 0, 20], async (milliseconds) => {
    running += 1;
    most = Math.max(most, running);
    await sleep(milliseconds);
    running -= 1;
    return milliseconds * 2;
  });
  assert.deepEqual(results, [100, 20, 60, 0, 40]);
  assert.equal(most, 3);
  assert.deepEqual(await concurrently(3, [], () => Promise.resolve(1)), []);
});

test("the first failure is thrown", async () => {
  await assert.rejects(
    concurrently(2, [1, 2, 3], (item) => (item === 2 ? Promise.reject(new Error("two")) : Promise.resolve(item))),
    /two/,
  );
});
