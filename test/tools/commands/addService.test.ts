/** `npm run add-service` in a copy of the checkout: what it writes, and that it writes all or nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { parse } from "yaml";
import { project } from "../../../names/project.ts";
import { withService } from "../../../tools/stack/editStackFile.ts";
import { copyCheckout } from "../../e2e/support/checkout.ts";
import { Objects } from "../../program/rendered.ts";

const folder = mkdtempSync(join(tmpdir(), "add-service-"));
const copy = join(folder, "copy");
after(() => {
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  rmSync(copy, { recursive: true, force: true });
  copyCheckout(copy);
});

const run = (program: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(copy, program), ...args], { cwd: copy, encoding: "utf8", timeout: 100_000 });
const addService = (...args: string[]) => run("tools/commands/addService.ts", ...args);
const read = (...path: string[]) => readFileSync(join(copy, ...path), "utf8");
const stackFiles = ["Pulumi.local.yaml", "Pulumi.staging.yaml", "Pulumi.production.yaml"];
/** Everything that the command can write. */
const state = () => ({ files: stackFiles.map((file) => read(file)), services: readdirSync(join(copy, "services")) });

/** The new folder passes lint and formatting, and the stack file its validation. */
function assertGoodFolder(): void {
  for (const [program, ...args] of [
    ["node_modules/prettier/bin/prettier.cjs", "--check", "--ignore-path", ".gitignore", "services/zz-added"],
    ["node_modules/eslint/bin/eslint.js", "--no-ignore", "services/zz-added"],
    ["tools/commands/check.ts", "local"],
  ] as const) {
    const outcome = run(program, ...args);
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr);
  }
}

test("the service is added after the others in each named stack; nothing else changes", () => {
  const before = state();
  const { status, stdout, stderr } = addService("zz-added", "--stack", "local", "--stack", "staging");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^Wrote services\/zz-added, Pulumi\.local\.yaml, Pulumi\.staging\.yaml\.\n/);
  const lines = [
    "    zz-added:",
    "      build: { context: ./services/zz-added }",
    "      health: /healthz",
    "      routes: [{ path: /zz-added/ }]",
    "",
  ].join("\n");
  const [local = "", staging = "", production] = before.files;
  assert.deepEqual(state().files, [local + lines, staging + lines, production]);
  assert.deepEqual(readdirSync(join(copy, "services/zz-added")).sort(), ["Dockerfile", "main.mjs"]);
});

test("the files pass lint, formatting and the config's validation, and are rendered with the health check", () => {
  const { status, stderr } = addService("zz-added", "--host", "zz-added", "--path", "/v1/", "--port", "9000");
  assert.equal(status, 0, stderr);
  const service = (parse(read("Pulumi.local.yaml")) as { config: { services: Record<string, unknown> } }).config
    .services["zz-added"];
  assert.deepEqual(service, {
    build: { context: "./services/zz-added" },
    port: 9000,
    health: "/healthz",
    routes: [{ path: "/v1/", host: "zz-added" }],
  });
  assertGoodFolder();
  const { stdout } = run("tools/commands/render.ts", "local");
  const [container] = new Objects(stdout).named("Deployment", "zz-added").spec.template.spec.containers;
  assert.match(container?.image ?? "", /^localhost\/gke-microservices\/zz-added:\w+$/);
  assert.deepEqual(container?.readinessProbe?.httpGet, { path: "/healthz", port: "http" });
});

test("the Dockerfile is that of the sample service: base by digest, no root, read-only files", () => {
  addService("zz-added");
  const instructions = (name: string) => read("services", name, "Dockerfile").replaceAll(/^LABEL (.*\\\n)*.*\n/gm, "");
  assert.equal(instructions("zz-added"), instructions("sample"));
  assert.match(read("services/zz-added/Dockerfile"), /image\.title="zz-added"/);
});

const refusals: [string, string[], RegExp][] = [
  ["no name", [], /Name exactly one service/],
  ["an existing service", ["hoge"], /The stack local has a service hoge already/],
  [
    "a name that is not a DNS label",
    ["../Orders"],
    /"\.\.\/Orders" cannot be a service's name: it must be a DNS label/,
  ],
  ["the proxy's name", ["nginx-proxy"], /cannot be a service's name: it must not be nginx-proxy/],
  [
    "a route that is taken",
    ["zz-added", "--path", "/hoge/"],
    /cannot have this service .*\n.*routes\[0\]\n\s+"\/hoge\/" is already the route/,
  ],
  [
    "a route that is taken only in another stack",
    ["zz-added", "--stack", "production"],
    /The stack production cannot have/,
  ],
  ["an invalid path", ["zz-added", "--path", 'a"b'], /"a\\"b" must start with \//],
  ["port 0", ["zz-added", "--port", "0"], /0 must be at least 1/],
  ["an invalid port", ["zz-added", "--port", "1 # x"], /1 # x is not a port/],
  ["a stack that does not exist", ["zz-added", "--stack", "nowhere"], /There is no .*Pulumi\.nowhere\.yaml/],
  ["an unknown option", ["zz-added", "--pth", "/x/"], /--pth/],
];

test("invalid input is rejected with the reason, and nothing is written", () => {
  const production = join(copy, "Pulumi.production.yaml");
  writeFileSync(production, read("Pulumi.production.yaml").replace("{ path: /hoge/ }", "{ path: /zz-added/ }"));
  const before = state();
  for (const [what, args, message] of refusals) {
    const { status, stderr } = addService(...args);
    assert.equal(status, 1, what);
    assert.match(stderr, message, what);
    assert.doesNotMatch(stderr, /\n\s+at /, what);
    assert.deepEqual(state(), before, what);
  }
  mkdirSync(join(copy, "services/zz-added"));
  appendFileSync(join(copy, "services/zz-added/mine"), "mine");
  assert.match(addService("zz-added").stderr, /There is a folder services\/zz-added already/);
  assert.equal(read("services/zz-added/mine"), "mine");
});

test("--stack chooses the stacks, local among them only if it is named", () => {
  const before = state();
  const { status, stdout, stderr } = addService(
    "zz-added",
    "--stack",
    "staging",
    "--image",
    "registry.example.com/a:1",
  );
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "Wrote Pulumi.staging.yaml.\nCheck it: npm run check -- staging\n");
  const [local, , production] = before.files;
  assert.deepEqual(state().files, [local, read("Pulumi.staging.yaml"), production]);
  assert.match(read("Pulumi.staging.yaml"), /zz-added:/);
});

test("--port none is a worker, and no other kind", () => {
  const { status, stderr } = addService("zz-added", "--port", "none");
  assert.equal(status, 0, stderr);
  assert.match(read("Pulumi.local.yaml"), /zz-added:\n.*\n {6}port: none\n$/);
  for (const [args, message] of [
    [["--port", "none", "--kind", "web"], /A web service has a port\.\nLeave out --port none, or use --kind worker/],
    [["--port", "9000", "--kind", "worker"], /A worker has no port\.\nLeave out --port, or use --kind web/],
    [["--port", "none", "--path", "/a/"], /A worker has no route/],
  ] as const)
    assert.match(addService("zz-other", ...args).stderr, message);
  assert.doesNotMatch(read("Pulumi.local.yaml"), /zz-other/);
});

test("--help prints the usage", () => {
  const { status, stdout } = addService("--help");
  assert.equal(status, 0);
  assert.match(stdout, /^npm run add-service -- NAME/);
});

test("a service is added after the last one, whatever the file's formatting", () => {
  const add = (text: string) => withService(text, "f", "new", ["a: 1"]);
  assert.equal(
    add("config:\n  services:\n    x: { b: 1 } # why\n"),
    "config:\n  services:\n    x: { b: 1 } # why\n    new:\n      a: 1\n",
  );
  assert.equal(
    add(`config:\n  ${project}:services:\n    x:\n      - b\n  domain: c\nencryptionsalt: d`),
    `config:\n  ${project}:services:\n    x:\n      - b\n    new:\n      a: 1\n  domain: c\nencryptionsalt: d`,
  );
  assert.equal(add("config:\n services:\n  x: 1"), "config:\n services:\n  x: 1\n  new:\n    a: 1\n");
  for (const text of ["config: {}", "config:\n  services: {}", "config:\n  services: { x: 1 }"])
    assert.throws(() => add(text), /f has no services, or has them in one line/);
});

test("a worker has a folder and no route", () => {
  const { status, stderr } = addService("zz-added", "--kind", "worker");
  assert.equal(status, 0, stderr);
  const lines = ["    zz-added:", "      build: { context: ./services/zz-added }", "      port: none", ""].join("\n");
  assert.ok(read("Pulumi.local.yaml").endsWith(lines));
  assertGoodFolder();
});

for (const [language, files] of [
  ["node", ["Dockerfile", "main.mjs"]],
  ["python", ["Dockerfile", "main.py"]],
  ["go", ["Dockerfile", "go.mod", "main.go"]],
] as const)
  for (const kind of ["web", "worker"])
    test(`--language ${language} --kind ${kind} writes its program, and the same lines of config as any`, () => {
      const port = kind === "web" ? ["--port", "9000"] : [];
      const { status, stdout, stderr } = addService("zz-added", "--language", language, "--kind", kind, ...port);
      assert.equal(status, 0, stderr);
      assert.ok(stdout.endsWith(`\nThen edit it: services/zz-added/${files.at(-1) ?? ""}\n`), stdout);
      assert.deepEqual(readdirSync(join(copy, "services/zz-added")).sort(), files);
      const texts = Object.fromEntries(files.map((file) => [file, read("services/zz-added", file)]));
      const all = Object.values(texts).join("");
      assert.doesNotMatch(all, /new-service|8080/);
      assert.match(texts["Dockerfile"] ?? "", /image\.title="zz-added"/);
      assert.match(texts[files.at(-1) ?? ""] ?? "", /"zz-added"/);
      assert.equal(all.match(/9000/g)?.length, kind === "web" ? 2 : undefined); // EXPOSE, and the default in the program
      const lines =
        kind === "web" ? ["port: 9000", "health: /healthz", "routes: [{ path: /zz-added/ }]"] : ["port: none"];
      const entry = [
        "    zz-added:",
        ...["build: { context: ./services/zz-added }", ...lines].map((line) => `      ${line}`),
      ];
      assert.ok(read("Pulumi.local.yaml").endsWith(`\n${entry.join("\n")}\n`));
      const checked = run("tools/commands/check.ts", "local");
      assert.equal(checked.status, 0, checked.stdout + checked.stderr);
    });

test("a ready image has no folder; what it needs is refused before anything is written", () => {
  const before = state();
  const { status } = addService("zz-added", "--image", "registry.example.com/apps/a:1");
  assert.equal(status, 0);
  assert.deepEqual(state().services, before.services);
  assert.match(
    read("Pulumi.local.yaml"),
    /zz-added:\n +image: "registry\.example\.com\/apps\/a:1"\n +health: \/healthz\n/,
  );
  for (const [args, message] of [
    [["--image", "redis"], /must have a tag or a digest/],
    [["--kind", "cron"], /There is no kind "cron"/],
    [["--language", "ruby"], /There is no template for the language "ruby"/],
    [["--language", "go", "--image", "a:1"], /A ready image has no folder, so no language/],
    [["--kind", "worker", "--path", "/a/"], /A worker has no route/],
  ] as const) {
    const { status, stderr } = addService("zz-other", ...args);
    assert.equal(status, 1, args.join(" "));
    assert.match(stderr, message);
    assert.doesNotMatch(read("Pulumi.local.yaml"), /zz-other/);
  }
});
