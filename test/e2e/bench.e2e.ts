/** Short runs of the benchmarks: everything runs, is measured and ends. The results do not matter here. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { peerNames } from "../../tools/bench/program/peerInputs.ts";
import type { ProgramResults } from "../../tools/bench/program/results.ts";
import type { ProxyResults } from "../../tools/bench/proxy/results.ts";
import { allProcesses, commandLine } from "../../tools/cli/procfs.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import { command } from "./support/commands.ts";

const folders = () => readdirSync("/dev/shm").filter((name) => name.startsWith("bench-"));

test("every proxy answers every load, and nothing remains", { timeout: 1_200_000 }, async () => {
  const before = folders();
  const args = [join(projectDir, "tools/commands/bench.ts"), "proxy", "--json", "--rounds", "1", "--seconds", "1"];
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
      [1, 250, 500, 750, 1000],
    );
  assert.deepEqual(folders(), before);
  const left = allProcesses().filter((pid) =>
    commandLine(pid).some((argument) => argument.startsWith("/dev/shm/bench-")),
  );
  assert.deepEqual(left, []);
});

test(
  "the program and its peers render the same objects, and no stack file remains",
  { timeout: 1_200_000 },
  async () => {
    const args = [join(projectDir, "tools/commands/bench.ts"), "program", "--json", "--rounds", "1", "--largest", "10"];
    const { status, text } = await command(process.execPath, args);
    assert.equal(status, 0, text);
    const { sizes, comparisons } = JSON.parse(text.slice(text.indexOf("{"))) as ProgramResults;
    assert.deepEqual(
      sizes.map(({ size }) => size),
      ["staging", 1, 10],
    );
    for (const { parts, bare, pausing } of sizes)
      for (const value of [...Object.values(parts), bare.milliseconds, pausing.milliseconds, bare.resources])
        assert.ok(value > 0, JSON.stringify(parts));
    for (const { size, objects, commands } of comparisons) {
      assert.ok(objects >= 5 * Number(size));
      assert.deepEqual(Object.keys(commands), ["this one", ...peerNames]);
      for (const { seconds, cpuSeconds } of Object.values(commands)) assert.ok(seconds > 0 && cpuSeconds > 0);
    }
    assert.ok(!existsSync(join(projectDir, "Pulumi.bench.yaml")));
  },
);
