/** Who talks to whom in a stack, as its config says it. */
import { isIPv4 } from "node:net";
import type { Flows } from "../components/workloads/networkPolicies.ts";
import { proxyPorts } from "../names/ports.ts";
import { isGrpc } from "../nginx/grpc.ts";
import type { Wildcard } from "../nginx/model.ts";
import { proxyMetrics } from "./metrics.ts";
import { proxyRoutes } from "./routes.ts";
import type { Settings } from "./schema.ts";

type FlowsConfig = Parameters<typeof proxyRoutes>[0] &
  Pick<Settings, "networkPolicies"> & { readonly cluster: { readonly kind: string } };

/** Google's managed collectors. https://docs.cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed */
const googleCollectors = ["gmp-system", "gke-gmp-system"];

export function networkFlows(config: FlowsConfig): Flows {
  const { namespace, cluster, edge, proxy } = config;
  const { upstreams, routes, wildcards = [], client } = proxyRoutes(config);
  const onGke = cluster.kind === "gke";
  const scrape = proxyMetrics(config)?.scrape;
  const names = Object.keys(config.services);
  const routed = new Set(upstreams.map(({ service }) => service));
  return {
    namespace,
    onGke,
    dns: [...config.networkPolicies.dns, ...(isIPv4(proxy.resolver) ? [`${proxy.resolver}/32`] : [])],
    proxy: {
      // Health checks have a port of their own; other controllers than Google's ask at that of requests, or not at all.
      ports: [
        proxyPorts.http,
        ...(edge.onGoogle ? [proxyPorts.health] : []),
        ...(routes.some(isGrpc) ? [proxyPorts.grpc] : []),
      ],
      // Whose word on the client is taken is who stands in front.
      from: client.trustedProxies,
      // Engines made of Cilium know pods by their labels alone, whatever ranges say.
      fromPods: !edge.onGoogle,
      metrics:
        scrape === undefined
          ? undefined
          : { port: proxyPorts.metrics, namespaces: scrape === "google" ? googleCollectors : [] },
      wildcards: wildcards.map(({ by, port, allow }) => ({
        by,
        port,
        services: names.filter((name) => takesIn(allow, name)),
      })),
    },
    services: Object.fromEntries(
      Object.entries(config.services).map(([name, { port, calls, egress, roles }]) => [
        name,
        {
          port,
          routed: routed.has(name),
          calls,
          egress,
          hasRoles: onGke && roles.length > 0,
        },
      ]),
    ),
  };
}

const takesIn = (allow: Wildcard["allow"], name: string): boolean =>
  allow.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
