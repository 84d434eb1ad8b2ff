/** The local stack with the Pulumi CLI, if the CLI and its plugins are installed: `npm run e2e -- --engine pulumi`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { kubectl, kubectlObjects } from "../../tools/cli/kubectl.ts";
import { projectDir, stateDir } from "../../tools/cli/paths.ts";
import { destroy, findPulumi, previewChanges } from "../../tools/stack/pulumiCli.ts";
import { caFile } from "../../tools/stack/localCertificate.ts";
import { cliStack, type CliStack } from "./support/cliStack.ts";
import { command, editStack, local, localTarget, stackFile, type Outcome, stop } from "./support/commands.ts";
import { killAfter } from "./support/kill.ts";
import { underLoad } from "./support/load.ts";
import { random, seed } from "./support/random.ts";

const program = findPulumi();
const plugins = program === undefined ? "" : (await command(program, ["plugin", "ls"])).text;
const missing =
  program === undefined
    ? "no Pulumi CLI on PATH"
    : ["kubernetes", "tls"]
        .filter((plugin) => !plugins.includes(plugin))
        .map((plugin) => `the plugin ${plugin} of the Pulumi CLI is not installed`)[0];
const skip = missing ?? false;
const options = { skip, timeout: 10 * 60_000 };
const start = () => local("start.ts", "--engine", "pulumi");

after(stop);

/** The stack's objects in a namespace, as Kind/name. */
async function objectsIn(namespace: string): Promise<string[]> {
  const kinds = "configmaps,secrets,services,deployments,ingresses,poddisruptionbudgets,networkpolicies";
  const label = "app.kubernetes.io/part-of=gke-microservices";
  const live = await kubectlObjects(localTarget, ["get", kinds, "-n", namespace, "-l", label]);
  return live.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
}

test("pulumi: npm start applies the stack with the CLI", options, async () => {
  await stop();
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
  assert.deepEqual(await objectsIn("apps"), names.filter((name) => !name.startsWith("Namespace/")).sort());
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
  const config = readFileSync(join(stateDir, "pulumi/project/Pulumi.local.yaml"), "utf8");
  const second = await cliStack(context, program ?? "", "second", config.replace(/^encryptionsalt:.*$/m, ""));
  const before = await kubectlObjects(localTarget, ["get", "namespace", "apps", "--show-managed-fields"]);
  const up = await second.run("up", "--yes", "--skip-preview");
  assert.notEqual(up.status, 0);
  assert.match(up.text, /conflict.*gke-microservices\/stack/s);
  // Removing what it has made must not remove anything of the first stack.
  const destroyed = await second.run("destroy", "--yes", "--skip-preview");
  assert.equal(destroyed.status, 0, destroyed.text);
  assert.deepEqual(await kubectlObjects(localTarget, ["get", "namespace", "apps", "--show-managed-fields"]), before);
});

test("pulumi: another engine on the running stack is rejected", options, async () => {
  const { status, text } = await local("start.ts", "--engine", "kubectl");
  assert.equal(status, 1);
  assert.match(text, /applied by pulumi, not by kubectl/);
});

const [updates, moments] = process.env["SHORT"] === undefined ? [20, 10] : [2, 2];

/** Kills `npm start`, the CLI and the plugins at a moment of the last two thirds of its usual time. */
const killedStart = (usualSeconds: number) =>
  killAfter((1 / 3 + (random() * 2) / 3) * usualSeconds * 1000, process.execPath, [
    join(projectDir, "tools/commands/start.ts"),
    "--engine",
    "pulumi",
  ]);

test(
  `pulumi: an update killed at ${updates} moments goes on`,
  { ...options, timeout: 60 * 60_000 },
  async (context) => {
    const original = readFileSync(stackFile, "utf8");
    let usual = (await start()).seconds;
    for (let moment = 0; moment < updates; moment++) {
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

/** A stack of the images that the local one has built, in a namespace of its own. */
async function imagesOnly(namespace: string): Promise<string> {
  const deployments = await kubectlObjects(localTarget, ["get", "deployments", "-n", "apps"]);
  const image = (name: string) => {
    const found = deployments.find(({ metadata }) => metadata.name === name);
    return /"image":("[^"]+")/.exec(JSON.stringify(found))?.[1] ?? "";
  };
  const { context, kubeconfig } = localTarget;
  return `config:
  domain: moments.localhost
  namespace: ${namespace}
  cluster: { kind: existing, context: ${context}, kubeconfig: ${JSON.stringify(kubeconfig)} }
  edge: { kind: ingress, className: contour, trustedProxies: [10.0.0.0/8] }
  tls: { mode: self-signed }
  networkPolicies: { dns: [10.213.0.2/32] }
  proxy: { image: ${image("nginx-proxy")}, replicas: 1, resources: { cpu: 10m, memory: 64Mi } }
  services:
    web:
      image: ${image("web")}
      env: { NAME: web }
      health: /readyz
      routes: [{ path: / }]
      replicas: 1
      resources: { cpu: 10m }
`;
}

const creations = process.env["SHORT"] === undefined ? 20 : 2;

// As docs/troubleshooting.md says, with the CLI alone. Half of the kills leave the plugins alive, as when the CLI runs out of memory.
test(
  `pulumi: a creation with the CLI alone, killed at ${creations} moments, goes on after pulumi cancel`,
  { ...options, timeout: 20 * 60_000 },
  async (context) => {
    context.diagnostic(`SEED=${seed}`);
    const good = async (outcome: Promise<Outcome>, what: string) => {
      const { status, text, seconds } = await outcome;
      assert.equal(status, 0, `${what}:\n${text}`);
      return seconds;
    };
    const stackIn = async (namespace: string) =>
      cliStack(context, program ?? "", "moments", await imagesOnly(namespace));
    const remove = (namespace: string) =>
      kubectl(localTarget, ["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"]);
    const found = async (stack: CliStack, namespace: string) => {
      const { resources, pending_operations: pending = [] } = await stack.state();
      // Names end in a hash of the content, which contains the namespace or a random key.
      const objects = (await objectsIn(namespace)).map((name) => name.replace(/-[0-9a-f]{10}$/, ""));
      return { urns: resources.map(({ urn }) => urn).sort(), pending, objects };
    };

    const undisturbed = await stackIn("moment");
    const usual = await good(undisturbed.run("up", "--yes", "--skip-preview"), "undisturbed");
    const expected = await found(undisturbed, "moment");
    await good(undisturbed.run("destroy", "--yes", "--skip-preview"), "destroy");
    let killed = 0;
    for (let moment = 0; moment < creations; moment++) {
      const namespace = `moment-${moment}`;
      const stack = await stackIn(namespace);
      context.after(() => remove(namespace));
      const milliseconds = Math.round(300 + random() * (usual * 1000 - 300));
      const whole = moment % 2 === 0;
      const what = `${namespace}, ${whole ? "CLI and plugins" : "CLI"} killed after ${milliseconds} ms`;
      const { running, end } = await stack.kill(milliseconds, whole, "up", "--yes", "--skip-preview");
      context.after(end);
      if (running) killed++;
      await good(stack.cancel(), what);
      await good(stack.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates"), what);
      await good(stack.run("up", "--yes"), what);
      assert.deepEqual(await found(stack, namespace), expected, what);
      await good(stack.run("preview", "--refresh", "--expect-no-changes"), what);
      end();
      await remove(namespace);
    }
    context.diagnostic(`${killed} of ${creations} were still running when they were killed`);
    assert.ok(killed >= 0.75 * creations, `${killed} of ${creations} were still running`);
  },
);

test("pulumi: destroy leaves nothing", options, async () => {
  await destroy(program ?? "");
  assert.deepEqual(await kubectlObjects(localTarget, ["get", "namespace", "apps", "--ignore-not-found"]), []);
});
