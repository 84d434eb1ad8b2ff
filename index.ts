/**
 * The whole system: cluster, policies, images, services, proxy, edge. `config/` checks the stack's config and fills in
 * defaults.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import { createCluster } from "./components/cluster/cluster.ts";
import { createEdge } from "./components/edge/edge.ts";
import { proxySettingsFor } from "./components/edge/proxySettings.ts";
import { imageReference } from "./components/images/imageReference.ts";
import { createRegistry } from "./components/images/imageRegistry.ts";
import { Microservice } from "./components/workloads/microservice.ts";
import { createNamespace } from "./components/workloads/namespace.ts";
import { NetworkPolicies } from "./components/workloads/networkPolicies.ts";
import { NginxProxy } from "./components/workloads/nginxProxy.ts";
import { RequestMetrics } from "./components/workloads/requestMetrics.ts";
import { ScheduledJob } from "./components/workloads/scheduledJob.ts";
import { WorkloadIdentity } from "./components/workloads/workloadIdentity.ts";
import { loadConfig } from "./config/config.ts";
import { networkFlows } from "./config/flows.ts";
import { proxyMetrics } from "./config/metrics.ts";
import { proxyRoutes, routeTable } from "./config/routes.ts";
import { proxyName, releaseName } from "./names/kubernetes.ts";
import { loadBalancerPorts } from "./names/ports.ts";

const config = await loadConfig();
const { stack, domain, hosts, edge, edgePaths, tls, dns, certificate } = config;
const gke = config.cluster.kind === "gke" ? config.cluster : undefined;

// The Kubernetes cluster: the stack's own GKE cluster, or an existing one.
const cluster = createCluster(stack, config.cluster, { loadBalancerPorts: edge.onGoogle ? loadBalancerPorts : [] });
const { provider, claimProvider, clusterName, kubeconfig, consoleUrl, workloadsUrl } = cluster;
const namespace = createNamespace({ name: config.namespace, stack, claimProvider }, { provider });

// Network policies come first, so that no pod runs unrestricted.
const policies = config.networkPolicies.enabled
  ? new NetworkPolicies("network-policies", { namespace, flows: networkFlows(config) }, { provider })
  : undefined;
const policiesBefore = (name: string) => policies?.before(name) ?? [];

// Read all build folders before the first service: an unreadable folder then changes nothing.
const registry = createRegistry(stack, config.registry);
const services = config.workloads.map((workload) => {
  return { ...workload, ...imageReference(workload.source.name, workload.source, registry) };
});
const { image: proxyImage } = imageReference(proxyName, config.proxy, registry);

// What the pods of services and proxy have in common.
const pods = { namespace, autopilot: config.cluster.mode === "autopilot", rolloutSeconds: config.rolloutSeconds };

// The services. The proxy waits for the routed ones: a route takes effect once its service answers.
const routes = proxyRoutes(config);
const upstreams = new Set(routes.upstreams.map((upstream) => upstream.service));
const proxyDependsOn: pulumi.Resource[] = [...policiesBefore(proxyName)];
const ready = new Map<string, pulumi.Resource>();
for (const { service, image, imageKey, roles, program, release, schedule } of services) {
  const identity =
    gke !== undefined && roles.length > 0
      ? new WorkloadIdentity(
          `${service}-identity`,
          { project: gke.project, stack, service, namespace, roles },
          { provider, dependsOn: [provider] }, // the cluster brings the identity pool
        )
      : undefined;
  const args = { ...pods, ...program, image, serviceAccount: identity?.serviceAccountName };
  const opts = { provider, dependsOn: policiesBefore(service) };
  if (schedule === undefined) {
    // A release's job waits for its flows, and for the services that it calls.
    const job = release && {
      ...release,
      imageKey,
      dependsOn: [...policiesBefore(releaseName(service)), ...release.after.flatMap((name) => ready.get(name) ?? [])],
    };
    const microservice = new Microservice(service, { ...args, routed: upstreams.has(service), release: job }, opts);
    ready.set(service, microservice.ready);
    proxyDependsOn.push(...microservice.upstream);
  } else {
    new ScheduledJob(service, { ...args, schedule }, opts);
  }
  // Yield, so that registrations flush: queueing 1,000 services doubles time and memory.
  await nextTurn();
}

// The proxy in front of the services. The kind of edge sets its Services' annotations and the drain time of its pods.
const { replicas, resources } = config.proxy;
const proxy = new NginxProxy(
  proxyName,
  { ...pods, image: proxyImage, replicas, resources, routes, metrics: proxyMetrics(config), ...proxySettingsFor(edge) },
  { provider, dependsOn: proxyDependsOn },
);
const { serviceName, grpcServiceName } = proxy;
if (gke !== undefined && config.proxy.metrics.byService)
  new RequestMetrics(`${stack}-requests`, { project: gke.project, stack, clusterName, namespace });

// The edge in front of the proxy: address, DNS, certificates and load balancer. Pulumi deletes it first on destroy.
const edgeOutputs = createEdge(
  { stack, namespace, domain, hosts, edge, edgePaths, tls, dns, certificate, serviceName, grpcServiceName },
  { provider, dependsOn: [proxy] },
);

const images = {
  ...Object.fromEntries(services.map(({ service, image }) => [service, image])),
  [proxyName]: proxyImage,
};
const outputs = {
  url: `${tls.mode === "none" ? "http" : "https"}://${domain}/`,
  routes: proxy.whenInEffect(routeTable(config)), // what they no longer need is deleted after that
  ...edgeOutputs, // address, certificates, and the DNS records that they need
  clusterName,
  kubeconfig,
  consoleUrl,
  workloadsUrl,
  images,
};

// Drop undefined outputs: the CLI warns about them.
export default Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined));
