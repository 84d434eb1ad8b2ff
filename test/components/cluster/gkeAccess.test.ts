/** Access to a cluster: kubeconfig, provider, and pages in the console. */
import assert from "node:assert/strict";
import { test } from "node:test";

import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { valueOf } from "../../../tools/testing/mocks.ts";
import { address, ca, dnsEndpoint, make } from "./gkeStaging.ts";

test("the kubeconfig is a secret without credentials and CA", async () => {
  const { cluster } = await make();
  assert.equal(await pulumi.isSecret(cluster.kubeconfig), true);
  const context = "gke_acme-staging_asia-northeast1_staging-cluster-0000000";
  assert.deepEqual(parse(await valueOf(cluster.kubeconfig)), {
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [{ name: context, cluster: { server: `https://${dnsEndpoint}` } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    users: [
      {
        name: context,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "gke-gcloud-auth-plugin",
            installHint:
              "Install gke-gcloud-auth-plugin: https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin",
            provideClusterInfo: true,
          },
        },
      },
    ],
  });
});

test("the provider depends on the cluster and the nodes, and overwrites manual changes", async () => {
  const { recording, cluster, urn } = await make();
  const provider = recording.one("pulumi:providers:kubernetes");
  assert.equal(provider.parent, urn);
  assert.deepEqual(provider.secrets, ["kubeconfig"]);
  assert.deepEqual(provider.inputs, {
    kubeconfig: await valueOf(cluster.kubeconfig),
    clusterIdentifier: "staging-cluster-id",
    enablePatchForce: "true",
    upsertExistingObjects: "true",
  });
  assert.ok(provider.dependencies.includes(recording.one("gcp:container/nodePool:NodePool").urn));
});

test("the outputs name the cluster and its pages in the console", async () => {
  const { cluster, urn } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:GkeCluster::staging");
  assert.equal(await valueOf(cluster.clusterName), "staging-cluster-0000000");
  assert.equal(
    await valueOf(cluster.consoleUrl),
    "https://console.cloud.google.com/kubernetes/clusters/details/asia-northeast1/staging-cluster-0000000/details?project=acme-staging",
  );
  assert.equal(
    cluster.workloadsUrl,
    "https://console.cloud.google.com/kubernetes/workload/overview?project=acme-staging",
  );
});

test("with an IP endpoint the kubeconfig has the cluster's CA", async () => {
  const { cluster } = await make({ endpoint: { kind: "ip", authorizedNetworks: { office: "203.0.113.0/24" } } });
  assert.equal(await pulumi.isSecret(cluster.kubeconfig), true);
  const { clusters } = parse(await valueOf(cluster.kubeconfig)) as { clusters: { cluster: unknown }[] };
  assert.deepEqual(
    clusters.map(({ cluster }) => cluster),
    [{ server: `https://${address}`, "certificate-authority-data": ca }],
  );
});
