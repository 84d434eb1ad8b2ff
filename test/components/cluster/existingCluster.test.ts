import assert from "node:assert/strict";
import { test } from "node:test";
import { ExistingCluster, type ExistingClusterArgs } from "../../../components/cluster/existingCluster.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

async function make(args: ExistingClusterArgs) {
  const recording = await mockPulumi();
  const cluster = new ExistingCluster("local", args);
  await settled();
  return { recording, cluster, provider: recording.one("pulumi:providers:kubernetes", "local-kubernetes") };
}

test("only providers for the context are created", async () => {
  const { recording, cluster, provider } = await make({ context: "somewhere" });
  assert.equal(provider.parent, "urn:pulumi:test::gke-microservices::gke-microservices:index:ExistingCluster::local");
  assert.equal(provider.parent, await valueOf(cluster.urn));
  assert.equal(provider.name, "local-kubernetes");
  // Exact: without a path the user's default kubeconfig applies.
  assert.deepEqual(provider.inputs, {
    context: "somewhere",
    clusterIdentifier: "somewhere",
    enablePatchForce: "true",
    upsertExistingObjects: "true",
  });
  // Without force, so that the label of another stack's namespace is a conflict.
  assert.deepEqual(recording.one("pulumi:providers:kubernetes", "local-claim").inputs, {
    context: "somewhere",
    clusterIdentifier: "somewhere",
  });
  assert.equal(recording.resources.length, 3);
  assert.equal(await valueOf(cluster.clusterName), "somewhere");
  assert.equal(cluster.kubeconfig, undefined);
  assert.equal(cluster.consoleUrl, undefined);
  assert.equal(cluster.workloadsUrl, undefined);
});

test("a kubeconfig is kept secret", async () => {
  const { provider } = await make({ context: "somewhere", kubeconfig: ".local/kubeconfig" });
  assert.equal(provider.inputs["kubeconfig"], ".local/kubeconfig");
  assert.deepEqual(provider.secrets, ["kubeconfig"]);
});
