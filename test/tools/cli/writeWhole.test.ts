/** Writing and removing are atomic, even if the process is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { removeWhole, writeWhole } from "../../../tools/cli/writeWhole.ts";

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "whole-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

const files = 4000;

function fill(folder: string): void {
  mkdirSync(folder);
  for (let index = 0; index < files; index += 1) writeFileSync(join(folder, `${index}`), "");
}

test("a file is replaced with its permissions, and no other file remains", (context) => {
  const folder = temporary(context);
  writeWhole(join(folder, "key"), "one", 0o600);
  writeFileSync(join(folder, "key.unfinished"), "half", { mode: 0o644 });
  writeWhole(join(folder, "key"), "two", 0o600);
  assert.equal(readFileSync(join(folder, "key"), "utf8"), "two");
  assert.equal(statSync(join(folder, "key")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ["key"]);
});

test("a killed removal never leaves a half-removed folder, and the next removal completes it", async (context) => {
  const folder = temporary(context);
  const state = join(folder, "state");
  const script = `import(process.argv[1]).then(({ removeWhole }) => { console.log("go"); removeWhole(process.argv[2]); })`;
  let halfRemoved = 0;
  for (let milliseconds = 0; milliseconds < 40 && halfRemoved === 0; milliseconds += 2) {
    removeWhole(state);
    fill(state);
    const module = join(import.meta.dirname, "../../../tools/cli/writeWhole.ts");
    const child = spawn(process.execPath, ["-e", script, module, state], { stdio: ["ignore", "pipe", "inherit"] });
    const exit = once(child, "exit");
    await once(child.stdout, "data");
    await sleep(milliseconds);
    child.kill("SIGKILL");
    await exit;
    if (existsSync(state)) assert.equal(readdirSync(state).length, files);
    else if (existsSync(`${state}.removed`)) halfRemoved += 1;
  }
  assert.equal(halfRemoved, 1, "no kill came while the folder was being removed");
  assert.ok(removeWhole(state));
  assert.deepEqual(readdirSync(folder), []);
  assert.ok(!removeWhole(state));
});
