import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CommandError, run } from "../../../tools/cli/run.ts";
import { diskFull, diskNeeded, existingParent, requireDisk, isDiskFull } from "../../../tools/cli/disk.ts";
import { cacheDir, projectDir, stateDir } from "../../../tools/cli/paths.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { writeWhole } from "../../../tools/cli/writeWhole.ts";

const folder = mkdtempSync(join(tmpdir(), "disk-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function thrown(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  return assert.fail("nothing was thrown");
}

test("a full disk is recognized in the output of each program, and in Node's error", () => {
  for (const text of [
    "go build k8s.io/api: copying /tmp/x: write /cache/kubernetes: no space left on device",
    "/usr/bin/ld: final link failed: No space left on device",
    "dpkg-deb: error: failed to write to pipe: No space left on device",
    "tar: ./usr/bin/runc: Cannot write: No space left on device",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    'Error: committing container: write "/storage/layer.tar": no space left on device',
    "npm error nospc ENOSPC: no space left on device, write",
    "mkdir: cannot create directory: Disk quota exceeded",
  ])
    assert.ok(isDiskFull(text), text);
  assert.ok(isDiskFull(Object.assign(new Error("write"), { code: "ENOSPC" })));
  for (const text of ["connection refused", "RENOSPC", new Error("no space"), undefined])
    assert.ok(!isDiskFull(text), String(text));
});

test("a command that fails on a full disk is reported as such, whatever it printed later; other failures are not", async () => {
  const fill = "echo 'write x: no space left on device' >&2; seq 1000; exit 3";
  await assert.rejects(run("sh", ["-c", fill]), (error) => {
    assert.ok(error instanceof Problem);
    assert.match(error.message, /^No space left on the disk of \/.* \(\d+\.\d GiB free\):/);
    assert.match(error.fix, /^Free \d+\.\d GiB there, or .*, then run the command again/);
    return true;
  });
  await assert.rejects(run("sh", ["-c", "echo broken >&2; exit 3"]), CommandError);
  assert.equal(await run("sh", ["-c", "echo no space left on device"]), "no space left on device\n");
});

test("a log that cannot be written does not fail the command", { skip: !existsSync("/dev/full") }, async () => {
  assert.equal(await run("sh", ["-c", "seq 3"], { log: "/dev/full" }), "1\n2\n3\n");
});

test("too little disk space fails before the work, with the free and the required space and an alternative", () => {
  requireDisk("/nowhere/yet", 0);
  const { message, fix } = thrown(() => {
    requireDisk(join(cacheDir, "images"), 2 ** 30);
  });
  assert.match(message, /\/images has \d+\.\d GiB free, but 1073741824\.0 GiB are needed/);
  assert.match(fix, /^Free \d+\.\d GiB there, or set XDG_CACHE_HOME to a folder on another disk, then run/);
  const state = thrown(() => {
    requireDisk(stateDir, 2 ** 30);
  });
  assert.match(state.fix, /move the checkout to another disk/);
  assert.ok(diskNeeded.run < diskNeeded.start && diskNeeded.start < diskNeeded.compile);
});

test("the message has the disk's real free space", () => {
  const { message } = diskFull("x");
  const [, path = "", free = ""] = /^No space left on the disk of (.*) \((\d+\.\d) GiB free\):\nx$/.exec(message) ?? [];
  assert.ok([cacheDir, stateDir, tmpdir()].includes(path), message);
  const { bavail, bsize } = statfsSync(existingParent(path));
  assert.ok(Math.abs((bavail * bsize) / 2 ** 30 - Number(free)) < 5, "other processes change it meanwhile");
});

test("a file is written completely or not at all", { skip: !existsSync("/dev/full") }, () => {
  const file = join(folder, "deep", "file");
  writeWhole(file, "one");
  writeWhole(file, "two", 0o600);
  assert.equal(readFileSync(file, "utf8"), "two");
  assert.deepEqual(readdirSync(join(folder, "deep")), ["file"]);
  // A limit on file sizes interrupts a write, like a full disk.
  const script = `process.on("SIGXFSZ", () => {}); import { writeWhole } from ${JSON.stringify(join(projectDir, "tools/cli/writeWhole.ts"))}; writeWhole(${JSON.stringify(file)}, "three".repeat(100000));`;
  const limited = ["-c", 'ulimit -f 1; exec "$0" "$@"', process.execPath, "--input-type=module", "--eval", script];
  const { status, stderr } = spawnSync("bash", limited, { encoding: "utf8" });
  assert.notEqual(status, 0);
  assert.match(stderr, /EFBIG/);
  assert.equal(readFileSync(file, "utf8"), "two");
});
