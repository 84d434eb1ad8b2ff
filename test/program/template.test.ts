/** This repository as a template: a copy under another name, as `pulumi new` creates it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { project } from "../../names/project.ts";
import { copyCheckout } from "../e2e/support/checkout.ts";

const stacks = ["local", "staging", "production"];
const folder = mkdtempSync(join(tmpdir(), "template-"));
const copy = join(folder, "another-name");
/** What is compared with: a running local stack leaves files in the checkout that change what it renders. */
const original = join(folder, "same-name");

/** Does the same as `pulumi new`: it sets the name in Pulumi.yaml and removes the template section. */
before(() => {
  copyCheckout(original);
  copyCheckout(copy);
  const file = join(copy, "Pulumi.yaml");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/^name: .*$/m, "name: another-name").replace(/^template:\n( .*\n)+/m, ""));
});
after(() => {
  rmSync(folder, { recursive: true });
});

function command(checkout: string, script: string, ...args: string[]) {
  return spawnSync(process.execPath, [join(checkout, "tools/commands", script), ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
}
const inCopy = (script: string, ...args: string[]) => command(copy, script, ...args);

test("under another name every stack stays the same, without other changes", () => {
  assert.match(readFileSync(join(copy, "Pulumi.yaml"), "utf8"), /^name: another-name\n/);
  for (const stack of stacks) {
    const { status, stdout, stderr } = inCopy("render.ts", stack);
    assert.equal(status, 0, stderr);
    // Only the label of the namespace has the project's name.
    const own = stdout.replace("/stack: another-name.", `/stack: ${project}.`);
    assert.equal(own, command(original, "render.ts", stack).stdout, stack);
  }
});

test("its config is checked, and problems show its own name", () => {
  const file = join(copy, "Pulumi.demo.yaml");
  const staging = readFileSync(join(copy, "Pulumi.staging.yaml"), "utf8");
  writeFileSync(file, staging);
  assert.equal(inCopy("check.ts", "demo").status, 0);
  writeFileSync(file, staging.replace("domain:", "domian:"));
  assert.match(inCopy("check.ts", "demo").stderr, /another-name:domian\n.*did you mean "domain"\?/);
});

test("config under the old name is refused, with the new key", () => {
  const file = join(copy, "Pulumi.old.yaml");
  const staging = readFileSync(join(copy, "Pulumi.staging.yaml"), "utf8");
  writeFileSync(file, staging.replace("  domain:", `  ${project}:domain:`));
  for (const script of ["check.ts", "render.ts"]) {
    const { status, stderr } = inCopy(script, "old");
    assert.equal(status, 1);
    assert.match(stderr, /1 problem in the config of stack old; nothing was changed/);
    assert.match(
      stderr,
      new RegExp(
        `${project}:domain\\n\\s+"${project}" is not the name of this project, which is "another-name" in Pulumi\\.yaml; write another-name:domain, or domain alone`,
      ),
    );
  }
});

test("a key under both names in a stack file is refused", () => {
  const staging = readFileSync(join(copy, "Pulumi.staging.yaml"), "utf8");
  writeFileSync(join(copy, "Pulumi.both.yaml"), `${staging}  another-name:domain: other.example.com\n`);
  const { status, stderr } = inCopy("check.ts", "both");
  assert.equal(status, 1);
  assert.match(
    stderr,
    /Pulumi\.both\.yaml, line \d+: another-name:domain is there twice, in lines \d+ and \d+\.\nKeep one of the two\./,
  );
});

// `pulumi new` replaces placeholders in every text file, so it would change a template string of a program too.
test("no file has a placeholder that `pulumi new` would replace", () => {
  const files = readdirSync(copy, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length > 200);
  for (const { parentPath, name } of files)
    assert.doesNotMatch(readFileSync(join(parentPath, name), "utf8"), /[$][{](PROJECT|DESCRIPTION)[}]/, name);
});
