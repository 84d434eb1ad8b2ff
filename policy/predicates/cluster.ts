/** The cluster: https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster */
import {
  absent,
  all,
  at,
  given,
  includes,
  oneOf,
  predicates,
  unknown,
  type Requirement,
  type Violation,
} from "../predicate.ts";

const cluster = { name: "GKE cluster", types: ["gcp:container/cluster:Cluster"] };

/** Autopilot fixes these by itself, and they are not given there. */
function standard({ required, check }: Requirement): Requirement {
  return {
    required,
    check: (props) => ([true, unknown].includes(at(props, "enableAutopilot") as true) ? [] : check(props)),
  };
}

/** The control plane has an address that networks can reach. Unknown counts as none: it never is a violation. */
const hasIpEndpoint = (props: unknown) =>
  ![false, unknown].includes(at(props, "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled") as false);

const networks = "masterAuthorizedNetworksConfig.cidrBlocks";

const allowList: Requirement = {
  required: `\`${networks}\` is set where the IP endpoint is on, and has no range of length 0`,
  check: (props) => {
    const blocks = at(props, networks);
    if (!hasIpEndpoint(props) || blocks === unknown) return [];
    if (!Array.isArray(blocks) || blocks.length === 0)
      return [
        { property: networks, value: blocks, fix: "name the networks that may reach it, or use endpoint.kind dns" },
      ];
    return blocks.flatMap((block: unknown, index): Violation[] => {
      const value = at(block, "cidrBlock");
      if (typeof value !== "string" || !value.endsWith("/0")) return [];
      return [{ property: `${networks}[${index}].cidrBlock`, value, fix: "name the networks that may reach it" }];
    });
  },
};

const noGoogleAddresses: Requirement = {
  required: "`masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled` is `false` where the IP endpoint is on",
  check: (props) =>
    hasIpEndpoint(props)
      ? oneOf("masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", [false]).check(props)
      : [],
};

const region: Requirement = {
  required: "`location` is a region, not a zone",
  check: (props) => {
    const value = at(props, "location");
    if (value === unknown || (typeof value === "string" && /^[a-z]+-[a-z]+\d+$/.test(value))) return [];
    return [{ property: "location", value, fix: "give a region, as in asia-northeast1" }];
  },
};

const bindings = (group: string) => oneOf(`rbacBindingConfig.enableInsecureBindingSystem${group}`, [false]);

export const clusterPredicates = predicates(cluster, {
  "cluster-regional": {
    title: "The control plane is spread over the zones of a region",
    severity: "medium",
    ...region,
  },
  "cluster-pools-apart": {
    title: "Node pools are resources of their own, so that one can go without the cluster",
    benchmark: ["CKV_GCP_123"],
    severity: "medium",
    ...all(
      standard(oneOf("removeDefaultNodePool", [true])),
      absent("nodePools", "make it a NodePool"),
      absent("nodeConfig", "set it on the NodePool"),
    ),
  },
  "cluster-vpc-native": {
    title: "Pods have addresses of the VPC, from ranges that are named",
    benchmark: ["CIS GKE 5.6.2", "CKV_GCP_23"],
    severity: "medium",
    ...all(
      standard(oneOf("networkingMode", ["VPC_NATIVE"])),
      given("ipAllocationPolicy.clusterSecondaryRangeName", "name the subnet's range for pods"),
      given("ipAllocationPolicy.servicesSecondaryRangeName", "name the subnet's range for Services"),
    ),
  },
  "cluster-private-nodes": {
    title: "Nodes have no public address",
    benchmark: ["CIS GKE 5.6.5", "CKV_GCP_25", "CKV_GCP_64"],
    severity: "high",
    ...oneOf("privateClusterConfig.enablePrivateNodes", [true]),
  },
  "cluster-endpoint-allow-list": {
    title: "Where the control plane has an IP address, only named networks reach it",
    benchmark: ["CIS GKE 5.6.3", "CKV_GCP_18", "CKV_GCP_20"],
    severity: "critical",
    ...all(allowList, noGoogleAddresses),
  },
  "cluster-endpoint-by-name": {
    title: "The control plane has no public IP address; it is reached by its DNS name, through IAM",
    benchmark: ["CIS GKE 5.6.4"],
    severity: "medium",
    choice: "some tools need an IP address, which an allow list then guards",
    ...oneOf("privateClusterConfig.enablePrivateEndpoint", [true], "use endpoint.kind dns"),
  },
  "cluster-no-client-certificate": {
    title: "No client certificate is issued, because none can be revoked",
    benchmark: ["CIS GKE 5.8.1", "CKV_GCP_13"],
    severity: "high",
    ...oneOf("masterAuth.clientCertificateConfig.issueClientCertificate", [false]),
  },
  "cluster-rbac-only": {
    title: "Access is decided by RBAC and IAM alone, without legacy ABAC",
    benchmark: ["CIS GKE 5.8.3", "CKV_GCP_7"],
    severity: "high",
    ...standard(oneOf("enableLegacyAbac", [false])),
  },
  "cluster-no-alpha": {
    title: "No alpha features, with which clusters last 30 days",
    benchmark: ["CIS GKE 5.10.2", "CKV2_GCP_19"],
    severity: "medium",
    ...standard(oneOf("enableKubernetesAlpha", [false])),
  },
  "cluster-no-anonymous": {
    title: "Without a login there are health checks and nothing else",
    severity: "high",
    ...oneOf("anonymousAuthenticationConfig.mode", ["LIMITED"]),
  },
  "cluster-no-rights-for-everybody": {
    title: "Nobody can bind a role to everybody",
    benchmark: ["CIS GKE 4.1.9", "CIS GKE 4.1.10"],
    severity: "high",
    ...all(bindings("Authenticated"), bindings("Unauthenticated")),
  },
  "cluster-workload-identity": {
    title: "Pods have identities of their own",
    benchmark: ["CIS GKE 5.2.2"],
    severity: "high",
    ...standard(given("workloadIdentityConfig.workloadPool", "set it to PROJECT.svc.id.goog")),
  },
  "cluster-network-policies": {
    title: "Network policies are enforced, by Dataplane V2",
    benchmark: ["CIS GKE 4.3.1", "CKV_GCP_12"],
    severity: "medium",
    ...standard(oneOf("datapathProvider", ["ADVANCED_DATAPATH"])),
  },
  "cluster-intranode-visibility": {
    title: "Traffic between pods of one node passes the VPC, its logs and its firewall",
    benchmark: ["CIS GKE 5.6.1", "CKV_GCP_61"],
    severity: "low",
    ...standard(oneOf("enableIntranodeVisibility", [true])),
  },
  "cluster-shielded-nodes": {
    title: "Nodes prove what they are",
    benchmark: ["CIS GKE 5.5.5", "CKV_GCP_71"],
    severity: "high",
    ...standard(oneOf("enableShieldedNodes", [true])),
  },
  "cluster-release-channel": {
    title: "Google keeps the version current, by a channel; no version beside it, because the two fight",
    benchmark: ["CIS GKE 5.5.4", "CKV_GCP_70"],
    severity: "high",
    ...all(
      oneOf("releaseChannel.channel", ["RAPID", "REGULAR", "STABLE", "EXTENDED"]),
      absent("minMasterVersion", "leave the version to the channel"),
    ),
  },
  "cluster-maintenance-window": {
    title: "Upgrades come in a window",
    severity: "low",
    ...given("maintenancePolicy.recurringWindow", "set cluster.maintenance"),
  },
  "cluster-binary-authorization": {
    title: "Only images that the project's policy trusts are run",
    benchmark: ["CIS GKE 5.1.4", "CKV_GCP_66"],
    severity: "medium",
    choice: "the check itself can be switched off by cluster.binaryAuthorization",
    ...oneOf(
      "binaryAuthorization.evaluationMode",
      ["PROJECT_SINGLETON_POLICY_ENFORCE"],
      "set cluster.binaryAuthorization to true",
    ),
  },
  "cluster-secrets-own-key": {
    title: "Kubernetes Secrets are encrypted by a key of the team's own",
    benchmark: ["CIS GKE 5.3.1"],
    severity: "medium",
    choice: "Google encrypts them with its own key otherwise; an own key has to be kept alive as long as the cluster",
    ...oneOf("databaseEncryption.state", ["ENCRYPTED"], "set cluster.encryptionKey to a Cloud KMS key"),
  },
  "cluster-google-groups": {
    title: "Kubernetes rights are given to groups, not to people",
    benchmark: ["CIS GKE 5.8.2", "CKV_GCP_65"],
    severity: "low",
    choice: "it takes a group gke-security-groups in the organization",
    ...given("authenticatorGroupsConfig.securityGroup", "set cluster.securityGroup"),
  },
  "cluster-logs": {
    title: "The logs of the system and of the pods are kept",
    benchmark: ["CIS GKE 5.7.1", "CKV_GCP_1"],
    severity: "medium",
    ...includes("loggingConfig.enableComponents", ["SYSTEM_COMPONENTS", "WORKLOADS"]),
  },
  "cluster-metrics": {
    title: "The system is measured, and pods can be",
    benchmark: ["CIS GKE 5.7.1", "CKV_GCP_8"],
    severity: "medium",
    ...all(
      includes("monitoringConfig.enableComponents", ["SYSTEM_COMPONENTS"]),
      oneOf("monitoringConfig.managedPrometheus.enabled", [true]),
    ),
  },
  "cluster-kubelet-port": {
    title: "Kubelet's port without a login is closed",
    severity: "high",
    ...standard(oneOf("nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled", ["FALSE"])),
  },
  "cluster-posture": {
    title: "Google looks for weak settings of workloads",
    benchmark: ["CIS GKE 5.10.4"],
    severity: "low",
    ...oneOf("securityPostureConfig.mode", ["BASIC", "ENTERPRISE"]),
  },
  "cluster-labels": {
    title: "The bill says which project and stack a cluster belongs to",
    benchmark: ["CKV_GCP_21"],
    severity: "low",
    ...all(
      given("resourceLabels.project", "label it with the Pulumi project"),
      given("resourceLabels.stack", "label it with the stack"),
    ),
  },
  "cluster-deletion-protection": {
    title: "The cluster cannot be deleted by mistake",
    severity: "medium",
    choice: "a stack for trying is meant to be deleted",
    ...oneOf("deletionProtection", [true], "set cluster.deletionProtection to true"),
  },
});
