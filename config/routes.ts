/** The stack's routes as the proxy takes them, and as people read them. */
import type { StackConfig } from "../config.ts";
import type { ProxyRoutes, Route } from "../nginx/routes.ts";
import { fullHost } from "./hosts.ts";

type RoutedConfig = Pick<StackConfig, "domain" | "services">;

/** Google's load balancers reach backends from these (https://cloud.google.com/load-balancing/docs/firewall-rules). */
const googleFrontEnds = ["130.211.0.0/22", "35.191.0.0/16"];

function routesOf({ domain, services }: RoutedConfig): Route[] {
  return Object.entries(services).flatMap(([service, settings]) =>
    settings.routes.map(({ path, host, keepPrefix }) => ({
      service,
      path: path ?? "/",
      keepPrefix,
      ...(host !== undefined && { host: fullHost(host, domain) }),
    })),
  );
}

export function proxyRoutes(
  config: Pick<StackConfig, "domain" | "services" | "namespace" | "edge" | "proxy">,
): ProxyRoutes {
  const routes = routesOf(config);
  const routed = new Set(routes.map(({ service }) => service));
  return {
    resolver: config.proxy.resolver,
    // Google appends "client, load balancer" to X-Forwarded-For; other controllers append the client alone.
    client:
      config.edge.kind === "gce"
        ? { trustedProxies: googleFrontEnds, entry: "second-to-last" }
        : { trustedProxies: config.edge.trustedProxies, entry: "last" },
    upstreams: Object.entries(config.services)
      .filter(([service]) => routed.has(service))
      .map(([service, { port }]) => ({ service, port, address: `${service}.${config.namespace}.svc.cluster.local` })),
    routes,
  };
}

/** `{"shop.example.com/hoge/": "hoge"}`: each route and its service, sorted. */
export function routeTable(config: RoutedConfig): Record<string, string> {
  const entries = routesOf(config).map(
    ({ host, path, service }) => [`${host ?? config.domain}${path}`, service] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
