/** `npm test` after docs/make-it-yours.md: in a copy with another name and other services. It needs no cluster. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { copyCheckout } from "./support/checkout.ts";

const folder = mkdtempSync(join(tmpdir(), "own-services-"));
const copy = join(folder, "acme-shop");
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** All that failed when `hoge` was renamed or a service was added, by an example of each kind. */
const files = [
  ...["ownStacks", "stacks", "urns", "policy", "workflows", "docs"].map((name) => `test/program/${name}.test.ts`),
  ...["diagram/command", "stack/editStackFile"].map((name) => `test/tools/${name}.test.ts`),
  "test/config/quotas.test.ts",
];

function edit(file: string, from: RegExp, to: string): void {
  const text = readFileSync(join(copy, file), "utf8");
  assert.match(text, from, file);
  writeFileSync(join(copy, file), text.replaceAll(from, to));
}

test("tests, lint and formatting pass with services of one's own", { timeout: 20 * 60_000 }, () => {
  copyCheckout(copy);
  // Inside a test, a runner of tests would run none.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const runs = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync("npm", args, { cwd: copy, env, encoding: "utf8" });
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  };
  edit("Pulumi.yaml", /^name: .*$/gm, "name: acme-shop");
  runs("run", "add-service", "--", "orders", "--stack", "local", "--stack", "staging");
  for (const language of ["python", "go"]) runs("run", "add-service", "--", `in-${language}`, "--language", language);
  for (const stack of ["local", "staging", "production"]) edit(`Pulumi.${stack}.yaml`, /hoge/g, "shop");
  // In a style and for a tool of its own.
  mkdirSync(join(copy, "services/py"));
  writeFileSync(join(copy, "services/py/main.mjs"), "process . exit( window )\n");
  writeFileSync(join(copy, "services/py/main.ts"), 'const a:number = "a"\n');
  writeFileSync(join(copy, "services/py/Dockerfile"), "FROM scratch\n");

  const said = runs("test", "--", ...files);
  for (const stack of ["local", "staging", "production"])
    assert.match(said, new RegExp(`✔ stack ${stack} is valid, renders, and breaks no mandatory rule`));
  runs("exec", "--", "eslint", "services");
  runs("exec", "--", "prettier", "--check", "services");
  const types = runs("exec", "--", "tsc", "--listFilesOnly");
  assert.ok(types.includes("/index.ts") && !types.includes("services/py"));
});
