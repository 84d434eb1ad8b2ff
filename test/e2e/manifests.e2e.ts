/** A real API server checks the objects of every stack, strictly and without storing them, and admits the pods as `restricted`. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { kubectlPath } from "../../local/build.ts";
import { startCluster, stopCluster } from "../../local/cluster.ts";
import { kubectl as kubectlAt } from "../../local/kubectl.ts";
import { createProgress } from "../../local/progress.ts";
import { knownKinds, undefinedKinds } from "./checks/kinds.ts";
import { manifests, stacks } from "./checks/manifests.ts";
import type { Deployment, Rendered } from "../program/rendered.ts";

const kubectl = async (args: readonly string[], objects: readonly object[] = []) => {
  const { kubeconfig, context } = await cluster;
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  return kubectlAt({ kubectl: kubectlPath, kubeconfig, context }, args, { input });
};
const dryRun = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];

let cluster: ReturnType<typeof startCluster>;
before(async () => {
  cluster = startCluster({ httpPort: 18080, httpsPort: 18443 }, createProgress());
  await cluster;
});
after(async () => {
  await stopCluster({ keepCache: true });
});

for (const stack of stacks)
  test(`stack ${stack}: every object is taken, and its pods are admitted`, async (context) => {
    const objects = parseAllDocuments(await manifests(stack)).map((document) => document.toJS() as Rendered);
    const kinds = await knownKinds({ kubectl: kubectlPath, ...(await cluster) });
    const isKnown = ({ apiVersion, kind }: Rendered) => kinds.has(`${apiVersion} ${kind}`);
    const unknown = objects.filter((object) => !isKnown(object)).map(({ kind }) => kind);
    if (unknown.length > 0) context.diagnostic(`not checked, for want of their definitions: ${unknown.join(", ")}`);
    assert.deepEqual(
      unknown.filter((kind) => !undefinedKinds.includes(kind)),
      [],
    );

    // What others are in or run under has to be there, for they are not stored in a dry run.
    const needed = objects.filter(({ kind }) => ["Namespace", "ServiceAccount"].includes(kind));
    const namespace = needed.find(({ kind }) => kind === "Namespace")?.metadata.name ?? "";
    await kubectl(["apply", "--server-side", "-f", "-"], needed);
    await kubectl(["wait", "--for=create", "--timeout=60s", "serviceaccount/default", "-n", namespace]);

    const known = objects.filter(isKnown);
    const taken = (await kubectl([...dryRun, "-o", "name"], known)).trim().split("\n");
    assert.equal(taken.length, known.length);
    assert.ok(taken.length >= 15);

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
