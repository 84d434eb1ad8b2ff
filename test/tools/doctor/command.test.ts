/** The commands whose output other programs read, run through npm. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { hopKinds, type Report } from "../../../tools/doctor/report.ts";
import { projectDir } from "../../../tools/cli/paths.ts";

async function npm(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` };
  const child = spawn("npm", ["run", "--silent", ...args], { cwd: projectDir, env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, out, err };
}

test("npm run --silent doctor -- STACK --json prints JSON and nothing else", async () => {
  // Nothing listens on these ports, so that the result does not depend on this machine.
  const closed = ["--address", "127.0.0.1", "--http-port", "1", "--https-port", "1", "--context", "nowhere"];
  const { status, out, err } = await npm("doctor", "--", "local", "--json", ...closed);
  const { stack, hops } = JSON.parse(out) as Report;
  assert.deepEqual([stack, status], ["local", hopKinds.edge.exitCode], err);
  assert.equal(hops.find(({ kind }) => kind === "edge")?.state, "failed");
  // Finishing is not a success.
  assert.match(err, /^· doctor local \d/m);
  assert.doesNotMatch(err, /✓/);
});

test("npm run --silent render -- STACK prints YAML and nothing else", async () => {
  const { status, out, err } = await npm("render", "--", "staging");
  assert.equal(status, 0, err);
  const documents = parseAllDocuments(out);
  assert.ok(documents.length > 10);
  for (const document of documents) {
    assert.deepEqual(document.errors, []);
    assert.equal(typeof document.get("kind"), "string");
  }
});
