/** Network policies between real pods: only connections that the config allows are possible. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { apiServiceAddress, nodeAddress } from "../../tools/machine/node/addresses.ts";
import { get } from "../../tools/verify/request.ts";
import { command, editStack, localTarget, stop } from "./support/commands.ts";
import { endpoint, start } from "./support/path.ts";

const kubectl = async (...args: string[]) => {
  const { status, text } = await command(localTarget.kubectl, ["--kubeconfig", localTarget.kubeconfig, ...args]);
  assert.equal(status, 0, text);
  return text.trim();
};

/** Ports of kubelet and API server on the node, as examples of targets outside the namespace. */
const [outside, other] = [10_250, 6443];

before(async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
  const image = await kubectl(
    "-n",
    "apps",
    "get",
    "deploy/hoge",
    "-o",
    "jsonpath={.spec.template.spec.containers[0].image}",
  );
  await kubectl("create", "namespace", "strangers");
  await kubectl("-n", "strangers", "run", "stranger", `--image=${image}`, "--image-pull-policy=Never");
  await kubectl("-n", "strangers", "wait", "--for=condition=Ready", "pod/stranger", "--timeout=60s");
});
after(async () => {
  await stop();
});

type Pod = readonly [namespace: string, pod: string];
const hoge: Pod = ["apps", "deploy/hoge"];
const web: Pod = ["apps", "deploy/web"];
const stranger: Pod = ["strangers", "pod/stranger"];

/** Result of a connection from a pod. If a policy forbids it, there is no answer. */
async function reach([namespace, pod]: Pod, host: string, port: number): Promise<string> {
  const script = `const socket = require("net").connect(${port}, ${JSON.stringify(host)});
    const end = (text) => { console.log(text); process.exit(); };
    socket.on("connect", () => end("connected")).on("error", (error) => end(error.code));
    setTimeout(() => end("no answer"), 2000);`;
  return kubectl("-n", namespace, "exec", pod, "--", "/usr/bin/node", "-e", script);
}

/** Checks each connection: source, address, port and expected result. */
async function expect(cases: readonly (readonly [Pod, string, number, string])[]): Promise<void> {
  for (const [from, host, port, outcome] of cases)
    assert.equal(await reach(from, host, port), outcome, `${from.join("/")} to ${host}:${port}`);
}

const podOf = (service: string) =>
  kubectl(
    "-n",
    "apps",
    "get",
    "pod",
    "-l",
    `app.kubernetes.io/name=${service}`,
    "-o",
    "jsonpath={.items[0].status.podIP}",
  );

test("a service reaches only the cluster's DNS", { timeout: 120_000 }, async () => {
  await expect([
    [hoge, "web", 8080, "no answer"], // The name resolves: otherwise it would be ENOTFOUND.
    [hoge, await podOf("web"), 8080, "no answer"],
    [hoge, "nginx-proxy", 80, "no answer"],
    [hoge, apiServiceAddress, 443, "no answer"],
    [hoge, nodeAddress, outside, "no answer"],
    [hoge, "nobody.apps.svc.cluster.local", 80, "ENOTFOUND"],
  ]);
});

test(
  "the proxy reaches its services; pods of other namespaces reach only the proxy",
  { timeout: 120_000 },
  async () => {
    assert.equal((await get(endpoint(), "https", "shop.localhost", "/hoge/")).status, 200);
    await expect([
      [stranger, "nginx-proxy.apps", 80, "connected"],
      [stranger, "hoge.apps", 8080, "no answer"],
      [stranger, await podOf("hoge"), 8080, "no answer"],
      [stranger, apiServiceAddress, 443, "connected"], // Its own namespace has no policy.
      [stranger, nodeAddress, outside, "connected"],
    ]);
  },
);

test("`calls` and `egress` open what they name, in one direction", { timeout: 180_000 }, async (context) => {
  const egress = `egress: [{ cidr: ${nodeAddress}/32, ports: [${outside}] }]`;
  editStack(context, (text) => text.replace("{ host: hoge }]", `{ host: hoge }]\n      calls: [web]\n      ${egress}`));
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(
    text,
    /applied NetworkPolicy\/hoge\.egress\.\w+, NetworkPolicy\/hoge\.to\.web, NetworkPolicy\/web\.from\.hoge\n/,
  );
  await sleep(1000); // Policies take effect with a delay.
  await expect([
    [hoge, "web", 8080, "connected"],
    [hoge, nodeAddress, outside, "connected"],
    [hoge, nodeAddress, other, "no answer"],
    [web, "hoge", 8080, "no answer"],
    [web, nodeAddress, outside, "no answer"],
    [stranger, "web.apps", 8080, "no answer"],
  ]);
});

test("without policies, all connections are possible", { timeout: 180_000 }, async (context) => {
  editStack(context, (text) => text.replace("networkPolicies:\n", "networkPolicies:\n    enabled: false\n"));
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /pruned NetworkPolicy\/default-deny/);
  await sleep(1000);
  await expect([
    [web, "hoge", 8080, "connected"],
    [stranger, "hoge.apps", 8080, "connected"],
    [hoge, nodeAddress, outside, "connected"],
  ]);
});
