/** `npm run render` for its user: the same text each time, no secrets in it, and one message on failure. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parse, stringify } from "yaml";
import { stacksDir, render, Objects, type Rendering } from "./rendered.ts";

type Config = Record<string, unknown>;

/** A temporary stack file, a changed copy of `local`'s, deleted after the test. */
function stackLike(t: TestContext, name: string, change: (config: Config) => Config | string): string {
  const stack = `test-${process.pid}-${name}`;
  const path = join(stacksDir, `Pulumi.${stack}.yaml`);
  t.after(() => {
    rmSync(path, { force: true });
  });
  const { config } = parse(readFileSync(join(stacksDir, "Pulumi.local.yaml"), "utf8")) as { config: Config };
  const changed = change(config);
  writeFileSync(path, typeof changed === "string" ? changed : stringify({ config: changed }));
  return stack;
}

function assertRefused({ status, stdout, stderr }: Rendering, ...patterns: RegExp[]): void {
  assert.equal(status, 1, stderr);
  assert.equal(stdout, "");
  for (const message of patterns) assert.match(stderr, message);
  assert.equal(stderr.match(/^error: /gm)?.length, 1, stderr);
  assert.doesNotMatch(stderr, /^\s+at .*:\d+:\d+\)?$|node:internal|\n\s*throw /m);
}

/** Shows the first line that differs: a failed comparison of whole texts prints both of them. */
function assertSameLines(actual: string, expected: string): void {
  const [found, wanted] = [actual.split("\n"), expected.split("\n")];
  const at = wanted.findIndex((line, index) => line !== found[index]);
  assert.equal(found[at], wanted[at], `line ${at + 1} differs`);
  assert.equal(found.length, wanted.length);
}

test("two runs print the same, and --out writes each of these objects to a file", async (t) => {
  const out = mkdtempSync(join(tmpdir(), "rendered-"));
  t.after(() => {
    rmSync(out, { recursive: true });
  });
  const [one, two, filed] = [await render("staging"), await render("staging"), await render("staging", "--out", out)];
  assert.equal(one.status, 0, one.stderr);
  assertSameLines(one.stdout, two.stdout);
  assert.equal(one.stderr, "");
  assert.equal(filed.status, 0, filed.stderr);
  const files = readdirSync(out).map((file) => readFileSync(join(out, file), "utf8"));
  assert.deepEqual(files.sort(), one.stdout.split("---\n").sort());
});

test("--resources in a folder that does not exist is one message", async () => {
  assertRefused(await render("local", "--resources", "/none/a.json"), /^error: \/none\/a\.json could not be written/m);
});

test("a config in another order gives the same objects", async (t) => {
  const reversed = (value: object) => Object.fromEntries(Object.entries(value).reverse());
  const same = stackLike(t, "same", (config) => config);
  const other = stackLike(t, "order", (config) => reversed({ ...config, services: config["services"] as object }));
  // The label of the namespace has the stack's name.
  assertSameLines((await render(other)).stdout.replace(`.${other}\n`, `.${same}\n`), (await render(same)).stdout);
});

test("secrets, encrypted or in plain text, appear only as placeholders in a Secret", async (t) => {
  const stack = stackLike(t, "secrets", (config) => ({
    ...config,
    secrets: {
      hoge: { API_KEY: { secure: "v1:canary-ciphertext" }, TOKEN: "canary-plain" },
    },
  }));
  const folder = mkdtempSync(join(tmpdir(), "rendered-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "resources.json");
  const { status, stdout, stderr } = await render(stack, "--resources", file);
  assert.equal(status, 0, stderr);
  const resources = readFileSync(file, "utf8");
  assert.doesNotMatch(stdout + stderr + resources, /canary/);
  assert.ok((JSON.parse(resources) as { name: string }[]).some(({ name }) => name === "hoge-deployment"));
  const objects = new Objects(stdout);
  const secret = objects.of("Secret").find(({ metadata }) => metadata.name.startsWith("hoge-env-"));
  assert.deepEqual(secret?.stringData, {
    API_KEY: "(secret stringData.API_KEY not shown)",
    TOKEN: "(secret stringData.TOKEN not shown)",
  });
  const [container] = objects.named("Deployment", "hoge").spec.template.spec.containers;
  assert.deepEqual(container?.envFrom, [{ secretRef: { name: secret.metadata.name } }]);
  assert.equal(objects.named("Deployment", "web").spec.template.spec.containers[0]?.envFrom, undefined);
});

test("a misplaced secret is refused without being shown", async (t) => {
  const stack = stackLike(t, "misplaced", (config) => ({
    ...config,
    secrets: { hogee: { TOKEN: "canary" }, hoge: { TOKEN: { deep: "canary" } } },
  }));
  const rendering = await render(stack);
  assertRefused(rendering, /[\w-]+:secrets/);
  assert.doesNotMatch(rendering.stderr, /canary/);
});

test("an encrypted value outside `secrets` is refused", async (t) => {
  const services = { hoge: { image: "example.com/hoge:1", env: { TOKEN: { secure: "v1:canary" } } } };
  const stack = stackLike(t, "encrypted", (config) => ({ ...config, services }));
  assertRefused(await render(stack), /[\w-]+:services\n\s+\(secret\) is encrypted, and only [\w-]+:secrets/);
});

test("an unknown stack is refused with the missing file", async () => {
  assertRefused(await render("nowhere"), /There is no .*Pulumi\.nowhere\.yaml/, /or copy one\. Stacks: .*staging/);
});

test("no stack, two stacks and an unknown option are refused with the usage", async () => {
  assertRefused(await render(), /Name exactly one stack/, /render -- staging/);
  assertRefused(await render("staging", "local"), /Name exactly one stack/);
  assertRefused(await render("staging", "--outt", "x"), /--outt/, /npm run render -- STACK/);
});

test("an invalid config is refused with every problem, its key and its value", async (t) => {
  const stack = stackLike(t, "bad", (config) => ({
    ...config,
    domain: "Shop",
    servces: {},
    proxy: { replicas: "three" },
  }));
  const rendering = await render(stack);
  assertRefused(
    rendering,
    new RegExp(`3 problems in the config of stack ${stack}`),
    /[\w-]+:domain\n\s+"Shop"/,
    /[\w-]+:servces\n.*did you mean "services"\?/,
    /[\w-]+:proxy\.replicas\n\s+"three" must be a whole number from 1 to 100, or a map/,
  );
});

test("a stack file that is not YAML is refused with its name", async (t) => {
  assertRefused(
    await render(stackLike(t, "yaml", () => "config: [")),
    /it is not YAML: .* opens above is not closed/,
    /Close it/,
  );
});

test("a stack file without config is refused with the missing keys", async (t) => {
  assertRefused(await render(stackLike(t, "empty", () => "")), /[\w-]+:domain\n\s+is missing/);
  assertRefused(
    await render(stackLike(t, "list", () => "config: [1, 2]")),
    /Pulumi\.\S+\.yaml, line 1: `config` is not a map/,
  );
});

test("--help prints the usage", async () => {
  const { status, stdout } = await render("--help");
  assert.equal(status, 0);
  assert.match(stdout, /^npm run render -- STACK \[--out DIR\]/);
});
