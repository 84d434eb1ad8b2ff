/** What is read from /proc. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { children, tree } from "../../../tools/cli/procfs.ts";

test("a process has the children of all its threads, and a tree has theirs", async (context) => {
  // The shell waits for its own child, so it does not become that child.
  const worker = new Worker(
    `const { spawn } = require("node:child_process");
     const { parentPort } = require("node:worker_threads");
     const child = spawn("sh", ["-c", "sleep 60; :"]);
     child.on("exit", () => parentPort.close());
     parentPort.postMessage(child.pid);`,
    { eval: true },
  );
  const [shell] = (await once(worker, "message")) as [number];
  context.after(async () => {
    for (const pid of tree(shell)) process.kill(pid, "SIGKILL");
    await once(worker, "exit");
  });
  assert.ok(children(process.pid).includes(shell));
  for (let tries = 0; children(shell).length === 0 && tries < 500; tries++)
    await new Promise((end) => setTimeout(end, 10));
  const [sleep] = children(shell);
  assert.deepEqual(tree(shell), [shell, sleep]);
  assert.ok(tree(process.pid).includes(sleep ?? 0));
});

test("an ended process has no children", () => {
  assert.deepEqual(tree(2 ** 22 + 1), [2 ** 22 + 1]);
});
