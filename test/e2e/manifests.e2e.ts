/** A real API server validates the objects of every stack by a strict dry run, and admits the pods as `restricted`. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { kubectlPath } from "../../tools/machine/kubernetes.ts";
import { startCluster, stopCluster } from "../../tools/machine/cluster.ts";
import { kubectl as kubectlAt } from "../../tools/cli/kubectl.ts";
import { createProgress } from "../../tools/cli/progress.ts";
import { customObjects } from "./checks/customObjects.ts";
import { defineKinds, kindOf, undefinedKinds } from "./checks/kinds.ts";
import { manifests, stacks } from "./checks/manifests.ts";
import type { Deployment, Rendered } from "../program/rendered.ts";

const kubectl = async (args: readonly string[], objects: readonly object[] = []) => {
  const { kubeconfig, context } = await cluster;
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  return kubectlAt({ kubectl: kubectlPath, kubeconfig, context }, args, { input });
};
const dryRun = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];

let cluster: ReturnType<typeof startCluster>;
let kinds: Set<string>;
before(async () => {
  cluster = startCluster({ httpPort: 18080, httpsPort: 18443 }, createProgress());
  kinds = await defineKinds({ kubectl: kubectlPath, ...(await cluster) });
});
after(async () => {
  await stopCluster();
});

for (const stack of stacks)
  test(`stack ${stack}: every object is valid, and its pods are admitted`, async () => {
    const objects = parseAllDocuments(await manifests(stack)).map((document) => document.toJS() as Rendered);
    const unknown = objects.map(kindOf).filter((kind) => !kinds.has(kind));
    assert.deepEqual(
      unknown.filter((kind) => !undefinedKinds.includes(kind)),
      [],
    );

    // A dry run does not store objects, so create what the others depend on.
    const needed = objects.filter(({ kind }) => ["Namespace", "ServiceAccount"].includes(kind));
    const namespace = needed.find(({ kind }) => kind === "Namespace")?.metadata.name ?? "";
    await kubectl(["apply", "--server-side", "-f", "-"], needed);
    await kubectl(["wait", "--for=create", "--timeout=60s", "serviceaccount/default", "-n", namespace]);

    const known = objects.filter((object) => kinds.has(kindOf(object)));
    const accepted = (await kubectl([...dryRun, "-o", "name"], known)).trim().split("\n");
    assert.equal(accepted.length, known.length);
    assert.ok(accepted.length >= 15);

    const deployments = objects.filter((object): object is Deployment => object.kind === "Deployment");
    const pods = deployments.map(({ metadata, spec }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: metadata.name, namespace, labels: spec.template.metadata.labels },
      spec: spec.template.spec,
    }));
    assert.equal(pods.length, 3);
    await kubectl(dryRun, pods);

    const [pod] = pods;
    const { containers } = pod?.spec ?? assert.fail();
    const rooted = {
      ...pod,
      spec: { ...pod?.spec, securityContext: {}, containers: [{ ...containers[0], securityContext: {} }] },
    };
    await assert.rejects(kubectl(dryRun, [rooted]), /violates PodSecurity "restricted/);
    const misspelt = { ...deployments[0], spec: { ...deployments[0]?.spec, replcas: 2 } };
    await assert.rejects(kubectl(dryRun, [misspelt]), /unknown field "replcas"/);
  });

test("objects for Google and the Prometheus Operator are valid, and invalid with any additional field", async (context) => {
  const all = await customObjects();
  const objects = all.filter((object) => kinds.has(kindOf(object)));
  const unknown = all.filter((object) => !objects.includes(object)).map(kindOf);
  context.diagnostic(`not checked, because their definitions are missing: ${unknown.join(", ")}`);
  assert.deepEqual([...new Set(unknown)], undefinedKinds);
  for (const { metadata } of objects) metadata.namespace = "default"; // It exists.
  for (const object of objects) await kubectl(dryRun, [object]); // One by one: some have the same name.

  // The largest object of each kind.
  const bySize = objects.toSorted((a, b) => JSON.stringify(a).length - JSON.stringify(b).length);
  const largest = new Map(bySize.map((object) => [object.kind, object]));
  for (const object of largest.values())
    for (const spec of misspelt(object.spec)) await assert.rejects(kubectl(dryRun, [{ ...object, spec }]), /misspelt/);

  for (const [kind, changes, message] of refused) {
    const object = largest.get(kind) ?? assert.fail(kind);
    await assert.rejects(kubectl(dryRun, [{ ...object, spec: { ...object.spec, ...changes } }]), message);
  }
});

/** Variants of a value with one additional field, at each level. */
function* misspelt(value: object): Generator<object> {
  if (!Array.isArray(value)) yield { ...value, misspelt: true };
  for (const [key, part] of Object.entries(value) as [string, unknown][])
    if (typeof part === "object" && part !== null)
      for (const other of misspelt(part))
        yield Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
}

/** Constraints beyond the names and types of fields. */
const refused: readonly (readonly [kind: string, changes: object, message: RegExp])[] = [
  ["BackendConfig", { iap: { enabled: true }, cdn: { enabled: true } }, /either IAP or CDN/],
  ["BackendConfig", { connectionDraining: { drainingTimeoutSec: 3601 } }, /less than or equal to 3600/],
  ["BackendConfig", { healthCheck: { checkIntervalSec: 2, timeoutSec: 3 } }, /no longer than the interval/],
  ["FrontendConfig", { redirectToHttps: { enabled: true, responseCodeName: "301" } }, /MOVED_PERMANENTLY_DEFAULT/],
  ["GCPBackendPolicy", { default: { timeoutSec: 0 } }, /greater than or equal to 1/],
  ["GCPGatewayPolicy", { targetRef: { group: "", name: "gateway" } }, /required field "kind"/],
  ["HealthCheckPolicy", { default: { timeoutSec: 6 } }, /no longer than the interval/],
  ["HealthCheckPolicy", { default: { config: { type: "HTTP", tcpHealthCheck: {} } } }, /health check of the type/],
  ["HealthCheckPolicy", { default: { config: { type: "HTTP", httpHealthCheck: { port: 80 } } } }, /portSpecification/],
  ["PodMonitor", { podMetricsEndpoints: [{ port: "metrics", interval: "30" }] }, /interval/],
  [
    "PodMonitoring",
    { endpoints: [{ port: "metrics", interval: "30s", timeout: "1m" }] },
    /no longer than the interval/,
  ],
];
