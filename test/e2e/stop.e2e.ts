/** `npm stop` restores the machine's state before `npm start`: processes, mounts, network, rules, cgroups, files. It keeps the CA. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { authorityDir, cacheDir, projectDir, stateDir } from "../../tools/cli/paths.ts";
import { copyCheckout } from "./support/checkout.ts";
import { command, local } from "./support/commands.ts";
import { machine } from "./support/machine.ts";

test("npm stop restores the machine's state before npm start", { timeout: 25 * 60_000 }, async () => {
  await local("stop.ts");
  const before = await machine();
  const started = await local("start.ts", "--engine", "kubectl");
  assert.equal(started.status, 0, started.text);
  const running = await machine();
  assert.notDeepEqual(running, before, "a running cluster changes the machine");
  await anotherCheckoutDeletesTheCache();
  assert.deepEqual(await machine(), running);
  const stopped = await local("stop.ts");
  assert.equal(stopped.status, 0, stopped.text);
  assert.deepEqual(await machine(), before);
  assert.equal(existsSync(stateDir), false);
  assert.ok(stopped.text.includes(`rm -r ${authorityDir}`), stopped.text);
  assert.equal(statSync(join(authorityDir, "ca.key")).mode & 0o777, 0o600);
  assert.equal(existsSync(cacheDir), true);
});

/** Nothing of what the running cluster needs: a killed program could not be started again. */
async function anotherCheckoutDeletesTheCache(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "another-"));
  try {
    copyCheckout(folder);
    const script = join(folder, "tools/commands/stop.ts");
    const { status, text } = await command(process.execPath, [script, "--delete-cache"]);
    assert.equal(status, 1, text);
    assert.ok(text.includes(`runs with it (${projectDir})`), text);
    assert.ok(readdirSync(cacheDir).length > 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("npm stop after a killed start leaves nothing", { timeout: 5 * 60_000 }, async () => {
  const before = await machine();
  const start = join(import.meta.dirname, "../../tools/commands/start.ts");
  await command("timeout", ["--signal", "KILL", "6", process.execPath, start, "--engine", "kubectl"]);
  const stopped = await local("stop.ts");
  assert.equal(stopped.status, 0, stopped.text);
  assert.deepEqual(await machine(), before);
});

test("npm stop reports if nothing is running", async () => {
  const { status, text } = await local("stop.ts");
  assert.equal(status, 0, text);
  assert.match(text, /nothing/i);
});

test("npm stop -- --delete-cache removes the cache, and nothing beside it", async (context) => {
  const home = mkdtempSync(join(tmpdir(), "cache-"));
  context.after(() => {
    rmSync(home, { recursive: true, force: true });
  });
  // Use a separate cache: other suites need the one with the compiled programs.
  symlinkSync("/nonexistent", join(home, "other"));
  const cache = join(home, "gke-microservices");
  await command("mkdir", ["-p", join(cache, "debian")]);
  const script = join(import.meta.dirname, "../../tools/commands/stop.ts");
  await command(process.execPath, [script], { XDG_CACHE_HOME: home });
  assert.equal(existsSync(cache), true, "a plain stop keeps it");
  const { status, text } = await command(process.execPath, [script, "--delete-cache"], {
    XDG_CACHE_HOME: home,
  });
  assert.equal(status, 0, text);
  assert.equal(existsSync(cache), false);
  assert.deepEqual(readdirSync(home), ["other"]);
});
