/** The benchmark of the proxy, cut short: that every proxy is run, loaded and ended. How fast they are is nobody's business here. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ProxyResults } from "../../bench/proxy/results.ts";
import { allProcesses, commandLine } from "../../local/processes.ts";
import { projectDir } from "../../local/paths.ts";
import { command } from "./commands.ts";

const folders = () => readdirSync("/dev/shm").filter((name) => name.startsWith("bench-"));

test("every proxy answers every load, and nothing is left", { timeout: 1_200_000 }, async () => {
  const before = folders();
  const args = [join(projectDir, "bench/run.ts"), "proxy", "--json", "--rounds", "1", "--seconds", "1"];
  const { status, text } = await command(process.execPath, args);
  assert.equal(status, 0, text);
  const { cases, scale, programs, rounds } = JSON.parse(text.slice(text.indexOf("{"))) as ProxyResults;
  assert.equal(rounds, 1);
  assert.deepEqual(Object.keys(programs).sort(), ["caddy", "envoy", "haproxy", "nginx", "wrk"]);
  for (const version of Object.values(programs)) assert.match(version, /^\d+\.\d+/);
  assert.deepEqual(
    cases.map(({ loop, answer, connections }) => [loop, answer, connections]),
    [
      ["closed", "small", 32],
      ["closed", "small", 512],
      ["closed", "64 KiB", 32],
      ["closed", "64 KiB", 512],
      ["open", "small", undefined],
      ["open", "64 KiB", undefined],
    ],
  );
  for (const { subjects } of cases) {
    assert.deepEqual(Object.keys(subjects).sort(), ["Caddy", "Envoy", "HAProxy", "direct", "original", "this one"]);
    for (const figures of Object.values(subjects))
      for (const value of Object.values(figures)) assert.ok(value > 0, JSON.stringify(subjects));
  }
  for (const { memory } of scale)
    assert.deepEqual(
      memory.map(({ count }) => count),
      [1, 10, 100, 1000],
    );
  assert.deepEqual(folders(), before);
  const left = allProcesses().filter((pid) =>
    commandLine(pid).some((argument) => argument.startsWith("/dev/shm/bench-")),
  );
  assert.deepEqual(left, []);
});
