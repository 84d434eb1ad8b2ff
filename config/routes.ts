/** The stack's routes, as the proxy's input and as the route table. */
import {
  defaultTimeoutSeconds,
  type ProxyRoutes,
  type Redirect,
  type RequestSettings,
  type Route,
  type Upstream,
  type Wildcard,
} from "../nginx/model.ts";
import { servicesOf } from "../nginx/upstreams.ts";
import { podsService } from "../names/kubernetes.ts";
import { googleFrontEnds } from "../names/ranges.ts";
import { fullHost } from "./hosts.ts";
import { bytesOf } from "../names/quantities.ts";
import type { Settings } from "./schema.ts";
import { longestWait } from "./timeouts.ts";

type RoutedConfig = Pick<Settings, "domain" | "services" | "namespace" | "edge" | "tls" | "proxy">;
type ServiceConfig = Settings["services"][string];
type RouteConfig = ServiceConfig["routes"][number];
export type HostPathsConfig = Pick<RoutedConfig, "domain" | "services" | "edge" | "proxy">;

export function proxyRoutes(config: RoutedConfig): ProxyRoutes {
  const routes = routesOf(config);
  return {
    resolver: config.proxy.resolver,
    client: clientOf(config.edge),
    hsts: hstsOf(config.tls),
    upstreams: upstreamsOf(config, routes),
    routes,
    redirects: redirectsOf(config),
    wildcards: wildcardsOf(config),
    memoryMb: Math.floor(bytesOf(config.proxy.resources.memory) / 2 ** 20),
    requestsPerClient: config.proxy.requestsPerClient,
    headerNames: config.proxy.headerNames,
  };
}

const hostPathOf = ({ host, path }: Pick<RouteConfig, "host" | "path">, domain: string) => ({
  path: path ?? "/",
  ...(host !== undefined && { host: fullHost(host, domain) }),
});

/** A route's protocol overrides that of its service. */
export const protocolOf = (route: RouteConfig, { routeDefaults }: Pick<ServiceConfig, "routeDefaults">) =>
  route.protocol ?? routeDefaults.protocol ?? "http";

/** Every routed or redirected host and path, with its protocol. */
export const hostPathsOf = (config: HostPathsConfig) => [
  ...routesOf(config).map(({ host, path, protocol = "http" }) => ({ host, path, protocol })),
  ...redirectsOf(config).map(({ host, path }) => ({ host, path, protocol: "http" as const })),
];

function routesOf({ domain, services, edge }: Pick<RoutedConfig, "domain" | "services" | "edge">): Route[] {
  const defaults = defaultSettings(edge);
  return Object.entries(services).flatMap(([service, { routes, routeDefaults }]) =>
    routes.map((route) => {
      const { path, host, keepPrefix, canary, versions, maintenance, ...own } = route;
      const { protocol, ...settings } = { ...defaults, ...routeDefaults, ...own };
      return {
        service,
        ...hostPathOf({ path, host }, domain),
        ...(protocol === "grpc" && { protocol }),
        keepPrefix,
        canary,
        versions,
        maintenance,
        settings,
      };
    }),
  );
}

/** Defaults for routes and services. */
function defaultSettings(edge: RoutedConfig["edge"]): RequestSettings {
  const longest = longestWait(edge) ?? defaultTimeoutSeconds;
  return longest === defaultTimeoutSeconds ? {} : { timeoutSeconds: longest };
}

// Google appends "client, load balancer" to X-Forwarded-For; other controllers append only the client.
function clientOf(edge: RoutedConfig["edge"]): ProxyRoutes["client"] {
  return edge.onGoogle
    ? { trustedProxies: googleFrontEnds, entry: "second-to-last" }
    : { trustedProxies: edge.trustedProxies, entry: "last" };
}

function hstsOf(tls: RoutedConfig["tls"]): ProxyRoutes["hsts"] {
  if (tls.mode === "none" || tls.hsts.days === 0) return undefined;
  return { seconds: tls.hsts.days * 24 * 3600, includeSubdomains: tls.hsts.includeSubdomains };
}

function upstreamsOf({ services, namespace }: RoutedConfig, routes: readonly Route[]): Upstream[] {
  const routed = new Set(routes.flatMap(servicesOf));
  return Object.entries(services)
    .filter(([service]) => routed.has(service))
    .flatMap(([service, { port }]) =>
      port === "none" ? [] : [{ service, port, address: `${podsService(service)}.${suffixOf(namespace)}` }],
    );
}

const suffixOf = (namespace: string) => `${namespace}.svc.cluster.local`;

function redirectsOf({ domain, proxy }: Pick<RoutedConfig, "domain" | "proxy">): Redirect[] {
  return proxy.redirects.map((redirect) => ({
    ...hostPathOf(redirect, domain),
    to: redirect.to,
    status: redirect.status,
  }));
}

function wildcardsOf({ domain, namespace, proxy, edge }: RoutedConfig): Wildcard[] {
  return (["subdomain", "path"] as const).flatMap((by) => {
    const wildcard = proxy.wildcards[by];
    if (wildcard === undefined) return [];
    const { allow, port, ...own } = wildcard;
    return { by, allow, port, domain, suffix: suffixOf(namespace), settings: { ...defaultSettings(edge), ...own } };
  });
}

type TableConfig = Pick<RoutedConfig, "domain" | "services" | "edge">;
const tableKey = ({ host, path }: Pick<Route, "host" | "path">, { domain }: TableConfig) => `${host ?? domain}${path}`;

/** Each route and its service, sorted: `{"shop.example.com/hoge/": "hoge"}`. */
export function routeTable(config: TableConfig): Record<string, string> {
  const entries = routesOf(config).map((route) => [tableKey(route, config), route.service] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The routes with a canary, and its service: `{"shop.example.com/hoge/": "hoge-next"}`. */
export const canaryTable = (config: TableConfig): Record<string, string> =>
  Object.fromEntries(
    routesOf(config).flatMap((route) =>
      route.canary === undefined ? [] : [[tableKey(route, config), route.canary.service]],
    ),
  );
