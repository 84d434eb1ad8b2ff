import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fullKey } from "../../../names/project.ts";
import { evaluate, inOrder } from "../../../tools/stack/evaluate.ts";
import { readStackFile, withPlaceholderFiles } from "../../../tools/stack/stackFile.ts";
import { createAuthority } from "../../../tools/cli/pki.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { stacksDir, tlsDir } from "../../../tools/cli/paths.ts";

const folder = mkdtempSync(join(tmpdir(), "stack-"));
test.after(() => {
  rmSync(folder, { recursive: true });
});

function stackFile(content: string): string {
  const path = join(folder, "Pulumi.test.yaml");
  writeFileSync(path, content);
  return path;
}

const withSecrets = `config:
  domain: shop.example.com
  rolloutSeconds: 90
  whole: { secure: v1:canary }
  secrets:
    hoge: { A: { secure: v1:canary }, B: plain }
    list: [{ secure: v1:canary }, { secure: v1:canary, other: 1 }]
`;

test("values have Pulumi's form: strings unchanged, the rest as JSON, encrypted ones as placeholders", () => {
  assert.deepEqual(readStackFile(stackFile(withSecrets)), {
    [fullKey("domain")]: "shop.example.com",
    [fullKey("rolloutSeconds")]: "90",
    [fullKey("whole")]: `(secret ${fullKey("whole")} not shown)`,
    [fullKey("secrets")]: JSON.stringify({
      hoge: { A: `(secret ${fullKey("secrets")}.hoge.A not shown)`, B: "plain" },
      // A value is encrypted only if `secure` is its only key.
      list: [`(secret ${fullKey("secrets")}.list[0] not shown)`, { secure: "v1:canary", other: 1 }],
    }),
  });
});

test("a config to apply must not contain placeholders, which would be used as if they were the secrets", () => {
  assert.throws(
    () => readStackFile(stackFile(withSecrets), "refuse"),
    (error) =>
      error instanceof Problem &&
      /encrypted value.*: [\w-]+:whole\.$/.test(error.message) &&
      !`${error.message}${error.fix}`.includes("canary"),
  );
  const plain = stackFile("config:\n  domain: shop.example.com\n");
  assert.deepEqual(readStackFile(plain, "refuse"), { [fullKey("domain")]: "shop.example.com" });
});

test("a file that is missing, or not a YAML map, is a problem; one without config is empty", () => {
  assert.throws(() => readStackFile(join(folder, "nothing.yaml")), Problem);
  for (const wrong of ["config: [", "config: []\n", "text\n"])
    assert.throws(() => readStackFile(stackFile(wrong)), Problem, wrong);
  for (const empty of ["", "config:\n"]) assert.deepEqual(readStackFile(stackFile(empty)), {});
});

test("placeholders replace only certificate files that do not exist", () => {
  const tls = (value: unknown) => ({ [fullKey("tls")]: JSON.stringify(value) });
  const missing = tls({ mode: "supplied", certFile: "nowhere/tls.crt", keyFile: "nowhere/tls.key" });
  assert.deepEqual(withPlaceholderFiles(missing), {
    ...tls({ mode: "supplied" }),
    [fullKey("secrets")]: JSON.stringify({
      tls: { crt: "(nowhere/tls.crt not shown)", key: "(nowhere/tls.key not shown)" },
    }),
  });
  const there = tls({ mode: "supplied", certFile: "package.json", keyFile: "package.json" });
  assert.deepEqual(withPlaceholderFiles(there), there);
  assert.deepEqual(withPlaceholderFiles(there, "replaceable"), there);
  // `npm start` renews these files if needed.
  const renewed = tls({ mode: "supplied", certFile: ".local/tls/tls.crt", keyFile: ".local/tls/tls.key" });
  assert.match(withPlaceholderFiles(renewed, "replaceable")[fullKey("secrets")] ?? "", /not shown/);
  for (const other of [tls({ mode: "none" }), tls({ mode: "supplied" }), tls([]), { [fullKey("tls")]: "{" }, {}])
    assert.deepEqual(withPlaceholderFiles(other, "replaceable"), other);
});

test("objects to apply have their secrets in plain text, and are in the order of their dependencies", async () => {
  const config = readStackFile(join(stacksDir, "Pulumi.local.yaml"), "refuse");
  const { objects, outputs } = await evaluate(
    "local",
    {
      ...config,
      [fullKey("tls")]: JSON.stringify({ mode: "none" }),
      [fullKey("secrets")]: JSON.stringify({ hoge: { TOKEN: "canary" } }),
    },
    "plain",
  );
  const secrets = objects.filter(({ kind }) => kind === "Secret");
  assert.deepEqual(
    secrets.map((secret) => secret["stringData"]),
    [{ TOKEN: "canary" }],
  );
  assert.doesNotMatch(JSON.stringify(objects.filter(({ kind }) => kind !== "Secret")), /canary|not shown/);
  const kinds = objects.map(({ kind }) => kind);
  const order = [
    "Namespace",
    "ConfigMap",
    "Secret",
    "NetworkPolicy",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
    "Ingress",
  ];
  assert.deepEqual([...new Set(kinds)], order);
  assert.equal(outputs["url"], "http://shop.localhost/");
  assert.equal(outputs["kubeconfig"], undefined);
});

test("what is only shown takes a host that the local certificate does not cover yet", async (context) => {
  const files = ["tls.crt", "tls.key"].map((name) => join(tlsDir, name));
  // With a running cluster they are there, and cover its hosts alone.
  const made = files.filter((file) => !existsSync(file));
  mkdirSync(tlsDir, { recursive: true });
  for (const file of made) writeFileSync(file, "another certificate");
  context.after(() => {
    for (const file of made) rmSync(file);
  });
  const config = readStackFile(join(stacksDir, "Pulumi.local.yaml"), "refuse");
  const hoge = { image: "a/b:1", routes: [{ host: "another" }] };
  const { objects } = await evaluate(
    "local",
    { ...config, [fullKey("services")]: JSON.stringify({ hoge }) },
    "redacted",
  );
  assert.match(JSON.stringify(objects), /another\.shop\.localhost/);
});

test("what is only shown has the local certificate if it covers the hosts", async (context) => {
  const config = readStackFile(join(stacksDir, "Pulumi.local.yaml"), "refuse");
  const files = ["tls.crt", "tls.key"].map((name) => join(tlsDir, name));
  if (!files.every((file) => existsSync(file))) {
    const names = ["shop.localhost", "*.shop.localhost"];
    const { certificate, key } = await (await createAuthority("a CA")).issue({ commonName: "shop.localhost", names });
    mkdirSync(tlsDir, { recursive: true });
    for (const [index, text] of [certificate, key].entries()) writeFileSync(files[index] ?? "", text);
    context.after(() => {
      for (const file of files) rmSync(file);
    });
  }
  const secretOf = async (of: Record<string, string>) =>
    (await evaluate("local", of, "redacted")).objects.find(({ kind }) => kind === "Secret")?.metadata.name;
  // The Secret's name has a hash of its content, as in the cluster.
  assert.notEqual(await secretOf(config), await secretOf(withPlaceholderFiles(config, "always")));
});

test("everything that the program registers is listed with what the engine gets, but without secrets", async () => {
  const config = readStackFile(join(stacksDir, "Pulumi.staging.yaml"));
  const { resources, objects } = await evaluate("staging", config, "redacted");
  const find = (name: string, type: string) =>
    resources.find((resource) => resource.name === name && resource.type === type) ?? assert.fail(name);
  const vpc = find("staging-network-vpc", "gcp:compute/network:Network");
  const cluster = find("staging-cluster", "gcp:container/cluster:Cluster");
  const subnet = find("staging-network-subnet", "gcp:compute/subnetwork:Subnetwork");
  assert.deepEqual(subnet.sources, { network: [vpc.urn] });
  assert.equal(subnet.inputs["network"], "(staging-network-vpc id not shown)");
  assert.deepEqual(
    [subnet.deleteBeforeReplace, subnet.replaceOnChanges, subnet.custom, subnet.protect],
    [true, ["secondaryIpRanges[0].ipCidrRange", "secondaryIpRanges[1].ipCidrRange"], true, false],
  );
  assert.deepEqual(find("staging-main", "gcp:container/nodePool:NodePool").ignoreChanges, ["initialNodeCount"]);
  assert.deepEqual(find("staging-nodes", "gcp:serviceaccount/account:Account").aliases, [
    { type: "gcp:serviceAccount/account:Account", parent: cluster.parent },
  ]);
  assert.deepEqual(find("staging", "gke-microservices:index:GkeCluster").custom, false);

  const provider = find("staging-provider", "pulumi:providers:kubernetes");
  assert.deepEqual(provider.inputs, {
    clusterIdentifier: "(staging-cluster id not shown)",
    enablePatchForce: "true",
    kubeconfig: "(secret kubeconfig not shown)",
    upsertExistingObjects: "true",
  });
  assert.deepEqual(find("staging-hoge", "docker:index/image:Image").inputs["registry"], "(secret registry not shown)");

  const inKubernetes = resources.filter(({ type }) => type.startsWith("kubernetes:"));
  assert.equal(inKubernetes.length, objects.length);
  for (const { inputs, provider: urn } of inKubernetes) {
    assert.deepEqual(Object.keys(inputs), ["kind", "metadata"]);
    assert.equal(urn, provider.urn);
  }
});

test("a process can evaluate the program again, also after an invalid config", async () => {
  const config = readStackFile(join(stacksDir, "Pulumi.staging.yaml"));
  await assert.rejects(evaluate("staging", { ...config, [fullKey("domain")]: "-" }, "redacted"), /1 problem/);
  const { resources } = await evaluate("staging", { ...config, [fullKey("domain")]: "again.example.com" }, "redacted");
  assert.match(JSON.stringify(resources), /again\.example\.com/);
});

test("the namespace comes first, even before an unlisted kind; the edge comes last", () => {
  const object = (kind: string, name = "a") => ({ apiVersion: "v1", kind, metadata: { name } });
  const kinds = ["Ingress", "Deployment", "CronJob", "Service", "Namespace", "ConfigMap"];
  assert.deepEqual(
    inOrder(kinds.map((kind) => object(kind))).map(({ kind }) => kind),
    ["Namespace", "ConfigMap", "Service", "CronJob", "Deployment", "Ingress"],
  );
  const names = inOrder([object("Service", "b"), object("Service", "a")]).map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["a", "b"]);
});
