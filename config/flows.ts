/** Network connections between the workloads of a stack, derived from its config. */
import { isIPv4 } from "node:net";
import type { Flows, ServiceFlows } from "../components/workloads/networkPolicies.ts";
import { releaseName } from "../names/kubernetes.ts";
import { proxyPorts } from "../names/ports.ts";
import { isGrpc } from "../nginx/upstreams.ts";
import type { Wildcard } from "../nginx/model.ts";
import { metricsPort, proxyMetrics } from "./metrics.ts";
import { proxyRoutes } from "./routes.ts";
import type { Settings } from "./schema.ts";
import { callsOf } from "./variables.ts";

type FlowsConfig = Parameters<typeof proxyRoutes>[0] &
  Pick<Settings, "networkPolicies"> & { readonly cluster: Pick<Settings["cluster"], "kind" | "mode"> };

/** Google's managed collectors. https://docs.cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed */
const googleCollectors = ["gmp-system", "gke-gmp-system"];

export function networkFlows(config: FlowsConfig): Flows {
  const { namespace, cluster, edge, proxy } = config;
  const { upstreams, routes, wildcards = [], client } = proxyRoutes(config);
  const onGke = cluster.kind === "gke";
  const scrape = proxyMetrics(config)?.scrape;
  const collectors = scrape === "google" ? googleCollectors : [];
  const names = Object.keys(config.services);
  const routed = new Set(upstreams.map(({ service }) => service));
  return {
    namespace,
    dns: [...config.networkPolicies.dns, ...(isIPv4(proxy.resolver ?? "") ? [`${proxy.resolver ?? ""}/32`] : [])],
    proxy: {
      // Google checks health on a separate port. Other controllers use the request port, or do not check at all.
      ports: [
        proxyPorts.http,
        ...(edge.onGoogle ? [proxyPorts.health] : []),
        ...(routes.some(isGrpc) ? [proxyPorts.grpc] : []),
      ],
      // The load balancer connects from the proxies that nginx trusts.
      from: client.trustedProxies,
      // Cilium-based engines identify pods by label only and ignore IP ranges for them.
      fromPods: !edge.onGoogle,
      metrics: scrape === undefined ? undefined : { port: proxyPorts.metrics, namespaces: collectors },
      wildcards: wildcards.map(({ by, port, allow }) => ({
        by,
        port,
        // Nothing listens in a worker, nor in a schedule.
        services: names.filter((name) => matchesAny(allow, name) && config.services[name]?.port !== "none"),
      })),
    },
    services: Object.fromEntries(
      Object.entries(config.services).flatMap(
        ([name, { port, ports, egress, roles, metrics, release, ...service }]) => {
          const outgoing = { calls: callsOf(service), egress, hasRoles: onGke && roles.length > 0 };
          const flows: ServiceFlows = {
            ...outgoing,
            ports: [...(port === "none" ? [] : [port]), ...Object.values(ports)],
            routed: routed.has(name),
            metrics:
              metrics === undefined || scrape === undefined
                ? undefined
                : { port: metricsPort({ port, metrics }), namespaces: collectors },
          };
          // A release's job reaches what the service does, and nothing reaches the job.
          const job: ServiceFlows = { ...outgoing, ports: [], routed: false };
          return [[name, flows] as const, ...(release === undefined ? [] : [[releaseName(name), job] as const])];
        },
      ),
    ),
  };
}

const matchesAny = (allow: Wildcard["allow"], name: string): boolean =>
  allow.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
