/**
 * Hardening of the nodes of a Standard cluster: the CIS benchmark for GKE and Checkov's rules. Numbers in comments are
 * Checkov's CKV_GCP_n.
 */
import type * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

export interface NodeTaint {
  readonly key: string;
  readonly value: string;
  /** What happens to pods without a matching toleration. */
  readonly effect: "NO_SCHEDULE" | "PREFER_NO_SCHEDULE" | "NO_EXECUTE";
}

export interface NodePoolArgs {
  /** Compute Engine machine type, such as `e2-standard-4`. */
  readonly machineType: string;
  /** Minimum number of nodes in each zone; at least 0. */
  readonly minPerZone: number;
  /** Maximum number of nodes in each zone; at least 1 and at least `minPerZone`. */
  readonly maxPerZone: number;
  /** Spot VMs: cheaper, but Google may stop them at any time. */
  readonly spot: boolean;
  /** Size of each node's boot disk in GB, at least 10. */
  readonly diskGb: number;
  /** Type of the boot disk; newer machine series support only `hyperdisk-balanced`. */
  readonly diskType: "pd-standard" | "pd-balanced" | "pd-ssd" | "hyperdisk-balanced";
  /** Kubernetes labels of each node. */
  readonly labels: Readonly<Record<string, string>>;
  /** Kubernetes taints of each node. */
  readonly taints: readonly NodeTaint[];
}

/** What every node has in common. */
const hardened = (serviceAccount: pulumi.Input<string>) => ({
  imageType: "COS_CONTAINERD",
  serviceAccount, // CKV2_GCP_1
  // Access scopes are the older, coarser mechanism: allow all, and let IAM decide.
  oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
  shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true }, // 68, 72
  workloadMetadataConfig: { mode: "GKE_METADATA" }, // 69
  metadata: { "disable-legacy-endpoints": "true" },
  kubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" },
});

/**
 * Nodes of the default pool. Google creates it with every Standard cluster, and the provider deletes it a few minutes
 * later. Without these settings it has 100 GB disks and runs as the project's default account. If that account was
 * deleted, the cluster cannot be created.
 * https://github.com/hashicorp/terraform-provider-google/issues/4435
 */
export const temporaryNode = (serviceAccount: pulumi.Input<string>) =>
  ({
    machineType: "e2-medium", // GKE's own default: every region has it.
    diskSizeGb: 20,
    diskType: "pd-balanced",
    ...hardened(serviceAccount),
  }) satisfies gcp.container.ClusterArgs["nodeConfig"];

/** All settings of a node pool, except its location. */
export function nodePoolSettings(pool: NodePoolArgs, serviceAccount: pulumi.Input<string>) {
  return {
    initialNodeCount: Math.max(1, pool.minPerZone),
    autoscaling: { minNodeCount: pool.minPerZone, maxNodeCount: pool.maxPerZone },
    management: { autoRepair: true, autoUpgrade: true }, // 9, 10
    upgradeSettings: { strategy: "SURGE", maxSurge: 1, maxUnavailable: 0 },
    nodeConfig: {
      machineType: pool.machineType,
      diskSizeGb: pool.diskGb,
      diskType: pool.diskType,
      spot: pool.spot,
      ...(Object.keys(pool.labels).length > 0 && { labels: pool.labels }),
      ...(pool.taints.length > 0 && { taints: pool.taints.map(({ key, value, effect }) => ({ key, value, effect })) }),
      ...hardened(serviceAccount),
    },
  } satisfies Partial<gcp.container.NodePoolArgs>;
}
