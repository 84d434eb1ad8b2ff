/** Secrets of the stack `local` in a file that git ignores. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Problem } from "../../../tools/cli/problem.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { localSecretsFile, readStackFile } from "../../../tools/stack/stackFile.ts";

/** @returns a reader of a stack's secrets, from a folder with these two files */
function folderWith(context: TestContext, config: string, secrets: string | undefined) {
  const folder = mkdtempSync(join(tmpdir(), "secrets-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  for (const stack of ["local", "staging"]) writeFileSync(join(folder, `Pulumi.${stack}.yaml`), `config:\n${config}`);
  if (secrets !== undefined) writeFileSync(join(folder, localSecretsFile), secrets);
  return (stack: string): unknown =>
    JSON.parse(readStackFile(join(folder, `Pulumi.${stack}.yaml`))["gke-microservices:secrets"] ?? "{}");
}
const two = "  secrets:\n    shop: { A: a, B: b }\n    cart: { C: c }\n";

test("they are added to those of the stack file, and count; other stacks do not have them", (context) => {
  const read = folderWith(
    context,
    two,
    'config:\n  secrets:\n    shop: { B: mine, "D": "0777" }\n    shared:\n      E: |-\n        x\n        y\n',
  );
  assert.deepEqual(read("local"), {
    shop: { A: "a", B: "mine", D: "0777" },
    cart: { C: "c" },
    shared: { E: "x\ny" },
  });
  assert.deepEqual(read("staging"), { shop: { A: "a", B: "b" }, cart: { C: "c" } });
});

test("without secrets in the stack file, and without the file", (context) => {
  const own = "config:\n  secrets:\n    shop: { A: a }\n";
  assert.deepEqual(folderWith(context, "  domain: a.b\n", own)("local"), { shop: { A: "a" } });
  assert.deepEqual(folderWith(context, two, undefined)("local"), folderWith(context, two, own)("staging"));
});

test("anything but secrets is refused, and text that YAML would change", (context) => {
  for (const text of [
    "config:\n  domain: a.b\n",
    "config:\n  secrets: { a: { B: c } }\n  domain: a.b\n",
    "config: {}\n",
  ])
    assert.throws(
      () => folderWith(context, two, text)("local"),
      (error) => error instanceof Problem && /may have secrets alone/.test(error.message) && /below it/.test(error.fix),
    );
  const changed = "config:\n  secrets:\n    shop: { A: 0777 }\n";
  assert.throws(() => folderWith(context, two, changed)("local"), /secrets\.shop\.A\n.*quote it/);
});

test("git ignores the file", () => {
  assert.ok(readFileSync(join(projectDir, ".gitignore"), "utf8").split("\n").includes(localSecretsFile));
});
