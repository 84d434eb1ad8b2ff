/** The whole system, composed from the stack's config: cluster, address, images, services, proxy, edge. */
import { setImmediate as nextTurn } from "node:timers/promises";
import * as k8s from "@pulumi/kubernetes";
import { createEdge } from "./components/edge/edge.ts";
import { ExistingCluster } from "./components/cluster/existingCluster.ts";
import { GkeCluster } from "./components/cluster/gkeCluster.ts";
import { imageReference } from "./components/images/imageReference.ts";
import { ImageRegistry } from "./components/images/imageRegistry.ts";
import { Microservice } from "./components/workloads/microservice.ts";
import { NetworkPolicies } from "./components/workloads/networkPolicies.ts";
import { NginxProxy } from "./components/workloads/nginxProxy.ts";
import { proxySettingsFor } from "./components/edge/proxySettings.ts";
import { RequestMetrics } from "./components/workloads/requestMetrics.ts";
import { WorkloadIdentity } from "./components/workloads/workloadIdentity.ts";
import { loadConfig } from "./config/config.ts";
import { networkFlows } from "./config/flows.ts";
import { proxyMetrics } from "./config/metrics.ts";
import { proxyRoutes, routeTable } from "./config/routes.ts";

const config = loadConfig();
const { stack, cluster, edge, tls, rolloutSeconds } = config;

// Where the Kubernetes is, and where images come from.
const kubernetes =
  cluster.kind === "gke"
    ? new GkeCluster(stack, { ...cluster, stack, gatewayApi: true })
    : new ExistingCluster(stack, cluster);
const inCluster = { provider: kubernetes.provider };
const registry =
  config.registry.kind === "artifact-registry" ? new ImageRegistry(stack, { ...config.registry, stack }) : undefined;

const namespace = new k8s.core.v1.Namespace(
  "namespace",
  { metadata: { name: config.namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
  // GKE takes its network endpoint groups away after their Service is gone, and holds the namespace until it has: were it
  // not waited for, the cluster would go first, and groups left behind keep the network from being deleted.
  { ...inCluster, customTimeouts: { delete: "30m" } },
).metadata.name;

// Closed before anything runs: what a pod may reach, and who may reach it.
const policies = config.networkPolicies.enabled
  ? new NetworkPolicies("network-policies", { namespace, flows: networkFlows(config) }, inCluster)
  : undefined;
const policiesBefore = (name: string) => policies?.before(name) ?? [];

// Folders to build from are read before the engine is told of anything: one that cannot be read changes nothing.
const services = Object.entries(config.services).map(([service, settings]) => {
  return { ...settings, service, image: imageReference(service, settings, registry) };
});
const image = imageReference("nginx-proxy", config.proxy, registry);

// The services, and the proxy that routes to them.
const routes = proxyRoutes(config);
const upstreams = new Set(routes.upstreams.map((upstream) => upstream.service));
const dependsOn = policiesBefore("nginx-proxy");
const common = { namespace, rolloutSeconds };
for (const settings of services) {
  const { service, roles } = settings;
  const secretEnv = config.secretEnv[service] ?? {};
  const identity =
    cluster.kind === "gke" && roles.length > 0
      ? new WorkloadIdentity(
          `${service}-identity`,
          { project: cluster.project, stack, service, namespace, roles },
          { ...inCluster, dependsOn: [kubernetes.provider] },
        )
      : undefined;
  const serviceAccountName = identity?.serviceAccountName;
  const routed = upstreams.has(service);
  const args = { ...settings, ...common, secretEnv, serviceAccountName, routed };
  dependsOn.push(...new Microservice(service, args, { ...inCluster, dependsOn: policiesBefore(service) }).upstream);
  // The engine is told of these before more are made: a thousand services that all wait take twice the time and memory.
  await nextTurn();
}

const wanted = { ...proxySettingsFor(edge), metrics: proxyMetrics(config) };
const proxy = new NginxProxy(
  "nginx-proxy",
  { ...config.proxy, ...common, ...wanted, image, routes },
  { ...inCluster, dependsOn },
);

if (cluster.kind === "gke" && config.proxy.metrics.byService) {
  const { clusterName } = kubernetes;
  new RequestMetrics(`${stack}-requests`, { project: cluster.project, stack, clusterName, namespace });
}

// The edge, in front of the proxy; it goes before the proxy when the stack is destroyed.
const { serviceName, grpcServiceName } = proxy;
const front = createEdge({ ...config, namespace, serviceName, grpcServiceName }, { ...inCluster, dependsOn: [proxy] });

const outputs = {
  url: `${tls.mode === "none" ? "http" : "https"}://${config.domain}/`,
  routes: routeTable(config),
  ...front, // the address, the certificates, and what DNS has to hold for them
  clusterName: kubernetes.clusterName,
  kubeconfig: kubernetes.kubeconfig,
  consoleUrl: kubernetes.consoleUrl,
  workloadsUrl: kubernetes.workloadsUrl,
  images: Object.fromEntries(
    [...services, { service: "nginx-proxy", image }].map((each) => [each.service, each.image]),
  ),
};

// Of what this stack does not have, the CLI would warn.
export default Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined));
