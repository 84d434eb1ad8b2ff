/** A new stack is a copy of one file; a stack's name affects only names. */
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { record } from "../../tools/testing/recorded.ts";
import { projectDir, stacksDir, render } from "./rendered.ts";

const fileOf = (stack: string) => join(stacksDir, `Pulumi.${stack}.yaml`);

test("a copy of a stack file is a stack that differs only in its name", async (t) => {
  const demo = `demo-${process.pid}`;
  t.after(() => {
    rmSync(fileOf(demo), { force: true });
  });
  copyFileSync(fileOf("staging"), fileOf(demo));
  const [copy, original] = [await render(demo), await render("staging")];
  assert.equal(copy.status, 0, copy.stderr);
  assert.equal(copy.stdout.replaceAll(demo, "staging"), original.stdout);
});

test("the program names no stack", () => {
  const files = ["names", "components", "config", "nginx"].flatMap((folder) =>
    readdirSync(join(projectDir, folder), { recursive: true, encoding: "utf8" }).flatMap((file) =>
      file.endsWith(".ts") ? join(folder, file) : [],
    ),
  );
  assert.ok(files.length > 30);
  for (const file of ["index.ts", "Pulumi.yaml", ...files])
    assert.doesNotMatch(readFileSync(join(projectDir, file), "utf8"), /["'`](local|staging|production)["'`]/, file);
});

test("a stack without builds uses no Docker and requests no token", async () => {
  const image = "asia-northeast1-docker.pkg.dev/acme-production/apps/nginx-proxy:1.0.0";
  const { recording } = await record("production", { proxy: { image } });
  assert.match(
    JSON.stringify(recording.one("kubernetes:apps/v1:Deployment", "nginx-proxy-deployment").inputs),
    /:1\.0\.0"/,
  );
  assert.deepEqual(
    recording.resources.filter(({ type }) => /docker:/.test(type)),
    [],
  );
  assert.deepEqual(recording.calls, []);
});
