import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../tools/cli/lock.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { children, startTime } from "../../../tools/cli/procfs.ts";

function lockFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "lock-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  return join(folder, "lock");
}

test("the lock of a running process is a problem that names it", async (context) => {
  const file = lockFile(context);
  const other = spawn("sleep", ["60"]);
  context.after(() => other.kill());
  await once(other, "spawn");
  const pid = other.pid ?? 0;
  writeFileSync(file, `${pid} ${startTime(pid) ?? ""}`);
  await assert.rejects(
    withLock(file, () => Promise.resolve()),
    (error) => error instanceof Problem && error.message.includes(`process ${pid}`),
  );
  assert.ok(existsSync(file));
});

test("the lock of an ended process does not count, nor that of a reused id", async (context) => {
  const file = lockFile(context);
  for (const stale of ["4194304 1", `${process.ppid} 1`, ""]) {
    writeFileSync(file, stale);
    assert.equal(await withLock(file, () => Promise.resolve("done")), "done");
  }
});

test("the lock of a process that is about to end, or of a zombie, does not count", async (context) => {
  const file = lockFile(context);
  const dying = spawn("sleep", ["0.3"]);
  await once(dying, "spawn");
  writeFileSync(file, `${dying.pid ?? 0} ${startTime(dying.pid ?? 0) ?? ""}`);
  assert.equal(await withLock(file, () => Promise.resolve("done")), "done");

  const parent = spawn("sh", ["-c", "sleep 0.3 & exec sleep 60"]); // never reaps its child
  context.after(() => parent.kill());
  await eventually(() => children(parent.pid ?? 0).length === 1);
  const [zombie = 0] = children(parent.pid ?? 0);
  const started = startTime(zombie) ?? "";
  assert.match(started, /^\d+$/);
  await eventually(() => startTime(zombie) === undefined);
  assert.match(readFileSync(`/proc/${zombie}/stat`, "utf8"), /\) Z /);
  writeFileSync(file, `${zombie} ${started}`);
  assert.equal(await withLock(file, () => Promise.resolve("done")), "done");
});

test("the lock is reentrant, and is released after success and failure", async (context) => {
  const file = lockFile(context);
  await withLock(file, async () => {
    await withLock(file, () => Promise.resolve());
    assert.ok(existsSync(file));
  });
  assert.ok(!existsSync(file));
  await assert.rejects(
    withLock(file, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.ok(!existsSync(file));
});

async function eventually(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 50 && !holds(); tries++) await sleep(50);
  assert.ok(holds());
}
