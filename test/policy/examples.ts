/**
 * For each kind of resource an example that passes all rules, and for each rule the changes that break it. The table
 * grows with the rules.
 */
import type { Properties } from "../../policy/rule.ts";

export interface Example {
  readonly type: string;
  readonly good: Properties;
  /** By rule: the value to set at a path (undefined removes it), and the property that the violation names. */
  readonly broken: Readonly<Record<string, readonly Break[]>>;
}
/** Path, value, and the property in the violation if it differs from the path. */
export type Break = readonly [path: string, value: unknown, property?: string];

const networks = "masterAuthorizedNetworksConfig.cidrBlocks";

/** A pod that passes every rule, and what breaks each of them; the same for all that make pods. */
const goodPod = {
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
  volumes: [{ name: "tmp", emptyDir: {} }],
  containers: [
    {
      name: "hoge",
      image: "registry.example.com:5000/hoge:1.4.2",
      resources: {
        requests: { cpu: "100m", memory: "128Mi" },
        limits: { memory: "128Mi", "ephemeral-storage": "512Mi" },
      },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    },
  ],
};

const brokenPods = (pod: string): Example["broken"] => {
  const container = `${pod}.containers[0]`;
  return {
    "pod-not-root": [
      [`${container}.securityContext.runAsNonRoot`, false],
      [`${container}.securityContext.runAsUser`, 0],
      [`${pod}.securityContext.runAsUser`, 0],
    ],
    "pod-seccomp": [[`${container}.securityContext.seccompProfile.type`, "Unconfined"]],
    "pod-no-escalation": [
      [`${container}.securityContext.allowPrivilegeEscalation`, undefined],
      [`${container}.securityContext.privileged`, true],
    ],
    "pod-no-capabilities": [
      [`${container}.securityContext.capabilities.drop`, ["NET_RAW"]],
      [`${container}.securityContext.capabilities`, undefined, `${container}.securityContext.capabilities.drop`],
      [`${container}.securityContext.capabilities.add`, ["SYS_ADMIN"]],
    ],
    "pod-read-only": [[`${container}.securityContext.readOnlyRootFilesystem`, false]],
    "pod-host-apart": [
      [`${pod}.hostNetwork`, true],
      [`${pod}.hostPID`, true],
      [`${pod}.hostIPC`, true],
      [`${pod}.volumes[0].hostPath`, { path: "/" }],
    ],
    "pod-no-token": [[`${pod}.automountServiceAccountToken`, undefined]],
    "pod-resources": [
      [`${container}.resources.requests.cpu`, undefined],
      [`${container}.resources.requests.memory`, undefined],
      [`${container}.resources.limits.memory`, undefined],
      [`${container}.resources.limits["ephemeral-storage"]`, undefined],
    ],
    "pod-pinned-image": [
      [`${container}.image`, "registry.example.com/hoge:latest"],
      [`${container}.image`, "registry.example.com:5000/hoge"],
      [`${container}.image`, undefined],
    ],
    "namespace-own": [
      ["metadata.namespace", "default"],
      ["metadata.namespace", undefined],
    ],
  };
};

const goodJob = {
  activeDeadlineSeconds: 600,
  template: { spec: { ...goodPod, restartPolicy: "Never" } },
};
const brokenJobs = (spec: string): Example["broken"] => ({
  "job-ends": [[`${spec}.activeDeadlineSeconds`, undefined]],
  "job-no-restarts": [[`${spec}.template.spec.restartPolicy`, "OnFailure"]],
});

export const examples: readonly Example[] = [
  {
    type: "gcp:container/cluster:Cluster",
    good: {
      location: "asia-northeast1",
      removeDefaultNodePool: true,
      nodeConfig: {
        imageType: "COS_CONTAINERD",
        serviceAccount: "staging-nodes@acme.iam.gserviceaccount.com",
        shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
        workloadMetadataConfig: { mode: "GKE_METADATA" },
        metadata: { "disable-legacy-endpoints": "true" },
        kubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" },
      },
      networkingMode: "VPC_NATIVE",
      ipAllocationPolicy: { clusterSecondaryRangeName: "pods", servicesSecondaryRangeName: "services" },
      privateClusterConfig: { enablePrivateNodes: true, enablePrivateEndpoint: true },
      controlPlaneEndpointsConfig: { ipEndpointsConfig: { enabled: true } },
      masterAuthorizedNetworksConfig: {
        gcpPublicCidrsAccessEnabled: false,
        cidrBlocks: [{ displayName: "office", cidrBlock: "203.0.113.0/24" }],
      },
      masterAuth: { clientCertificateConfig: { issueClientCertificate: false } },
      enableLegacyAbac: false,
      enableKubernetesAlpha: false,
      anonymousAuthenticationConfig: { mode: "LIMITED" },
      rbacBindingConfig: {
        enableInsecureBindingSystemAuthenticated: false,
        enableInsecureBindingSystemUnauthenticated: false,
      },
      workloadIdentityConfig: { workloadPool: "acme.svc.id.goog" },
      datapathProvider: "ADVANCED_DATAPATH",
      enableIntranodeVisibility: true,
      enableShieldedNodes: true,
      releaseChannel: { channel: "REGULAR" },
      maintenancePolicy: { recurringWindow: { startTime: "2026-01-01T17:00:00Z" } },
      binaryAuthorization: { evaluationMode: "PROJECT_SINGLETON_POLICY_ENFORCE" },
      databaseEncryption: { state: "ENCRYPTED", keyName: "projects/p/locations/l/keyRings/r/cryptoKeys/k" },
      authenticatorGroupsConfig: { securityGroup: "gke-security-groups@example.com" },
      loggingConfig: { enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS"] },
      monitoringConfig: { enableComponents: ["SYSTEM_COMPONENTS"], managedPrometheus: { enabled: true } },
      nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
      securityPostureConfig: { mode: "BASIC" },
      resourceLabels: { project: "gke-microservices", stack: "staging" },
      deletionProtection: true,
    },
    broken: {
      "cluster-regional": [
        ["location", "asia-northeast1-a"],
        ["location", undefined],
      ],
      "cluster-pools-apart": [
        ["removeDefaultNodePool", false],
        ["nodePools", [{ name: "main" }]],
        ["nodeConfig.serviceAccount", undefined],
        ["nodeConfig.serviceAccount", "123-compute@developer.gserviceaccount.com"],
        ["nodeConfig.imageType", "UBUNTU_CONTAINERD"],
        ["nodeConfig.shieldedInstanceConfig.enableSecureBoot", false],
        ["nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", undefined],
        ["nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA"],
        ['nodeConfig.metadata["disable-legacy-endpoints"]', undefined],
        ["nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", "TRUE"],
      ],
      "cluster-vpc-native": [
        ["networkingMode", "ROUTES"],
        ["ipAllocationPolicy.clusterSecondaryRangeName", undefined],
        ["ipAllocationPolicy.servicesSecondaryRangeName", ""],
      ],
      "cluster-private-nodes": [
        ["privateClusterConfig.enablePrivateNodes", false],
        ["privateClusterConfig.enablePrivateNodes", undefined],
      ],
      "cluster-endpoint-allow-list": [
        ["masterAuthorizedNetworksConfig.cidrBlocks", []],
        [`${networks}[0].cidrBlock`, "0.0.0.0/0"],
        [`${networks}[0].cidrBlock`, "::/0"],
        ["masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", true],
      ],
      "cluster-endpoint-by-name": [["privateClusterConfig.enablePrivateEndpoint", undefined]],
      "cluster-no-client-certificate": [["masterAuth.clientCertificateConfig.issueClientCertificate", true]],
      "cluster-rbac-only": [["enableLegacyAbac", true]],
      "cluster-no-alpha": [["enableKubernetesAlpha", true]],
      "cluster-no-anonymous": [["anonymousAuthenticationConfig.mode", "ENABLED"]],
      "cluster-no-rights-for-everybody": [
        ["rbacBindingConfig.enableInsecureBindingSystemAuthenticated", true],
        ["rbacBindingConfig.enableInsecureBindingSystemUnauthenticated", undefined],
      ],
      "cluster-workload-identity": [["workloadIdentityConfig.workloadPool", undefined]],
      "cluster-network-policies": [["datapathProvider", "LEGACY_DATAPATH"]],
      "cluster-intranode-visibility": [["enableIntranodeVisibility", false]],
      "cluster-shielded-nodes": [["enableShieldedNodes", false]],
      "cluster-release-channel": [
        ["releaseChannel.channel", "UNSPECIFIED"],
        ["minMasterVersion", "1.33"],
      ],
      "cluster-maintenance-window": [["maintenancePolicy.recurringWindow", undefined]],
      "cluster-binary-authorization": [["binaryAuthorization.evaluationMode", "DISABLED"]],
      "cluster-secrets-own-key": [["databaseEncryption.state", undefined]],
      "cluster-google-groups": [["authenticatorGroupsConfig.securityGroup", undefined]],
      "cluster-logs": [
        ["loggingConfig.enableComponents", ["SYSTEM_COMPONENTS"]],
        ["loggingConfig.enableComponents", undefined],
      ],
      "cluster-metrics": [
        ["monitoringConfig.enableComponents", []],
        ["monitoringConfig.managedPrometheus.enabled", false],
      ],
      "cluster-kubelet-port": [["nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled", "TRUE"]],
      "cluster-posture": [["securityPostureConfig.mode", "DISABLED"]],
      "cluster-labels": [
        ["resourceLabels.stack", undefined],
        ["resourceLabels.project", ""],
      ],
      "cluster-deletion-protection": [["deletionProtection", false]],
    },
  },
  {
    type: "gcp:container/nodePool:NodePool",
    good: {
      management: { autoRepair: true, autoUpgrade: true },
      upgradeSettings: { maxSurge: 1, maxUnavailable: 0 },
      autoscaling: { minNodeCount: 0, maxNodeCount: 3 },
      nodeConfig: {
        imageType: "COS_CONTAINERD",
        serviceAccount: "staging-nodes@acme.iam.gserviceaccount.com",
        shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
        workloadMetadataConfig: { mode: "GKE_METADATA" },
        metadata: { "disable-legacy-endpoints": "true" },
        kubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" },
      },
    },
    broken: {
      "nodes-auto-repair": [["management.autoRepair", false]],
      "nodes-auto-upgrade": [
        ["management.autoUpgrade", undefined],
        ["version", "1.33.1-gke.1"],
      ],
      "nodes-surge-upgrade": [["upgradeSettings.maxUnavailable", 1]],
      "nodes-bounded": [
        ["autoscaling", undefined],
        ["autoscaling.minNodeCount", 4, "autoscaling"],
      ],
      "nodes-secure-boot": [["nodeConfig.shieldedInstanceConfig.enableSecureBoot", false]],
      "nodes-integrity-monitoring": [["nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", undefined]],
      "nodes-metadata-server": [["nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA"]],
      "nodes-no-legacy-metadata": [['nodeConfig.metadata["disable-legacy-endpoints"]', "false"]],
      "nodes-own-account": [
        ["nodeConfig.serviceAccount", undefined],
        ["nodeConfig.serviceAccount", "default"],
        ["nodeConfig.serviceAccount", "123-compute@developer.gserviceaccount.com"],
      ],
      "nodes-container-os": [["nodeConfig.imageType", "UBUNTU_CONTAINERD"]],
      "nodes-kubelet-port": [["nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", "TRUE"]],
    },
  },
  {
    type: "gcp:compute/network:Network",
    good: { autoCreateSubnetworks: false },
    broken: { "network-chosen-subnets": [["autoCreateSubnetworks", undefined]] },
  },
  {
    type: "gcp:compute/subnetwork:Subnetwork",
    good: { privateIpGoogleAccess: true, logConfig: { aggregationInterval: "INTERVAL_10_MIN" } },
    broken: {
      "network-private-google-access": [["privateIpGoogleAccess", false]],
      "network-flow-logs": [["logConfig", undefined, "logConfig.aggregationInterval"]],
    },
  },
  {
    type: "gcp:compute/firewall:Firewall",
    good: {
      direction: "INGRESS",
      allows: [{ protocol: "tcp", ports: ["8080"] }],
      sourceRanges: ["35.191.0.0/16"],
      targetServiceAccounts: ["staging-nodes@acme.iam.gserviceaccount.com"],
    },
    broken: {
      "network-firewall-sources": [
        ["sourceRanges", undefined],
        ["sourceRanges", []],
        ["sourceRanges", ["35.191.0.0/16", "0.0.0.0/0"]],
        ["sourceRanges", ["::/0"]],
        ["targetServiceAccounts", undefined],
      ],
    },
  },
  {
    type: "gcp:compute/routerNat:RouterNat",
    good: { logConfig: { enable: true, filter: "ERRORS_ONLY" } },
    broken: { "network-nat-logs": [["logConfig.enable", false]] },
  },
  {
    type: "gcp:compute/sSLPolicy:SSLPolicy",
    good: { profile: "MODERN", minTlsVersion: "TLS_1_2" },
    broken: {
      "edge-tls-policy": [
        ["minTlsVersion", "TLS_1_1"],
        ["profile", "COMPATIBLE"],
      ],
    },
  },
  {
    type: "kubernetes:networking.gke.io/v1beta1:FrontendConfig",
    good: { metadata: { namespace: "apps" }, spec: { sslPolicy: "staging", redirectToHttps: { enabled: true } } },
    broken: {
      "edge-tls-policy-used": [["spec.sslPolicy", undefined]],
      "edge-https-only": [["spec.redirectToHttps.enabled", false]],
    },
  },
  {
    type: "kubernetes:networking.k8s.io/v1:Ingress",
    good: {
      metadata: {
        namespace: "apps",
        annotations: { "kubernetes.io/ingress.class": "gce", "ingress.gcp.kubernetes.io/pre-shared-cert": "staging" },
      },
    },
    broken: {
      "edge-managed-certificate": [['metadata.annotations["ingress.gcp.kubernetes.io/pre-shared-cert"]', undefined]],
    },
  },
  {
    type: "kubernetes:networking.gke.io/v1:GCPGatewayPolicy",
    good: { metadata: { namespace: "apps" }, spec: { default: { sslPolicy: "staging" } } },
    broken: { "gateway-tls-policy-used": [["spec.default.sslPolicy", undefined]] },
  },
  {
    type: "kubernetes:networking.gke.io/v1:HealthCheckPolicy",
    good: {
      metadata: { namespace: "apps" },
      spec: { default: { config: { type: "HTTP", httpHealthCheck: { requestPath: "/healthz", port: 8081 } } } },
    },
    broken: {
      "gateway-health-check": [
        ["spec.default.config.httpHealthCheck.requestPath", undefined],
        ["spec.default.config.httpHealthCheck.port", undefined],
      ],
    },
  },
  {
    type: "kubernetes:networking.gke.io/v1:GCPBackendPolicy",
    good: { metadata: { namespace: "apps" }, spec: { default: { securityPolicy: "staging" } } },
    broken: { "gateway-armor": [["spec.default.securityPolicy", undefined]] },
  },
  {
    type: "kubernetes:cloud.google.com/v1:BackendConfig",
    good: {
      metadata: { namespace: "apps" },
      spec: { healthCheck: { requestPath: "/healthz", port: 8081 }, securityPolicy: { name: "staging" } },
    },
    broken: {
      "edge-health-check": [
        ["spec.healthCheck.requestPath", undefined],
        ["spec.healthCheck.port", undefined],
      ],
      "edge-armor": [["spec.securityPolicy", undefined, "spec.securityPolicy.name"]],
    },
  },
  {
    type: "gcp:compute/securityPolicy:SecurityPolicy",
    good: {
      rules: [
        {
          action: "deny(403)",
          priority: 1,
          match: { expr: { expression: "evaluatePreconfiguredWaf('cve-canary')" } },
        },
        { action: "allow", priority: 2147483647, match: { versionedExpr: "SRC_IPS_V1" } },
      ],
    },
    broken: {
      "edge-armor-log4j": [
        ["rules", []],
        ["rules[0].action", "allow", "rules"],
        ["rules[0].preview", true, "rules"],
        ["rules[0].match.expr.expression", "evaluatePreconfiguredWaf('xss-v33-stable')", "rules"],
      ],
    },
  },
  {
    type: "gcp:dns/managedZone:ManagedZone",
    good: { dnssecConfig: { state: "on" } },
    broken: { "dns-signed": [["dnssecConfig.state", "off"]] },
  },
  {
    type: "gcp:projects/iAMMember:IAMMember",
    good: { role: "roles/artifactregistry.reader", member: "serviceAccount:nodes@acme.iam.gserviceaccount.com" },
    broken: {
      "iam-nobody-public": [["member", "allUsers"]],
      "iam-no-basic-roles": [
        ["role", "roles/owner"],
        ["role", "roles/editor"],
        ["role", "roles/viewer"],
      ],
      "iam-no-impersonation": [["role", "roles/iam.serviceAccountTokenCreator"]],
    },
  },
  {
    type: "gcp:artifactregistry/repositoryIamBinding:RepositoryIamBinding",
    good: { role: "roles/artifactregistry.reader", members: ["group:team@example.com", "user:a@example.com"] },
    broken: { "iam-nobody-public": [["members[1]", "allAuthenticatedUsers"]] },
  },
  {
    type: "gcp:artifactregistry/repository:Repository",
    good: {
      cleanupPolicies: [{ id: "keep" }],
      cleanupPolicyDryRun: false,
      vulnerabilityScanningConfig: { enablementConfig: "INHERITED" },
    },
    broken: {
      "registry-scan": [["vulnerabilityScanningConfig.enablementConfig", "DISABLED"]],
      "registry-cleanup": [
        ["cleanupPolicies", undefined],
        ["cleanupPolicyDryRun", true],
      ],
    },
  },
  {
    type: "kubernetes:apps/v1:Deployment",
    good: { metadata: { name: "hoge", namespace: "apps" }, spec: { template: { spec: goodPod } } },
    broken: brokenPods("spec.template.spec"),
  },
  {
    type: "kubernetes:batch/v1:Job",
    good: { metadata: { name: "hoge-release-0123456789", namespace: "apps" }, spec: goodJob },
    broken: { ...brokenPods("spec.template.spec"), ...brokenJobs("spec") },
  },
  {
    type: "kubernetes:batch/v1:CronJob",
    good: {
      metadata: { name: "hoge", namespace: "apps" },
      spec: { schedule: "0 3 * * *", jobTemplate: { spec: goodJob } },
    },
    broken: { ...brokenPods("spec.jobTemplate.spec.template.spec"), ...brokenJobs("spec.jobTemplate.spec") },
  },
  {
    type: "kubernetes:core/v1:ServiceAccount",
    good: { metadata: { namespace: "apps" }, automountServiceAccountToken: false },
    broken: { "account-no-token": [["automountServiceAccountToken", undefined]] },
  },
  {
    type: "kubernetes:core/v1:Service",
    good: { metadata: { namespace: "apps" }, spec: { type: "ClusterIP" } },
    broken: {
      "service-inside": [
        ["spec.type", "LoadBalancer"],
        ["spec.type", "NodePort"],
        ["spec.externalIPs", ["203.0.113.7"]],
      ],
    },
  },
  {
    type: "kubernetes:policy/v1:PodDisruptionBudget",
    good: { metadata: { namespace: "apps" }, spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" } },
    broken: {
      "budget-lets-drain": [
        ["spec.unhealthyPodEvictionPolicy", undefined],
        ["spec.unhealthyPodEvictionPolicy", "IfHealthyBudget"],
        ["spec.maxUnavailable", 0],
        ["spec.maxUnavailable", undefined],
      ],
    },
  },
  ...["Secret", "ConfigMap"].map((kind) => ({
    type: `kubernetes:core/v1:${kind}`,
    good: { metadata: { namespace: "apps" }, immutable: true, stringData: { key: "value" } },
    broken: {
      "content-immutable": [
        ["immutable", false],
        ["immutable", undefined],
      ] as const,
    },
  })),
  {
    type: "kubernetes:core/v1:Namespace",
    good: { metadata: { name: "apps", labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    broken: {
      "namespace-restricted": [
        ['metadata.labels["pod-security.kubernetes.io/enforce"]', "baseline"],
        ["metadata.labels", undefined, 'metadata.labels["pod-security.kubernetes.io/enforce"]'],
      ],
    },
  },
];
