/** The cluster: https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster */
import { absent, all, at, isSet, includes, oneOf, rulesFor, unknown, type Properties, type Check } from "../rule.ts";

import { ownAccount, temporaryNodes } from "./nodePool.ts";

export const cluster = { name: "GKE cluster", types: ["gcp:container/cluster:Cluster"] };

const isAutopilot = (props: Properties) => at(props, "enableAutopilot");

/** Autopilot always has these settings, and rejects them as input. */
const inStandard = ({ required, check }: Check): Check => ({
  required: `${required} (in Autopilot always so)`,
  check: (props) => ([true, unknown].includes(isAutopilot(props) as true) ? [] : check(props)),
});
const inAutopilot = ({ required, check }: Check): Check => ({
  required: `in Autopilot ${required}`,
  check: (props) => (isAutopilot(props) === true ? check(props) : []),
});

/** The engine drops these settings from a cluster that was created without them: its default pool is gone. */
const temporaryPool: Check = {
  required: `in Standard, where \`nodeConfig\` is set, ${temporaryNodes.required}`,
  check: (props) => (at(props, "nodeConfig") === undefined ? [] : inStandard(temporaryNodes).check(props)),
};

const region: Check = {
  required: "`location` is a region, not a zone",
  check: (props) => {
    const value = at(props, "location");
    if (value === unknown || (typeof value === "string" && /^[a-z]+-[a-z]+\d+$/.test(value))) return [];
    return [{ property: "location", value, fix: "give a region, as in asia-northeast1" }];
  },
};

export const clusterRules = rulesFor(cluster, {
  "cluster-regional": {
    title: "The control plane is spread over the zones of a region",
    severity: "medium",
    ...region,
  },
  "cluster-pools-apart": {
    title: "Node pools are resources of their own; the default pool is as safe as they are, until it is removed",
    benchmark: ["CKV_GCP_123"],
    severity: "medium",
    ...all(
      inStandard(oneOf("removeDefaultNodePool", [true])),
      absent("nodePools", "make it a NodePool"),
      inAutopilot(absent("nodeConfig", "remove it: Google chooses the nodes")),
      temporaryPool,
    ),
  },
  "cluster-vpc-native": {
    title: "Pods have addresses of the VPC, from ranges that are named",
    benchmark: ["CIS GKE 5.6.2", "CKV_GCP_23"],
    severity: "medium",
    ...all(
      oneOf("networkingMode", ["VPC_NATIVE"]),
      isSet("ipAllocationPolicy.clusterSecondaryRangeName", "name the subnet's range for pods"),
      isSet("ipAllocationPolicy.servicesSecondaryRangeName", "name the subnet's range for Services"),
    ),
  },
  "cluster-private-nodes": {
    title: "Nodes have no public address",
    benchmark: ["CIS GKE 5.6.5", "CKV_GCP_25", "CKV_GCP_64"],
    severity: "high",
    ...oneOf("privateClusterConfig.enablePrivateNodes", [true]),
  },
  "cluster-no-alpha": {
    title: "No alpha features, with which clusters last 30 days",
    benchmark: ["CIS GKE 5.10.2", "CKV2_GCP_19"],
    severity: "medium",
    ...oneOf("enableKubernetesAlpha", [false]),
  },
  "cluster-workload-identity": {
    title: "Pods have identities of their own",
    benchmark: ["CIS GKE 5.2.2"],
    severity: "high",
    ...isSet("workloadIdentityConfig.workloadPool", "set it to PROJECT.svc.id.goog"),
  },
  "cluster-network-policies": {
    title: "Network policies are enforced, by Dataplane V2",
    benchmark: ["CIS GKE 4.3.1", "CKV_GCP_12"],
    severity: "medium",
    ...inStandard(oneOf("datapathProvider", ["ADVANCED_DATAPATH"])),
  },
  "cluster-intranode-visibility": {
    title: "Traffic between pods of one node passes the VPC, its logs and its firewall",
    benchmark: ["CIS GKE 5.6.1", "CKV_GCP_61"],
    severity: "low",
    ...inStandard(oneOf("enableIntranodeVisibility", [true])),
  },
  "cluster-shielded-nodes": {
    title: "Nodes prove what they are",
    benchmark: ["CIS GKE 5.5.5", "CKV_GCP_71"],
    severity: "high",
    ...inStandard(oneOf("enableShieldedNodes", [true])),
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
    ...isSet("maintenancePolicy.recurringWindow", "set cluster.maintenance"),
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
    ...isSet("authenticatorGroupsConfig.securityGroup", "set cluster.securityGroup"),
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
    ...all(
      inStandard(oneOf("nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled", ["FALSE"])),
      inAutopilot(oneOf("nodePoolAutoConfig.nodeKubeletConfig.insecureKubeletReadonlyPortEnabled", ["FALSE"])),
    ),
  },
  "cluster-own-account": {
    title: "Autopilot's nodes do not run as the default account, which may edit the whole project",
    benchmark: ["CIS GKE 5.2.1", "CKV2_GCP_1"],
    severity: "high",
    ...inAutopilot(ownAccount("clusterAutoscaling.autoProvisioningDefaults.serviceAccount")),
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
      isSet("resourceLabels.project", "label it with the Pulumi project"),
      isSet("resourceLabels.stack", "label it with the stack"),
    ),
  },
  "cluster-deletion-protection": {
    title: "The cluster cannot be deleted by mistake",
    severity: "medium",
    choice: "a stack for trying is meant to be deleted",
    ...oneOf("deletionProtection", [true], "set cluster.deletionProtection to true"),
  },
});
