/** `npm start -- --context NAME` with an existing cluster, here that of another checkout. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { nodeImage } from "../../components/images/imageReference.ts";
import { kubectlPath } from "../../tools/machine/kubernetes.ts";
import { kubectlObjects } from "../../tools/cli/kubectl.ts";
import { apiServer, nodeAddress } from "../../tools/machine/node/addresses.ts";
import { kubeconfigPath } from "../../tools/cli/paths.ts";
import { get } from "../../tools/verify/request.ts";
import { copyCheckout } from "./support/checkout.ts";
import { command, local, stop } from "./support/commands.ts";

const context = "gke-microservices-local";
const options = { timeout: 10 * 60_000 };
const checkout = mkdtempSync(join(tmpdir(), "checkout-"));
const stackFile = join(checkout, "Pulumi.local.yaml");
const authority = join(checkout, ".local-ca/ca.crt");
const inCheckout = (script: string, ...args: string[]) =>
  command(process.execPath, [join(checkout, "tools/commands", script), ...args], { KUBECONFIG: kubeconfigPath });
const deployments = async (namespace: string) =>
  (
    await kubectlObjects({ kubectl: kubectlPath, kubeconfig: kubeconfigPath, context }, [
      "get",
      "deployments",
      "-n",
      namespace,
    ])
  )
    .map(({ metadata }) => metadata.name)
    .sort();

before(
  async () => {
    copyCheckout(checkout);
    const text = readFileSync(stackFile, "utf8");
    const elsewhere = "domain: other.localhost\n  namespace: other";
    writeFileSync(stackFile, text.replace("domain: shop.localhost", elsewhere));
    const { status, text: output } = await local("start.ts", "--engine", "kubectl");
    assert.equal(status, 0, output);
  },
  { timeout: 25 * 60_000 },
);

after(async () => {
  await stop();
  rmSync(checkout, { recursive: true, force: true });
});

test("images are built and loaded, the stack is applied, and verified at the Ingress's address", options, async () => {
  const { status, text } = await inCheckout("start.ts", "--engine", "kubectl", "--context", context);
  assert.equal(status, 0, text);
  for (const hop of ["https://other.localhost/", "https://hoge.other.localhost/", "https://other.localhost/hoge/"])
    assert.match(text, new RegExp(`ok +${hop.replaceAll(".", "\\.")} `));
  assert.match(text, /client → 127\.0\.0\.1 → edge \(ingress\)/);
  assert.deepEqual(await deployments("other"), ["hoge", "nginx-proxy", "web"]);
});

test("each checkout has its own CA and its own stack", options, async () => {
  const endpoint = { address: "127.0.0.1", httpPort: 80, httpsPort: 443, ca: readFileSync(authority, "utf8") };
  assert.equal((await get(endpoint, "https", "other.localhost", "/hoge/")).status, 200);
  await assert.rejects(get(endpoint, "https", "shop.localhost", "/hoge/"), /certificate/);
  const { status, text } = await local("start.ts");
  assert.equal(status, 0, text);
  assert.match(text, /nothing to apply/);
});

test("a second start applies nothing, also with --address", options, async () => {
  const { status, text } = await inCheckout("start.ts", "--context", context, "--address", "127.0.0.1");
  assert.equal(status, 0, text);
  assert.match(text, /nothing to apply/);
});

test("npm stop leaves the stack in the other cluster, and prints how to remove it", options, async () => {
  const { status, text } = await inCheckout("stop.ts");
  assert.equal(status, 0, text);
  const [, remove = ""] = /To remove it: kubectl (--context \S+ delete namespace other)$/m.exec(text) ?? [];
  assert.notEqual(remove, "", text);
  assert.deepEqual(await deployments("other"), ["hoge", "nginx-proxy", "web"]);
  assert.deepEqual(await deployments("apps"), ["hoge", "nginx-proxy", "web"]);
  const removed = await command(kubectlPath, ["--kubeconfig", kubeconfigPath, ...remove.split(" ")]);
  assert.equal(removed.status, 0, removed.text);
  assert.deepEqual(await deployments("other"), []);
});

test("a cluster that images cannot be loaded into pulls them", options, async (context) => {
  // The same cluster at another address, so that it is not recognized as the local one.
  const server = createServer((socket) => {
    const upstream = connect(6443, nodeAddress);
    socket.on("error", () => upstream.destroy()).pipe(upstream);
    upstream.on("error", () => socket.destroy()).pipe(socket);
  }).listen(0, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(checkout, "foreign.kubeconfig");
  const text = readFileSync(kubeconfigPath, "utf8").replaceAll("gke-microservices-local", "foreign");
  writeFileSync(kubeconfig, text.replace(apiServer, `https://127.0.0.1:${port}`), { mode: 0o600 });
  const start = () =>
    command(
      process.execPath,
      [join(checkout, "tools/commands/start.ts"), "--engine", "kubectl", "--context", "foreign"],
      {
        KUBECONFIG: kubeconfig,
      },
    );

  const refused = await start();
  assert.equal(refused.status, 1);
  assert.match(
    refused.text,
    /The stack builds hoge, web, nginx-proxy, but there is no known way .* cluster of "foreign"/,
  );
  assert.match(refused.text, /set image: instead of build:/);
  assert.deepEqual(await deployments("other"), []);

  // The node already has the images that a registry would provide.
  const config = readFileSync(stackFile, "utf8")
    .replace(
      /(\w+)(:\n +)build: \{ context: (\S+) \}/g,
      (_, name: string, between: string, context: string) =>
        `${name}${between}image: ${nodeImage(name, join(checkout, context))}`,
    )
    .replace("  proxy:", `$&\n    image: ${nodeImage("nginx-proxy", join(checkout, "nginx"))}`);
  writeFileSync(stackFile, config);
  const started = await start();
  assert.equal(started.status, 0, started.text);
  assert.match(started.text, /ok +https:\/\/hoge\.other\.localhost\//);
  assert.doesNotMatch(started.text, /images/);
});
