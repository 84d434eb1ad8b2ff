/**
 * The whole system: cluster, policies, images, services, proxy, edge. `config/` checks the stack's config and fills in
 * defaults.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import { createCluster } from "./components/cluster/cluster.ts";
import { createEdge } from "./components/edge/edge.ts";
import { proxySettingsFor } from "./components/edge/proxySettings.ts";
import { waitForApis } from "./components/googleApis.ts";
import { imageReference } from "./components/images/imageReference.ts";
import { createRegistry } from "./components/images/imageRegistry.ts";
import { Microservice } from "./components/workloads/microservice.ts";
import { createNamespace } from "./components/workloads/namespace.ts";
import { NetworkPolicies } from "./components/workloads/networkPolicies.ts";
import { NginxProxy } from "./components/workloads/nginxProxy.ts";
import { RequestMetrics } from "./components/workloads/requestMetrics.ts";
import { WorkloadIdentity } from "./components/workloads/workloadIdentity.ts";
import { loadConfig } from "./config/config.ts";
import { networkFlows } from "./config/flows.ts";
import { proxyMetrics } from "./config/metrics.ts";
import { proxyRoutes, routeTable } from "./config/routes.ts";
import { proxyName } from "./names/kubernetes.ts";
import { loadBalancerPorts } from "./names/ports.ts";

const config = await loadConfig();
const { stack, domain, rolloutSeconds } = config;
const google = config.cluster.kind === "gke" ? config.cluster : undefined;
if (google !== undefined) waitForApis();
const autopilot = config.cluster.mode === "autopilot";

// The Kubernetes cluster: the stack's own GKE cluster, or an existing one.
const cluster = createCluster(stack, config.cluster, {
  loadBalancerPorts: config.edge.onGoogle ? loadBalancerPorts : [],
});
const { clusterName, kubeconfig, consoleUrl, workloadsUrl } = cluster;
const inCluster = { provider: cluster.provider };
const { claimProvider } = cluster;
const namespace = createNamespace({ name: config.namespace, stack, claimProvider }, inCluster);

// Network policies come first, so that no pod runs unrestricted.
const policies = config.networkPolicies.enabled
  ? new NetworkPolicies("network-policies", { namespace, flows: networkFlows(config) }, inCluster)
  : undefined;
const policiesBefore = (name: string) => policies?.before(name) ?? [];

// Read all build folders before the first service: an unreadable folder then changes nothing.
const registry = createRegistry(stack, config.registry);
const services = Object.entries(config.services).map(([service, settings]) => {
  return { ...settings, service, image: imageReference(service, settings, registry) };
});
const proxyImage = imageReference(proxyName, config.proxy, registry);

// The services. The proxy waits for the Services of the routed ones.
const routes = proxyRoutes(config);
const upstreams = new Set(routes.upstreams.map((upstream) => upstream.service));
const proxyDependsOn: pulumi.Resource[] = policiesBefore(proxyName);
for (const { service, image, port, replicas, healthPath, env, resources, roles } of services) {
  const identity =
    google !== undefined && roles.length > 0
      ? new WorkloadIdentity(
          `${service}-identity`,
          { project: google.project, stack, service, namespace, roles },
          { ...inCluster, dependsOn: [cluster.provider] },
        )
      : undefined;
  const secretEnv = config.secretEnv.get(service);
  const serviceAccount = identity?.serviceAccountName;
  const routed = upstreams.has(service);
  const { upstream } = new Microservice(
    service,
    {
      namespace,
      image,
      port,
      replicas,
      healthPath,
      env,
      secretEnv,
      resources,
      autopilot,
      serviceAccount,
      rolloutSeconds,
      routed,
    },
    { ...inCluster, dependsOn: policiesBefore(service) },
  );
  proxyDependsOn.push(...upstream);
  // Yield, so that registrations flush: queueing 1,000 services doubles time and memory.
  await nextTurn();
}

// The proxy in front of the services, with the settings for this kind of edge.
const { replicas, resources } = config.proxy;
const proxy = new NginxProxy(
  proxyName,
  {
    namespace,
    image: proxyImage,
    replicas,
    resources,
    autopilot,
    rolloutSeconds,
    routes,
    metrics: proxyMetrics(config),
    ...proxySettingsFor(config.edge), // annotations of its Services, and the drain time of a pod
  },
  { ...inCluster, dependsOn: proxyDependsOn },
);
if (google !== undefined && config.proxy.metrics.byService)
  new RequestMetrics(`${stack}-requests`, { project: google.project, stack, clusterName, namespace });

// The edge in front of the proxy: address, DNS, certificates and load balancer. Pulumi deletes it first on destroy.
const { hosts, edge, edgePaths, tls, dns, certificate } = config;
const { serviceName, grpcServiceName } = proxy;
const edgeOutputs = createEdge(
  { stack, namespace, domain, hosts, edge, edgePaths, tls, dns, certificate, serviceName, grpcServiceName },
  { ...inCluster, dependsOn: [proxy] },
);

const outputs = {
  url: `${tls.mode === "none" ? "http" : "https"}://${domain}/`,
  routes: routeTable(config),
  ...edgeOutputs, // address, certificates, and the DNS records that they need
  clusterName,
  kubeconfig,
  consoleUrl,
  workloadsUrl,
  images: { ...Object.fromEntries(services.map(({ service, image }) => [service, image])), [proxyName]: proxyImage },
};

// Drop undefined outputs: the CLI warns about them.
export default Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined));
