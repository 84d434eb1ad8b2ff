/** How a cluster is hardened: the CIS benchmark for GKE and the rules of Checkov (CKV_GCP_n). */
import type * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

export interface Maintenance {
  /** First start of the window, RFC 3339, as in `2026-01-01T17:00:00Z`; the time of day is what matters. */
  readonly start: string;
  /** First end of the window, RFC 3339. The windows must add up to 48 hours in every 32 days. */
  readonly end: string;
  /** When the window comes back, as an RRULE of RFC 5545, as in `FREQ=WEEKLY;BYDAY=SA,SU`. */
  readonly recurrence: string;
  /** Times without upgrades, by name. */
  readonly exclusions: Readonly<Record<string, MaintenanceExclusion>>;
}

export interface MaintenanceExclusion {
  /** RFC 3339. */
  readonly start: string;
  /** RFC 3339, after `start`. */
  readonly end: string;
  /** What is held back; everything, minor versions, or minor versions and nodes. */
  readonly scope: "NO_UPGRADES" | "NO_MINOR_UPGRADES" | "NO_MINOR_OR_NODE_UPGRADES";
}

/** How kubectl and Pulumi reach the control plane. */
export type Endpoint =
  /** By name through IAM, from anywhere: the control plane has no address that a network could reach. */
  | { readonly kind: "dns" }
  /** By a public address that answers these IPv4 ranges alone, by name: at least one, none of them the whole internet. */
  | { readonly kind: "ip"; readonly authorizedNetworks: Readonly<Record<string, string>> };

export interface ClusterSettingsArgs {
  readonly project: string;
  readonly mode: "standard" | "autopilot";
  /** E-mail address of the nodes' own Google identity. */
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

/** All that every cluster here has, apart from its place, its network and its labels. */
export function clusterSettings(args: ClusterSettingsArgs) {
  const { project, encryptionKey, securityGroup } = args;
  return {
    ...(args.mode === "autopilot" ? autopilotSettings(args.nodeIdentity) : standardSettings),
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

    // No version beside the channel: the two would fight. (70)
    releaseChannel: { channel: args.releaseChannel },
    maintenancePolicy: maintenancePolicy(args.maintenance),
    loggingConfig: { enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS"] }, // 1
    monitoringConfig: { enableComponents: ["SYSTEM_COMPONENTS"], managedPrometheus: { enabled: true } }, // 8
  } satisfies Partial<gcp.container.ClusterArgs>;
}

/** What Autopilot has by itself, and refuses to be told. */
const standardSettings = {
  // Node pools are resources of their own; the one that every cluster begins with is thrown away. (123)
  removeDefaultNodePool: true,
  initialNodeCount: 1,
  datapathProvider: "ADVANCED_DATAPATH", // 12
  enableIntranodeVisibility: true, // 61
  enableShieldedNodes: true, // 71
  addonsConfig: { httpLoadBalancing: { disabled: false } },
  nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
};

/**
 * The few things that can be said of Autopilot's nodes.
 * https://cloud.google.com/kubernetes-engine/docs/resources/autopilot-standard-feature-comparison
 */
function autopilotSettings(serviceAccount: pulumi.Input<string>) {
  return {
    enableAutopilot: true,
    // Without it every node runs as the project's default identity, which may edit all that is in the project. (CKV2_GCP_1)
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
      // Google answers true where the IP endpoint is off; anything else is a difference in every preview.
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
        // Otherwise every virtual machine on Google, whoever rents it, is let in as well.
        gcpPublicCidrsAccessEnabled: false,
      },
    }),
  };
}

function maintenancePolicy({ start, end, recurrence, exclusions }: Maintenance) {
  const held = Object.entries(exclusions).map(([exclusionName, { start, end, scope }]) => ({
    exclusionName,
    startTime: start,
    endTime: end,
    exclusionOptions: { scope },
  }));
  return {
    recurringWindow: { startTime: start, endTime: end, recurrence },
    ...(held.length > 0 && { maintenanceExclusions: held }),
  };
}
