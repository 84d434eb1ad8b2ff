/** The cluster: created by the stack, or an existing one. */
import { waitForApis } from "../googleApis.ts";
import { ExistingCluster, type ExistingClusterArgs } from "./existingCluster.ts";
import { GkeCluster, type GkeClusterArgs } from "./gkeCluster.ts";

export type ClusterArgs =
  | ({ readonly kind: "gke" } & Omit<GkeClusterArgs, "stack" | "gatewayApi" | "loadBalancerPorts">)
  | ({ readonly kind: "existing" } & ExistingClusterArgs);

/** Call it before anything else makes a resource: for a GKE cluster, it makes every Google resource wait for its API. */
export function createCluster(
  stack: string,
  cluster: ClusterArgs,
  { loadBalancerPorts }: Required<Pick<GkeClusterArgs, "loadBalancerPorts">>,
): GkeCluster | ExistingCluster {
  if (cluster.kind === "existing")
    return new ExistingCluster(stack, { context: cluster.context, kubeconfig: cluster.kubeconfig });
  waitForApis();
  return new GkeCluster(stack, {
    project: cluster.project,
    region: cluster.region,
    stack,
    mode: cluster.mode,
    zones: cluster.zones,
    network: cluster.network,
    nodePools: cluster.nodePools,
    endpoint: cluster.endpoint,
    releaseChannel: cluster.releaseChannel,
    maintenance: cluster.maintenance,
    encryptionKey: cluster.encryptionKey,
    securityGroup: cluster.securityGroup,
    binaryAuthorization: cluster.binaryAuthorization,
    gatewayApi: true, // Always on: a change of `edge.kind` should not change the cluster.
    loadBalancerPorts,
    deletionProtection: cluster.deletionProtection,
  });
}
