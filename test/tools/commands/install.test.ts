/** The runner installs the npm packages if those of the lockfile are not there, and only then. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";

type Packages = Readonly<Record<string, object>>;
const one = { "node_modules/one": { version: "1.0.0", integrity: "sha512-1" } };
const elsewhere = { "node_modules/two": { version: "1.0.0", optional: true, os: ["aix"] } };

/** Runs a command in a checkout with these packages. @returns what npm was called with, and the stamp */
function run(t: TestContext, required: Packages, installed: Packages | undefined) {
  const checkout = mkdtempSync(join(tmpdir(), "install-"));
  t.after(() => {
    rmSync(checkout, { recursive: true });
  });
  const write = (file: string, text: string) => {
    writeFileSync(join(checkout, file), text);
  };
  for (const folder of ["tools/commands", "node_modules", "bin"])
    mkdirSync(join(checkout, folder), { recursive: true });
  copyFileSync(join(projectDir, "tools/run.js"), join(checkout, "tools/run.js"));
  write("package.json", '{ "type": "module" }');
  write("tools/commands/rules.ts", 'console.log("the command ran");');
  const lockfile = JSON.stringify({ packages: { "": { name: "root" }, ...required } });
  write("package-lock.json", lockfile);
  if (installed !== undefined) write("node_modules/.package-lock.json", JSON.stringify({ packages: installed }));
  write("bin/npm", '#!/bin/sh\necho "$*" >> npm-calls\n');
  chmodSync(join(checkout, "bin/npm"), 0o755);
  const { stdout, stderr } = spawnSync(process.execPath, [join(checkout, "tools/run.js"), "rules"], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(checkout, "bin")}:${process.env["PATH"] ?? ""}` },
  });
  assert.equal(stdout, "the command ran\n", stderr);
  const calls = join(checkout, "npm-calls");
  assert.equal(readFileSync(join(checkout, "node_modules/.lockfile-installed"), "utf8"), lockfile);
  return existsSync(calls) ? readFileSync(calls, "utf8") : "";
}

test("after `npm ci`, nothing is installed again; a package for other systems may be absent", (t) => {
  assert.equal(run(t, { ...one, ...elsewhere }, one), "");
});

for (const [what, installed] of [
  ["no packages at all", undefined],
  ["a package is missing", {}],
  ["a package has another version", { "node_modules/one": { version: "1.0.1", integrity: "sha512-1" } }],
  ["a package has other content", { "node_modules/one": { version: "1.0.0", integrity: "sha512-2" } }],
  ["a package is there that the lockfile lacks", { ...one, "node_modules/three": { version: "1.0.0" } }],
] as const)
  test(`the packages are installed: ${what}`, (t) => {
    assert.match(run(t, one, installed), /^ci /);
  });

test("an optional package of this system is installed", (t) => {
  const here = {
    "node_modules/two": { version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] },
  };
  assert.match(run(t, { ...one, ...here }, one), /^ci /);
});
