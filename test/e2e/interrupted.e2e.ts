/** Whatever moment a command is killed at, the next one recovers, and in the end nothing is left over. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { projectDir } from "../../local/paths.ts";
import { editStack, local, stackFile } from "./commands.ts";
import { machine } from "./machine.ts";
import { start } from "./path.ts";

const moments = process.env["SHORT"] === undefined ? 20 : 5;
/** Longer than a start that has everything compiled, in milliseconds. */
const longest = 30_000;

after(() => local("stop.ts", "--keep-cache"));

test(`start, apply and stop are killed at ${moments} random moments`, { timeout: 45 * 60_000 }, async (context) => {
  await local("stop.ts", "--keep-cache");
  const before = await machine();
  const original = readFileSync(stackFile, "utf8");
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(Math.random() * choices.length)] as T;
  let killed = 0;
  for (let moment = 0; moment < moments; moment += 1) {
    const what = pick(["start", "apply", "stop"] as const);
    const signal = pick(["SIGKILL", "SIGINT", "SIGTERM"] as const);
    const milliseconds = Math.round(Math.random() * (what === "stop" ? 3000 : longest));
    if (what === "start") await local("stop.ts", "--keep-cache");
    if (what === "apply")
      editStack(context, () => original.replace("{ path: /hoge/ }", `{ path: /hoge/ }, { path: /at${moment}/ }`));
    const script = join(projectDir, "local", `${what === "stop" ? "stop" : "start"}.ts`);
    const args = what === "stop" ? ["--keep-cache"] : ["--engine", "kubectl"];
    const child = spawn(process.execPath, [script, ...args], { cwd: projectDir, stdio: "ignore" });
    const exit = once(child, "exit");
    await Promise.race([sleep(milliseconds), exit]);
    if (child.kill(signal)) killed += 1;
    await exit;
    const { status, text } = await start();
    assert.equal(status, 0, `${what}, ${signal} after ${milliseconds} ms:\n${text}`);
  }
  context.diagnostic(`${killed} of ${moments} were still at work when they were killed`);
  assert.ok(killed > 0);
  editStack(context, () => original);
  const stopped = await local("stop.ts", "--keep-cache");
  assert.equal(stopped.status, 0, stopped.text);
  assert.deepEqual({ ...(await machine()), checkout: [] }, { ...before, checkout: [] });
});
