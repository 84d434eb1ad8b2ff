/** The local stack with the Pulumi CLI, if the CLI and its plugins are installed: `npm run e2e -- --engine pulumi`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { kubectlObjects } from "../../tools/cli/kubectl.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import { destroy, findPulumi, previewChanges } from "../../tools/stack/pulumiCli.ts";
import { caFile } from "../../tools/stack/localCertificate.ts";
import { command, editStack, local, localTarget } from "./support/commands.ts";
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

test("pulumi: another engine on the running stack is rejected", options, async () => {
  const { status, text } = await local("start.ts", "--engine", "kubectl");
  assert.equal(status, 1);
  assert.match(text, /applied by pulumi, not by kubectl/);
});

test("pulumi: destroy leaves nothing", options, async () => {
  await destroy(program ?? "");
  assert.deepEqual(await kubectlObjects(localTarget, ["get", "namespace", "apps", "--ignore-not-found"]), []);
});
