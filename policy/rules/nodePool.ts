/** Rules for node pools: https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster */
import { absent, all, at, oneOf, rulesFor, unknown, type Check } from "../rule.ts";

const nodePool = { name: "GKE node pool", types: ["gcp:container/nodePool:NodePool"] };

/** https://cloud.google.com/iam/docs/service-account-types#default */
export const ownAccount = (property: string): Check => ({
  required: `\`${property}\` is set, and not to the default account`,
  check: (props) => {
    const value = at(props, property);
    if (value === unknown) return [];
    if (typeof value === "string" && value !== "default" && !value.endsWith("-compute@developer.gserviceaccount.com"))
      return [];
    return [{ property, value, fix: "give the nodes an account that may write logs and pull images" }];
  },
});

const bounds: Check = {
  required: "`autoscaling` has a least and a most number of nodes",
  check: (props) => {
    const [min, max] = ["min", "max"].map((end) => at(props, `autoscaling.${end}NodeCount`));
    if ([min, max].includes(unknown) || (typeof min === "number" && typeof max === "number" && min <= max)) return [];
    return [{ property: "autoscaling", value: at(props, "autoscaling"), fix: "set minNodeCount and maxNodeCount" }];
  },
};

/** Settings of the nodes of a pool that Google makes itself, and that is deleted at once. */
export const temporaryNodes = all(
  ownAccount("nodeConfig.serviceAccount"),
  oneOf("nodeConfig.imageType", ["COS_CONTAINERD"]),
  oneOf("nodeConfig.shieldedInstanceConfig.enableSecureBoot", [true]),
  oneOf("nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", [true]),
  oneOf("nodeConfig.workloadMetadataConfig.mode", ["GKE_METADATA"]),
  oneOf('nodeConfig.metadata["disable-legacy-endpoints"]', ["true"]),
  oneOf("nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", ["FALSE"]),
);

export const nodePoolRules = rulesFor(nodePool, {
  "nodes-auto-repair": {
    title: "Broken nodes are replaced",
    benchmark: ["CIS GKE 5.5.2", "CKV_GCP_9"],
    severity: "medium",
    ...oneOf("management.autoRepair", [true]),
  },
  "nodes-auto-upgrade": {
    title: "Nodes follow the control plane's version",
    benchmark: ["CIS GKE 5.5.3", "CKV_GCP_10"],
    severity: "high",
    ...all(oneOf("management.autoUpgrade", [true]), absent("version", "leave the version to the channel")),
  },
  "nodes-surge-upgrade": {
    title: "An upgrade adds a node before it takes one away",
    severity: "low",
    ...oneOf("upgradeSettings.maxUnavailable", [0]),
  },
  "nodes-bounded": {
    title: "A pool grows only so far",
    severity: "low",
    ...bounds,
  },
  "nodes-secure-boot": {
    title: "Nodes boot only signed software",
    benchmark: ["CIS GKE 5.5.7", "CKV_GCP_68"],
    severity: "high",
    ...oneOf("nodeConfig.shieldedInstanceConfig.enableSecureBoot", [true]),
  },
  "nodes-integrity-monitoring": {
    title: "A node that boots otherwise than before is noticed",
    benchmark: ["CIS GKE 5.5.6", "CKV_GCP_72"],
    severity: "medium",
    ...oneOf("nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", [true]),
  },
  "nodes-metadata-server": {
    title: "Pods ask GKE's metadata server, and never get the node's identity",
    benchmark: ["CIS GKE 5.4.1", "CKV_GCP_69"],
    severity: "high",
    ...oneOf("nodeConfig.workloadMetadataConfig.mode", ["GKE_METADATA"]),
  },
  "nodes-no-legacy-metadata": {
    title: "Metadata needs its header, which a forged request does not have",
    severity: "medium",
    ...oneOf('nodeConfig.metadata["disable-legacy-endpoints"]', ["true"]),
  },
  "nodes-own-account": {
    title: "Nodes do not run as the default account, which may edit the whole project",
    benchmark: ["CIS GKE 5.2.1", "CKV2_GCP_1"],
    severity: "high",
    ...ownAccount("nodeConfig.serviceAccount"),
  },
  "nodes-container-os": {
    title: "Nodes run Container-Optimized OS",
    benchmark: ["CIS GKE 5.5.1", "CKV_GCP_22"],
    severity: "medium",
    ...oneOf("nodeConfig.imageType", ["COS_CONTAINERD"]),
  },
  "nodes-kubelet-port": {
    title: "Kubelet's port without a login is closed",
    severity: "high",
    ...oneOf("nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", ["FALSE"]),
  },
});
