import assert from "node:assert/strict";
import { test } from "node:test";

import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { GkeCluster, type GkeClusterArgs } from "../../components/gkeCluster.ts";
import { mockPulumi, settled, valueOf } from "../mocks.ts";

const args: GkeClusterArgs = {
  project: "acme-staging",
  region: "asia-northeast1",
  stack: "staging",
  network: { nodes: "10.0.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" },
  nodes: { machineType: "e2-standard-4", minPerZone: 1, maxPerZone: 3, spot: false, diskGb: 50 },
  releaseChannel: "REGULAR",
  maintenance: {
    start: "2026-01-01T17:00:00Z",
    end: "2026-01-01T23:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
  },
  deletionProtection: true,
};
const clusterType = "gcp:container/cluster:Cluster";
const endpoint = "gke-0123-456.asia-northeast1.gke.goog";

async function make(change: Partial<GkeClusterArgs> = {}) {
  const recording = await mockPulumi({
    outputs: {
      [clusterType]: () => ({ controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint } } }),
      "gcp:serviceaccount/account:Account": (name) => ({ email: `${name}@acme-staging.iam.gserviceaccount.com` }),
    },
  });
  const cluster = new GkeCluster("staging", { ...args, ...change });
  await settled();
  return { recording, cluster, urn: await valueOf(cluster.urn) };
}

test("the cluster is private, VPC-native and closed by default", async () => {
  const { recording, urn } = await make();
  const cluster = recording.one(clusterType);
  assert.equal(cluster.name, "staging-cluster");
  assert.equal(cluster.parent, urn);
  // Exact, so that nodeConfig, nodePools, a version, a name and authorized networks are known to be absent.
  assert.deepEqual(cluster.inputs, {
    project: "acme-staging",
    location: "asia-northeast1",
    network: "staging-network-vpc-id",
    subnetwork: "staging-network-subnet-id",
    networkingMode: "VPC_NATIVE",
    ipAllocationPolicy: { clusterSecondaryRangeName: "pods", servicesSecondaryRangeName: "services" },
    removeDefaultNodePool: true,
    initialNodeCount: 1,
    datapathProvider: "ADVANCED_DATAPATH",
    enableIntranodeVisibility: true,
    addonsConfig: { httpLoadBalancing: { disabled: false } },
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: true },
      ipEndpointsConfig: { enabled: false },
    },
    privateClusterConfig: { enablePrivateNodes: true, enablePrivateEndpoint: true },
    masterAuth: { clientCertificateConfig: { issueClientCertificate: false } },
    enableLegacyAbac: false,
    enableKubernetesAlpha: false,
    anonymousAuthenticationConfig: { mode: "LIMITED" },
    rbacBindingConfig: {
      enableInsecureBindingSystemAuthenticated: false,
      enableInsecureBindingSystemUnauthenticated: false,
    },
    workloadIdentityConfig: { workloadPool: "acme-staging.svc.id.goog" },
    enableShieldedNodes: true,
    nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
    binaryAuthorization: { evaluationMode: "PROJECT_SINGLETON_POLICY_ENFORCE" },
    securityPostureConfig: { mode: "BASIC" },
    releaseChannel: { channel: "REGULAR" },
    maintenancePolicy: {
      recurringWindow: {
        startTime: "2026-01-01T17:00:00Z",
        endTime: "2026-01-01T23:00:00Z",
        recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
      },
    },
    loggingConfig: { enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS"] },
    monitoringConfig: { enableComponents: ["SYSTEM_COMPONENTS"], managedPrometheus: { enabled: true } },
    resourceLabels: { project: "gke-microservices", stack: "staging" },
    deletionProtection: true,
  });
  assert.equal(cluster.protect, true);
  assert.equal(cluster.deleteBeforeReplace, true);
  assert.deepEqual(cluster.customTimeouts, { create: "60m", update: "120m", delete: "60m" });
});

test("the node pool has an identity of its own and is made after its rights and the way out", async () => {
  const { recording, urn } = await make();
  const identity = recording.one("gcp:serviceaccount/account:Account");
  assert.equal(identity.inputs["accountId"], "staging-nodes");
  const grants = recording.all("gcp:projects/iAMMember:IAMMember");
  const member = "serviceAccount:staging-nodes@acme-staging.iam.gserviceaccount.com";
  assert.deepEqual(
    grants.map((grant) => grant.inputs),
    [
      { project: "acme-staging", role: "roles/container.defaultNodeServiceAccount", member },
      { project: "acme-staging", role: "roles/artifactregistry.reader", member },
    ],
  );

  const pool = recording.one("gcp:container/nodePool:NodePool");
  assert.deepEqual(pool.inputs, {
    project: "acme-staging",
    location: "asia-northeast1",
    cluster: "staging-cluster-0000000",
    initialNodeCount: 1,
    autoscaling: { minNodeCount: 1, maxNodeCount: 3 },
    management: { autoRepair: true, autoUpgrade: true },
    upgradeSettings: { strategy: "SURGE", maxSurge: 1, maxUnavailable: 0 },
    nodeConfig: {
      machineType: "e2-standard-4",
      diskSizeGb: 50,
      spot: false,
      imageType: "COS_CONTAINERD",
      serviceAccount: "staging-nodes@acme-staging.iam.gserviceaccount.com",
      oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
      shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
      workloadMetadataConfig: { mode: "GKE_METADATA" },
      metadata: { "disable-legacy-endpoints": "true" },
      kubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" },
    },
  });
  assert.deepEqual(pool.ignoreChanges, ["initialNodeCount"]);
  const before = [...grants, recording.one("gcp:compute/routerNat:RouterNat"), recording.one(clusterType)];
  for (const { urn: earlier } of before) assert.ok(pool.dependencies.includes(earlier), `${earlier} before the pool`);
  for (const child of [identity, pool, ...grants]) assert.equal(child.parent, urn);
});

test("the network is a child, and the APIs stay enabled after destroy", async () => {
  const { recording, urn } = await make();
  const network = recording.one("gke-microservices:index:Network");
  assert.equal(network.parent, urn);
  assert.equal(network.name, "staging-network");
  const apis = recording.all("gcp:projects/service:Service");
  assert.deepEqual(apis.map((api) => api.inputs["service"]).sort(), [
    "binaryauthorization.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
  ]);
  assert.ok(apis.every((api) => api.inputs["disableOnDestroy"] === false));
  const needed = apis.filter((api) => api.parent === urn).map((api) => api.urn);
  assert.equal(needed.length, 5);
  const { dependencies } = recording.one(clusterType);
  for (const api of needed) assert.ok(dependencies.includes(api), `${api} before the cluster`);
});

test("the kubeconfig is a secret that holds no credential and no CA", async () => {
  const { cluster } = await make();
  assert.equal(await pulumi.isSecret(cluster.kubeconfig), true);
  const context = "gke_acme-staging_asia-northeast1_staging-cluster-0000000";
  assert.deepEqual(parse(await valueOf(cluster.kubeconfig)), {
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [{ name: context, cluster: { server: `https://${endpoint}` } }],
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

test("the provider lives and dies with the cluster, waits for the nodes, and owns what it applies", async () => {
  const { recording, cluster, urn } = await make();
  const provider = recording.one("pulumi:providers:kubernetes");
  assert.equal(provider.parent, urn);
  assert.deepEqual(provider.secrets, ["kubeconfig"]);
  assert.deepEqual(provider.inputs, {
    kubeconfig: await valueOf(cluster.kubeconfig),
    clusterIdentifier: "staging-cluster-id",
    enablePatchForce: "true",
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

test("what the arguments switch reaches the resources", async () => {
  const { recording } = await make({
    deletionProtection: false,
    network: { ...args.network, controlPlane: "172.16.0.0/28" },
    nodes: { ...args.nodes, minPerZone: 0, spot: true },
  });
  const cluster = recording.one(clusterType);
  assert.equal(cluster.inputs["deletionProtection"], false);
  assert.equal(cluster.protect, false);
  assert.deepEqual(cluster.inputs["privateClusterConfig"], {
    enablePrivateNodes: true,
    enablePrivateEndpoint: true,
    masterIpv4CidrBlock: "172.16.0.0/28",
  });
  const { initialNodeCount, autoscaling, nodeConfig } = recording.one("gcp:container/nodePool:NodePool").inputs;
  assert.equal(initialNodeCount, 1);
  assert.deepEqual(autoscaling, { minNodeCount: 0, maxNodeCount: 3 });
  assert.equal((nodeConfig as { spot: boolean }).spot, true);
});

test("impossible arguments are refused with the value and what is allowed", async () => {
  const recording = await mockPulumi();
  const refused: [string, Partial<GkeClusterArgs>, RegExp][] = [
    ["Staging", {}, /cannot be named "Staging"; allowed are at most 24 lower case letters/],
    ["s".repeat(25), {}, /cannot be named "s{25}"/],
    ["a", { nodes: { ...args.nodes, minPerZone: 4 } }, /minPerZone is 4, more than nodes\.maxPerZone, which is 3/],
    ["b", { network: { ...args.network, pods: "10.4.0.0" } }, /pods: "10\.4\.0\.0" is not an IPv4 range/],
  ];
  for (const [name, change, message] of refused)
    assert.throws(
      () => new GkeCluster(name, { ...args, ...change }),
      (error) => error instanceof pulumi.ResourceError && message.test(error.message),
    );
  await settled();
  assert.deepEqual(
    recording.resources.filter((resource) => resource.type.startsWith("gcp:")),
    [],
  );
});
