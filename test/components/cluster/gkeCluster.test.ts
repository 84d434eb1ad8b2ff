/**
 * The resources of a cluster: exact inputs in every mode, which makes the file long. gkeAccess.test.ts tests access to
 * it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import * as pulumi from "@pulumi/pulumi";

import { GkeCluster, type GkeClusterArgs } from "../../../components/cluster/gkeCluster.ts";
import { mockPulumi, settled } from "../../../tools/testing/mocks.ts";
import { args, clusterType, make, pool } from "./gkeStaging.ts";

test("the cluster is private, VPC-native and closed by default", async () => {
  const { recording, urn } = await make();
  const cluster = recording.one(clusterType);
  assert.equal(cluster.name, "staging-cluster");
  assert.equal(cluster.parent, urn);
  // Exact, to prove that nodePools, a version, a name and authorized networks are absent.
  assert.deepEqual(cluster.inputs, {
    project: "acme-staging",
    location: "asia-northeast1",
    network: "staging-network-vpc-id",
    subnetwork: "staging-network-subnet-id",
    networkingMode: "VPC_NATIVE",
    ipAllocationPolicy: { clusterSecondaryRangeName: "pods", servicesSecondaryRangeName: "services" },
    removeDefaultNodePool: true,
    initialNodeCount: 1,
    nodeConfig: {
      machineType: "e2-medium",
      diskSizeGb: 20,
      diskType: "pd-balanced",
      imageType: "COS_CONTAINERD",
      serviceAccount: "staging-nodes@acme-staging.iam.gserviceaccount.com",
      oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
      shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
      workloadMetadataConfig: { mode: "GKE_METADATA" },
      metadata: { "disable-legacy-endpoints": "true" },
      kubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" },
    },
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
  // Google reports the first pool's nodes under this name: a difference would replace the cluster.
  assert.deepEqual(cluster.ignoreChanges, ["nodeConfig"]);
  assert.deepEqual(cluster.customTimeouts, { create: "60m", update: "120m", delete: "60m" });
});

test("the node pool has its own service account and is created after its roles and the NAT", async () => {
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
  assert.equal(pool.name, "staging-main");
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
      diskType: "pd-balanced",
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
  assert.deepEqual(pool.customTimeouts, { create: "60m", update: "120m", delete: "60m" });
  const cluster = recording.one(clusterType);
  assert.ok(pool.dependencies.includes(cluster.urn));
  for (const { urn: earlier } of [...grants, recording.one("gcp:compute/routerNat:RouterNat")])
    assert.ok(cluster.dependencies.includes(earlier), `${earlier} before the cluster and its nodes`);
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

for (const mode of ["standard", "autopilot"] as const)
  test(`${mode}: Google's load balancers reach the nodes' pods at the given ports, and nobody else does`, async () => {
    const nodePools: GkeClusterArgs["nodePools"] = mode === "standard" ? { main: pool } : {};
    const { recording, urn } = await make({ mode, nodePools, loadBalancerPorts: [8080, 8443, 8081] });
    const firewall = recording.one("gcp:compute/firewall:Firewall");
    assert.equal(firewall.name, "staging-load-balancer");
    assert.equal(firewall.parent, urn);
    // Exact: no logs, no tags, and nothing but these ports.
    assert.deepEqual(firewall.inputs, {
      project: "acme-staging",
      network: "staging-network-vpc-id",
      description: "Google's load balancers and health checks to the pods that they serve",
      direction: "INGRESS",
      allows: [{ protocol: "tcp", ports: ["8080", "8443", "8081"] }],
      sourceRanges: ["130.211.0.0/22", "35.191.0.0/16"],
      targetServiceAccounts: ["staging-nodes@acme-staging.iam.gserviceaccount.com"],
    });
    assert.ok(recording.one("pulumi:providers:kubernetes").dependencies.includes(firewall.urn));
  });

test("without ports for load balancers there is no firewall rule", async () => {
  for (const change of [{}, { loadBalancerPorts: [] }])
    assert.deepEqual((await make(change)).recording.all("gcp:compute/firewall:Firewall"), []);
});

test("deletion protection applies at Google and in Pulumi, to everything that the cluster needs", async () => {
  for (const deletionProtection of [true, false]) {
    const { recording } = await make({ deletionProtection });
    const cluster = recording.one(clusterType);
    assert.equal(cluster.inputs["deletionProtection"], deletionProtection);
    const lasting = ["network:Network", "subnetwork:Subnetwork", "router:Router", "routerNat:RouterNat"];
    const parts = [...lasting.map((type) => `gcp:compute/${type}`), "gcp:serviceaccount/account:Account"];
    for (const type of [clusterType, ...parts]) assert.equal(recording.one(type).protect, deletionProtection, type);
    // Replacing or removing a pool is routine.
    assert.equal(recording.one("gcp:container/nodePool:NodePool").protect, false);
  }
});

test("each pool has its own settings and name", async () => {
  const taints = [{ key: "for", value: "batch", effect: "NO_SCHEDULE" }] as const;
  const { recording } = await make({
    nodePools: { main: pool, batch: { ...pool, minPerZone: 0, spot: true, labels: { for: "batch" }, taints } },
  });
  const { urn } = recording.one("gcp:container/nodePool:NodePool", "staging-main");
  const batch = recording.one("gcp:container/nodePool:NodePool", "staging-batch");
  assert.equal(batch.inputs["initialNodeCount"], 1);
  assert.deepEqual(batch.inputs["autoscaling"], { minNodeCount: 0, maxNodeCount: 3 });
  const { labels, taints: given, spot } = batch.inputs["nodeConfig"] as Record<string, unknown>;
  assert.deepEqual([labels, given, spot], [{ for: "batch" }, taints, true]);
  const provider = recording.one("pulumi:providers:kubernetes");
  for (const each of [urn, batch.urn]) assert.ok(provider.dependencies.includes(each));
});

test("optional settings are set only if given", async () => {
  const plain = (await make()).recording.one(clusterType).inputs;
  const changed = (
    await make({
      zones: ["asia-northeast1-a", "asia-northeast1-b"],
      network: { ...args.network, controlPlane: "172.16.0.0/28" },
      releaseChannel: "STABLE",
      securityGroup: "gke-security-groups@example.com",
      binaryAuthorization: false,
      gatewayApi: true,
      maintenance: {
        ...args.maintenance,
        exclusions: {
          sale: { start: "2026-11-20T00:00:00Z", end: "2026-12-01T00:00:00Z", scope: "NO_MINOR_OR_NODE_UPGRADES" },
        },
      },
    })
  ).recording.one(clusterType).inputs;
  assert.deepEqual(changed, {
    ...plain,
    nodeLocations: ["asia-northeast1-a", "asia-northeast1-b"],
    privateClusterConfig: {
      enablePrivateNodes: true,
      enablePrivateEndpoint: true,
      masterIpv4CidrBlock: "172.16.0.0/28",
    },
    releaseChannel: { channel: "STABLE" },
    authenticatorGroupsConfig: { securityGroup: "gke-security-groups@example.com" },
    binaryAuthorization: { evaluationMode: "DISABLED" },
    gatewayApiConfig: { channel: "CHANNEL_STANDARD" },
    maintenancePolicy: {
      ...(plain["maintenancePolicy"] as object),
      maintenanceExclusions: [
        {
          exclusionName: "sale",
          startTime: "2026-11-20T00:00:00Z",
          endTime: "2026-12-01T00:00:00Z",
          exclusionOptions: { scope: "NO_MINOR_OR_NODE_UPGRADES" },
        },
      ],
    },
  });
});

test("Autopilot gets no setting that it rejects, and its nodes have the same service account", async () => {
  const { recording } = await make({ mode: "autopilot", nodePools: {} });
  const plain = (await make()).recording.one(clusterType).inputs;
  const refused = [
    "removeDefaultNodePool",
    "initialNodeCount",
    "nodeConfig",
    "datapathProvider",
    "enableIntranodeVisibility",
    "enableShieldedNodes",
    "addonsConfig",
    "nodePoolDefaults",
  ];
  const rest = Object.fromEntries(Object.entries(plain).filter(([key]) => !refused.includes(key)));
  assert.equal(Object.keys(rest).length, Object.keys(plain).length - refused.length);
  const cluster = recording.one(clusterType);
  assert.deepEqual(cluster.inputs, {
    ...rest,
    enableAutopilot: true,
    clusterAutoscaling: {
      autoProvisioningDefaults: { serviceAccount: "staging-nodes@acme-staging.iam.gserviceaccount.com" },
    },
    nodePoolAutoConfig: { nodeKubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
  });
  assert.deepEqual(cluster.ignoreChanges, []);
  assert.deepEqual(recording.all("gcp:container/nodePool:NodePool"), []);
  assert.ok(recording.one("pulumi:providers:kubernetes").dependencies.includes(cluster.urn));
});

test("a public endpoint allows only the authorized networks", async () => {
  const { recording } = await make({
    endpoint: { kind: "ip", authorizedNetworks: { office: "203.0.113.0/24", runner: "198.51.100.7/32" } },
  });
  const plain = (await make()).recording.one(clusterType).inputs;
  assert.deepEqual(recording.one(clusterType).inputs, {
    ...plain,
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: false },
      ipEndpointsConfig: { enabled: true },
    },
    privateClusterConfig: { enablePrivateNodes: true, enablePrivateEndpoint: false },
    masterAuthorizedNetworksConfig: {
      cidrBlocks: [
        { displayName: "office", cidrBlock: "203.0.113.0/24" },
        { displayName: "runner", cidrBlock: "198.51.100.7/32" },
      ],
      gcpPublicCidrsAccessEnabled: false,
    },
  });
});

test("invalid arguments are refused with the value and the allowed values", async () => {
  const recording = await mockPulumi();
  const ip = (authorizedNetworks: Record<string, string>) =>
    ({ endpoint: { kind: "ip", authorizedNetworks } }) as const;
  const refused: [string, Partial<GkeClusterArgs>, RegExp][] = [
    ["Staging", {}, /cannot be named "Staging"; allowed are at most 24 lower case letters/],
    ["s".repeat(25), {}, /cannot be named "s{25}"/],
    [
      "a",
      { nodePools: { main: { ...pool, minPerZone: 4 } } },
      /nodePools\.main\.minPerZone is 4, more than maxPerZone, which is 3/,
    ],
    ["b", { network: { ...args.network, pods: "10.4.0.0" } }, /pods: "10\.4\.0\.0" is not an IPv4 range/],
    ["c", { nodePools: {} }, /mode standard needs at least one of nodePools/],
    ["d", { mode: "autopilot" }, /mode autopilot has no node pools, but nodePools has main/],
    ["e", ip({}), /a public endpoint needs at least one of authorizedNetworks/],
    ["f", ip({ all: "0.0.0.0/0" }), /authorizedNetworks\.all: "0\.0\.0\.0\/0" lets a large part of the internet in/],
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
