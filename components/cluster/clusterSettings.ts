/**
 * Hardening of a cluster: the CIS benchmark for GKE, and Checkov's rules. Numbers in comments are Checkov's CKV_GCP_n.
 */
import type * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

import { temporaryNode } from "./nodePoolSettings.ts";

export interface Maintenance {
  /** Start of the first window, RFC 3339, such as `2026-01-01T17:00:00Z`. Later windows repeat the time of day. */
  readonly start: string;
  /** End of the first window, RFC 3339. The windows must add up to 48 hours in every 32 days. */
  readonly end: string;
  /** Recurrence of the window as an RRULE of RFC 5545, such as `FREQ=WEEKLY;BYDAY=SA,SU`. */
  readonly recurrence: string;
  /** Maintenance exclusions, by name. */
  readonly exclusions: Readonly<Record<string, MaintenanceExclusion>>;
}

export interface MaintenanceExclusion {
  /** RFC 3339. */
  readonly start: string;
  /** RFC 3339, after `start`. */
  readonly end: string;
  /** Which upgrades are excluded: all, minor versions, or minor versions and nodes. */
  readonly scope: "NO_UPGRADES" | "NO_MINOR_UPGRADES" | "NO_MINOR_OR_NODE_UPGRADES";
}

/** How kubectl and Pulumi reach the control plane. */
export type Endpoint =
  /** DNS endpoint, protected by IAM and reachable from anywhere. There is no IP endpoint. */
  | { readonly kind: "dns" }
  /**
   * Public IP endpoint, open only to these IPv4 ranges, by display name. At least one; none may be the whole internet.
   */
  | { readonly kind: "ip"; readonly authorizedNetworks: Readonly<Record<string, string>> };

export interface ClusterSettingsArgs {
  readonly project: string;
  readonly mode: "standard" | "autopilot";
  /** E-mail address of the nodes' service account. */
  readonly nodeIdentity: pulumi.Input<string>;
  readonly controlPlaneRange: string | undefined;
  readonly endpoint: Endpoint;
  readonly releaseChannel: string;
  readonly maintenance: Maintenance;
  readonly encryptionKey: string | undefined;
  readonly securityGroup: string | undefined;
  readonly binaryAuthorization: boolean;
  readonly gatewayApi: boolean;
}

/** The settings that all clusters share, except location, network and labels. */
export function clusterSettings(args: ClusterSettingsArgs) {
  const { project, encryptionKey, securityGroup } = args;
  return {
    ...(args.mode === "autopilot" ? autopilotSettings(args.nodeIdentity) : standardSettings(args.nodeIdentity)),
    networkingMode: "VPC_NATIVE", // 23
    ...endpointSettings(args.endpoint, args.controlPlaneRange),

    masterAuth: { clientCertificateConfig: { issueClientCertificate: false } }, // 13
    enableLegacyAbac: false, // 7
    enableKubernetesAlpha: false,
    anonymousAuthenticationConfig: { mode: "LIMITED" },
    rbacBindingConfig: {
      enableInsecureBindingSystemAuthenticated: false,
      enableInsecureBindingSystemUnauthenticated: false,
    },
    ...(securityGroup !== undefined && { authenticatorGroupsConfig: { securityGroup } }), // 65
    workloadIdentityConfig: { workloadPool: `${project}.svc.id.goog` },
    binaryAuthorization: {
      evaluationMode: args.binaryAuthorization ? "PROJECT_SINGLETON_POLICY_ENFORCE" : "DISABLED", // 66
    },
    securityPostureConfig: { mode: "BASIC" },
    ...(encryptionKey !== undefined && { databaseEncryption: { state: "ENCRYPTED", keyName: encryptionKey } }),
    ...(args.gatewayApi && { gatewayApiConfig: { channel: "CHANNEL_STANDARD" } }),

    // Set no version beside the channel: the two would conflict. (70)
    releaseChannel: { channel: args.releaseChannel },
    maintenancePolicy: maintenancePolicy(args.maintenance),
    loggingConfig: { enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS"] }, // 1
    monitoringConfig: { enableComponents: ["SYSTEM_COMPONENTS"], managedPrometheus: { enabled: true } }, // 8
  } satisfies Partial<gcp.container.ClusterArgs>;
}

/** Autopilot always has these settings, and rejects them as input. */
const standardSettings = (nodeIdentity: pulumi.Input<string>) => ({
  // Node pools are separate resources, so the default pool is removed. (123)
  removeDefaultNodePool: true,
  initialNodeCount: 1,
  nodeConfig: temporaryNode(nodeIdentity),
  datapathProvider: "ADVANCED_DATAPATH", // 12
  enableIntranodeVisibility: true, // 61
  enableShieldedNodes: true, // 71
  addonsConfig: { httpLoadBalancing: { disabled: false } },
  nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
});

/**
 * Inputs of a Standard cluster that only matter at creation. Google then reports the first node pool's settings under
 * the same name. Any difference would replace the cluster.
 * https://github.com/pulumi/pulumi-gcp/issues/744
 */
export const atCreationOnly = ["nodeConfig"];

/**
 * The few settings that Autopilot allows for nodes.
 * https://cloud.google.com/kubernetes-engine/docs/resources/autopilot-standard-feature-comparison
 */
function autopilotSettings(serviceAccount: pulumi.Input<string>) {
  return {
    enableAutopilot: true,
    // Otherwise nodes use the project's default service account, which may edit everything in the project. (CKV2_GCP_1)
    clusterAutoscaling: { autoProvisioningDefaults: { serviceAccount } },
    nodePoolAutoConfig: { nodeKubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
  };
}

function endpointSettings(endpoint: Endpoint, controlPlaneRange: string | undefined) {
  const byName = endpoint.kind === "dns";
  return {
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: byName },
      ipEndpointsConfig: { enabled: !byName }, // CIS 5.6.4
    },
    privateClusterConfig: {
      enablePrivateNodes: true, // 25, 64
      // Google returns true when the IP endpoint is off. Any other value would show a diff in every preview.
      enablePrivateEndpoint: byName,
      ...(controlPlaneRange !== undefined && { masterIpv4CidrBlock: controlPlaneRange }),
    },
    // 18, 20
    ...(endpoint.kind === "ip" && {
      masterAuthorizedNetworksConfig: {
        cidrBlocks: Object.entries(endpoint.authorizedNetworks).map(([displayName, cidrBlock]) => ({
          displayName,
          cidrBlock,
        })),
        // Otherwise every virtual machine on Google Cloud could connect, whoever rents it.
        gcpPublicCidrsAccessEnabled: false,
      },
    }),
  };
}

function maintenancePolicy({ start, end, recurrence, exclusions }: Maintenance) {
  const excluded = Object.entries(exclusions).map(([exclusionName, { start, end, scope }]) => ({
    exclusionName,
    startTime: start,
    endTime: end,
    exclusionOptions: { scope },
  }));
  return {
    recurringWindow: { startTime: start, endTime: end, recurrence },
    ...(excluded.length > 0 && { maintenanceExclusions: excluded }),
  };
}
