/** A cluster under mocks, for the tests of its resources and of access to it. */
import { GkeCluster, type GkeClusterArgs } from "../../../components/cluster/gkeCluster.ts";
import type { NodePoolArgs } from "../../../components/cluster/nodePoolSettings.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

export const pool: NodePoolArgs = {
  machineType: "e2-standard-4",
  minPerZone: 1,
  maxPerZone: 3,
  spot: false,
  diskGb: 50,
  diskType: "pd-balanced",
  labels: {},
  taints: [],
};
export const args: GkeClusterArgs = {
  project: "acme-staging",
  region: "asia-northeast1",
  stack: "staging",
  network: { nodes: "10.0.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" },
  mode: "standard",
  nodePools: { main: pool },
  endpoint: { kind: "dns" },
  releaseChannel: "REGULAR",
  maintenance: {
    start: "2026-01-01T17:00:00Z",
    end: "2026-01-01T23:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
    exclusions: {},
  },
  binaryAuthorization: true,
  deletionProtection: true,
};
export const clusterType = "gcp:container/cluster:Cluster";
/** Google's outputs for the control plane. */
export const dnsEndpoint = "gke-0123-456.asia-northeast1.gke.goog";
export const address = "198.51.100.4";
export const ca = "Y2EK";

/** The resources of the cluster `staging`, with some of `args` changed. */
export async function make(change: Partial<GkeClusterArgs> = {}) {
  const recording = await mockPulumi({
    outputs: {
      [clusterType]: () => ({
        controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: dnsEndpoint } },
        endpoint: address,
        masterAuth: { clusterCaCertificate: ca },
      }),
      "gcp:serviceaccount/account:Account": (name) => ({ email: `${name}@acme-staging.iam.gserviceaccount.com` }),
    },
    calls: { "gcp:organizations/getProject:getProject": { number: "123456789012" } },
  });
  const cluster = new GkeCluster("staging", { ...args, ...change });
  await settled();
  return { recording, cluster, urn: await valueOf(cluster.urn) };
}
