/** Commands are killed at random moments: the next command recovers, and at the end nothing remains. SEED repeats a run. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { projectDir } from "../../tools/cli/paths.ts";
import { editStack, local, stackFile, type Outcome } from "./support/commands.ts";
import { machine } from "./support/machine.ts";
import { start } from "./support/path.ts";
import { random, seed } from "./support/random.ts";

const moments = process.env["SHORT"] === undefined ? 20 : 5;
const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;

const stop = () => local("stop.ts");
after(stop);

async function good(outcome: Promise<Outcome>, what: string): Promise<number> {
  const { status, text, seconds } = await outcome;
  assert.equal(status, 0, `${what}:\n${text}`);
  return seconds;
}

test(`start, apply and stop are killed at ${moments} random moments`, { timeout: 60 * 60_000 }, async (context) => {
  context.diagnostic(`SEED=${seed}`);
  await stop();
  const before = await machine();
  // Use a separate folder for temporary files.
  const temporary = mkdtempSync(join(tmpdir(), "interrupted-"));
  const { TMPDIR: elsewhere } = process.env;
  process.env["TMPDIR"] = temporary;
  context.after(() => {
    if (elsewhere === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = elsewhere;
    rmSync(temporary, { recursive: true });
  });

  const original = readFileSync(stackFile, "utf8");
  const withRoute = (path: string) => {
    editStack(context, () => original.replace("{ path: /hoge/ }", `{ path: /hoge/ }, { path: ${path} }`));
  };
  const assertNothingLeft = async (what: string) => {
    const { processes = [], ...rest } = await machine();
    const { processes: others, ...asBefore } = before;
    assert.deepEqual({ ...rest, checkout: [] }, { ...asBefore, checkout: [] }, what);
    // Processes of another cluster may end meanwhile.
    const left = processes.filter((each) => others?.includes(each) !== true);
    assert.deepEqual(left, [], what);
  };
  /** Duration of each command without interruption. Seconds. */
  const durations = { start: await good(start(), "start"), apply: 0, stop: 0 };
  withRoute("/first/");
  durations.apply = await good(start(), "apply");
  durations.stop = await good(stop(), "stop");

  let killed = 0;
  for (let moment = 0; moment < moments; moment += 1) {
    const what = pick(["start", "apply", "stop"] as const);
    const signal = pick(["SIGKILL", "SIGINT", "SIGTERM"] as const);
    const next = pick(["start", "start", "stop"] as const);
    const milliseconds = Math.round(random() * 950 * durations[what]);
    const description = `${what}, ${signal} after ${milliseconds} ms, then ${next}`;
    await good(what === "start" ? stop() : start(), `before ${description}`);
    if (what === "apply") withRoute(`/at${moment}/`);

    const script = join(projectDir, "tools/commands", `${what === "stop" ? "stop" : "start"}.ts`);
    const args = what === "stop" ? [] : ["--engine", "kubectl"];
    const child = spawn(process.execPath, [script, ...args], { cwd: projectDir, stdio: "ignore" });
    const exit = once(child, "exit");
    await Promise.race([sleep(milliseconds), exit]);
    if (child.kill(signal)) killed += 1;
    await exit;

    await good(next === "start" ? start() : stop(), description);
    if (next === "stop") await assertNothingLeft(description);
  }
  context.diagnostic(`${killed} of ${moments} were still running when they were killed`);
  assert.ok(killed >= 0.75 * moments, `${killed} of ${moments} were still running`);

  editStack(context, () => original);
  await good(start(), "the last start"); // Also removes temporary files of killed commands.
  await good(stop(), "the last stop");
  await assertNothingLeft("the last stop");
  assert.deepEqual(readdirSync(temporary), []);
});
