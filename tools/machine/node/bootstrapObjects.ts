import { dnsServiceAddress, metricsService, nodeAddress } from "./addresses.ts";

const rbac = "rbac.authorization.k8s.io";

/** Objects that the cluster's components need before the first workload. */
export const bootstrapObjects = [
  role("system:coredns", [
    { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ]),
  binding("system:coredns", "system:coredns"),
  role("network-policies", [
    { apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["list", "watch"] },
  ]),
  binding("network-policies", "network-policies"),
  binding("kube-apiserver-to-kubelet", "kube-apiserver", "system:kubelet-api-admin"),
  binding("contour", "contour"),
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "contour" },
    spec: { controller: "projectcontour.io/ingress-controller" },
  },
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "contour" },
    spec: { controllerName: "projectcontour.io/gateway-controller" },
  },
  ...nodeService("kube-dns", dnsServiceAddress, [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ]),
] as const;

/**
 * Objects for metrics-server: what it may read, and that the API server asks it for metrics.k8s.io.
 * @param authority the cluster's CA, as PEM
 */
export const metricsObjects = (authority: string) =>
  [
    role("metrics-server", [
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
      { apiGroups: [""], resources: ["pods", "nodes", "namespaces"], verbs: ["get", "list", "watch"] },
    ]),
    binding("metrics-server", "metrics-server"),
    binding("metrics-server-asks-who-may", "metrics-server", "system:auth-delegator"),
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: { name: "metrics-server", namespace: "kube-system" },
      subjects: [{ apiGroup: rbac, kind: "User", name: "metrics-server" }],
      roleRef: { apiGroup: rbac, kind: "Role", name: "extension-apiserver-authentication-reader" },
    },
    ...nodeService("metrics-server", undefined, [{ name: "https", port: metricsService.port, protocol: "TCP" }]),
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1beta1.metrics.k8s.io" },
      spec: {
        group: "metrics.k8s.io",
        version: "v1beta1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        caBundle: Buffer.from(authority).toString("base64"),
        service: { name: "metrics-server", namespace: "kube-system", port: metricsService.port },
      },
    },
  ] as const;

/** A Service of kube-system for a process of the node. */
function nodeService(name: string, clusterIP: string | undefined, ports: readonly Record<string, unknown>[]) {
  const metadata = { name, namespace: "kube-system" };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { ...(clusterIP !== undefined && { clusterIP }), ports } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
      ports,
    },
  ] as const;
}

function role(name: string, rules: readonly object[]) {
  return { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name }, rules };
}

function binding(name: string, user: string, roleName = name) {
  const apiGroup = rbac;
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name },
    subjects: [{ apiGroup, kind: "User", name: user }],
    roleRef: { apiGroup, kind: "ClusterRole", name: roleName },
  };
}
