/** The main workflow of a user: start, open, edit, start again. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { kubectlPath } from "../../tools/machine/kubernetes.ts";
import { clusterStatus } from "../../tools/machine/cluster.ts";
import { run } from "../../tools/cli/run.ts";
import { kubeconfigPath, projectDir } from "../../tools/cli/paths.ts";
import { command, editStack, local, stop } from "./support/commands.ts";
import { underLoad } from "./support/load.ts";
import { answered, endpoint, pathTests, start } from "./support/path.ts";

const kubectl = (...args: string[]) =>
  run(kubectlPath, ["--kubeconfig", clusterStatus().kubeconfig, "--namespace", "apps", ...args], { timeout: 150_000 });

after(stop);

pathTests();

test("a manual change in the cluster is reverted, and unchanged objects need no further dry run", async () => {
  const selector = { "app.kubernetes.io/name": "another" };
  await kubectl("patch", "service", "web", "--patch", JSON.stringify({ spec: { selector } }));
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /^ {2}applied Service\/web$/m);
  assert.match(await kubectl("get", "service", "web", "--output", "jsonpath={.spec.selector}"), /"web"/);
  assert.match((await start()).text, /nothing to apply/);
  const { text: verbose } = await start("--verbose");
  assert.match(verbose, /nothing to apply/);
  assert.match(verbose, /kubectl .* get .*Service/);
  assert.doesNotMatch(verbose, /--dry-run/);
});

test("a new version of a service loses no request", async (context) => {
  const file = join(projectDir, "services/sample/main.mjs");
  const before = readFileSync(file, "utf8");
  context.after(() => {
    writeFileSync(file, before);
  });
  writeFileSync(file, `${before}\n// another version\n`);
  const { result, load } = await underLoad(
    { url: "https://hoge.shop.localhost/", ca: endpoint().ca, good: answered("hoge") },
    () => start(),
  );
  assert.equal(result.status, 0, result.text);
  assert.match(result.text, /applied .*Deployment\/hoge/);
  assert.deepEqual(load.failures, []);
});

test("restarts of proxy and service, until their old pods are gone, lose no request", async () => {
  const deployments = ["nginx-proxy", "hoge"];
  const { load } = await underLoad(
    { url: "https://shop.localhost/hoge/", ca: endpoint().ca, good: answered("hoge") },
    async () => {
      const selector = `app.kubernetes.io/name in (${deployments.join()})`;
      const old = (await kubectl("get", "pods", "--selector", selector, "--output", "name")).trim().split("\n");
      assert.ok(old.length >= 4); // Also pods of the previous test that still drain.
      for (const name of deployments) {
        await kubectl("rollout", "restart", `deployment/${name}`);
        await kubectl("rollout", "status", `deployment/${name}`, "--timeout", "60s");
      }
      await kubectl("wait", "--for=delete", "--timeout", "120s", ...old);
    },
  );
  assert.deepEqual(load.failures, []);
});

test("with an image that does not exist, the old release keeps serving, and the error names the cause", async (context) => {
  editStack(context, (text) =>
    text
      .replace(/(web:\n +)build: .*/, "$1image: localhost/nowhere/web:1")
      .replace("config:", "config:\n  rolloutSeconds: 15"),
  );
  const { result, load } = await underLoad(
    { url: "https://shop.localhost/", ca: endpoint().ca, good: answered("web") },
    () => start(),
  );
  assert.equal(result.status, 1, result.text);
  assert.match(result.text, /rollout of web (cannot|did not) complete/);
  assert.match(result.text, /ErrImagePull|ImagePullBackOff/);
  assert.deepEqual(load.failures, []);
});

test("an invalid config changes nothing", async (context) => {
  editStack(context, (text) => text.replace("domain:", "domian:"));
  const { status, text } = await start();
  assert.equal(status, 1);
  assert.match(text, /did you mean "domain"\?/);
  assert.doesNotMatch(text, /\n\s+at /);
});

test("another engine on the running stack is rejected with the fix", async () => {
  const { status, text } = await local("start.ts", "--engine", "pulumi");
  assert.equal(status, 1);
  assert.match(text, /Run "npm stop" first/);
});

test("an unknown context is rejected with the existing ones", async () => {
  const args = [join(projectDir, "tools/commands/start.ts"), "--engine", "kubectl", "--context", "nowhere"];
  const known = await command(process.execPath, args, { KUBECONFIG: kubeconfigPath });
  assert.equal(known.status, 1);
  assert.match(known.text, /There is no kubectl context "nowhere"\.\nallowed: gke-microservices-local\.$/m);
  const none = await command(process.execPath, args, { KUBECONFIG: "/nonexistent" });
  assert.equal(none.status, 1);
  assert.match(none.text, /No context is known to kubectl/);
});

test("a port in use is reported with the fix", async (context) => {
  await stop();
  const server = createServer().listen(443, "127.0.0.1");
  context.after(() => server.close());
  const { status, text } = await start();
  assert.equal(status, 1);
  assert.match(text, /Port 443 on 127\.0\.0\.1 is in use by .*--https-port/s);
});
