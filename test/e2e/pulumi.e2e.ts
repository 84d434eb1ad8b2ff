/** The local stack with the Pulumi CLI, if the CLI and its plugins are installed: `npm run e2e -- --engine pulumi`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectlObjects } from "../../tools/cli/kubectl.ts";
import { projectDir, stateDir } from "../../tools/cli/paths.ts";
import { destroy, findPulumi, previewChanges } from "../../tools/stack/pulumiCli.ts";
import { caFile } from "../../tools/stack/localCertificate.ts";
import { command, editStack, local, localTarget, stackFile } from "./support/commands.ts";
import { underLoad } from "./support/load.ts";

const program = findPulumi();
const plugins = program === undefined ? "" : (await command(program, ["plugin", "ls"])).text;
const missing =
  program === undefined
    ? "no Pulumi CLI on PATH"
    : plugins.includes("kubernetes")
      ? undefined
      : "the Kubernetes plugin of the Pulumi CLI is not installed";
const skip = missing ?? false;
const options = { skip, timeout: 10 * 60_000 };
const start = () => local("start.ts", "--engine", "pulumi");

after(() => local("stop.ts", "--keep-cache"));

test("pulumi: npm start applies the stack with the CLI", options, async () => {
  await local("stop.ts", "--keep-cache");
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /Engine: pulumi/);
  assert.match(text, /ok +https:\/\/shop\.localhost\/hoge\//);
});

test("pulumi: a second up and a preview with refresh find no difference", options, async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /nothing to apply/);
  assert.equal(await previewChanges(program ?? ""), 0);
});

test("pulumi: both engines create the same objects", options, async () => {
  const rendered = await command(process.execPath, [join(projectDir, "tools/commands/render.ts"), "local"]);
  assert.equal(rendered.status, 0, rendered.text);
  const names = [...rendered.text.matchAll(/^kind: (\w+)\nmetadata:\n(?:(?! {2}name: ) .*\n)* {2}name: (\S+)$/gm)].map(
    ([, kind, name]) => `${kind ?? ""}/${name ?? ""}`,
  );
  assert.ok(names.length > 10, rendered.text);
  const kinds = "configmaps,secrets,services,deployments,ingresses,poddisruptionbudgets,networkpolicies";
  const live = await kubectlObjects(localTarget, [
    "get",
    kinds,
    "-n",
    "apps",
    "-l",
    "app.kubernetes.io/part-of=gke-microservices",
  ]);
  assert.deepEqual(
    live.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort(),
    names.filter((name) => !name.startsWith("Namespace/")).sort(),
  );
});

test("pulumi: an edited route is applied and loses no request", options, async (context) => {
  editStack(context, (text) => text.replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /new/ }"));
  const good = (status: number, body: string) => status === 200 && body.includes('"service": "hoge"');
  const { result, load } = await underLoad(
    { url: "https://shop.localhost/hoge/", ca: readFileSync(caFile, "utf8"), good },
    start,
  );
  assert.equal(result.status, 0, result.text);
  assert.match(result.text, /ok +https:\/\/shop\.localhost\/new\//);
  assert.deepEqual(load.failures, []);
});

test("pulumi: a changed port is previewed and applied, and changed back", options, async (context) => {
  editStack(context, (text) =>
    text.replace("env: { NAME: hoge }", "env: { NAME: hoge, PORT: 8090 }\n      port: 8090"),
  );
  for (const restore of [false, true]) {
    if (restore) editStack(context, (text) => text.replace(", PORT: 8090 }\n      port: 8090", " }"));
    const { status, text } = await start();
    assert.equal(status, 0, text);
    assert.match(text, /ok +https:\/\/shop\.localhost\/hoge\//);
  }
});

test("pulumi: a second stack in the same namespace is refused before it changes anything", options, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "second-stack-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const env = { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "x" };
  const second = (...args: string[]) => command(program ?? "", [...args, "--non-interactive"], env);
  copyFileSync(join(projectDir, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  assert.equal((await second("stack", "init", "second", "--no-select", "--cwd", folder)).status, 0);
  const config = readFileSync(join(stateDir, "pulumi/project/Pulumi.local.yaml"), "utf8").replace(
    /^encryptionsalt:.*$/m,
    "",
  );
  const file = join(folder, "Pulumi.second.yaml");
  writeFileSync(file, readFileSync(file, "utf8") + config);
  const before = await kubectlObjects(localTarget, ["get", "namespace", "apps", "--show-managed-fields"]);
  const up = await second("up", "--stack", "second", "--config-file", file, "--yes", "--skip-preview");
  assert.notEqual(up.status, 0);
  assert.match(up.text, /conflict.*gke-microservices\/stack/s);
  // Removing what it has made must not remove anything of the first stack.
  const destroyed = await second("destroy", "--stack", "second", "--config-file", file, "--yes", "--skip-preview");
  assert.equal(destroyed.status, 0, destroyed.text);
  assert.deepEqual(await kubectlObjects(localTarget, ["get", "namespace", "apps", "--show-managed-fields"]), before);
});

test("pulumi: another engine on the running stack is rejected", options, async () => {
  const { status, text } = await local("start.ts", "--engine", "kubectl");
  assert.equal(status, 1);
  assert.match(text, /applied by pulumi, not by kubectl/);
});

const moments = process.env["SHORT"] === undefined ? 10 : 2;

/** Kills `npm start`, the CLI and the plugins at a moment of the last two thirds of its usual time. */
async function killedStart(usualSeconds: number): Promise<void> {
  const child = spawn(process.execPath, [join(projectDir, "tools/commands/start.ts"), "--engine", "pulumi"], {
    cwd: projectDir,
    detached: true, // The leader of a process group.
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  await Promise.race([ended, sleep((1 / 3 + (Math.random() * 2) / 3) * usualSeconds * 1000)]);
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  await ended;
}

test(
  `pulumi: an update killed at ${moments} moments goes on`,
  { ...options, timeout: 30 * 60_000 },
  async (context) => {
    const original = readFileSync(stackFile, "utf8");
    let usual = (await start()).seconds;
    for (let moment = 0; moment < moments; moment++) {
      editStack(context, () =>
        original
          .replace("{ path: /hoge/ }", `{ path: /hoge/ }, { path: /moment-${moment}/ }`)
          .replace("env: { NAME: web }", `env: { NAME: web, MOMENT: "${moment}" }`),
      );
      await killedStart(usual);
      const { status, text, seconds } = await start();
      assert.equal(status, 0, text);
      assert.match(text, new RegExp(`ok +https://shop\\.localhost/moment-${moment}/`));
      usual = seconds;
    }
    assert.equal(await previewChanges(program ?? ""), 0);
  },
);

test(`pulumi: a creation killed at ${moments} moments goes on`, { ...options, timeout: 60 * 60_000 }, async () => {
  await destroy(program ?? "");
  let usual = (await start()).seconds;
  for (let moment = 0; moment < moments; moment++) {
    await destroy(program ?? "");
    await killedStart(usual);
    const { status, text, seconds } = await start();
    assert.equal(status, 0, text);
    usual = Math.max(seconds, usual / 2);
  }
  assert.equal(await previewChanges(program ?? ""), 0);
});

test("pulumi: destroy leaves nothing", options, async () => {
  await destroy(program ?? "");
  assert.deepEqual(await kubectlObjects(localTarget, ["get", "namespace", "apps", "--ignore-not-found"]), []);
});
