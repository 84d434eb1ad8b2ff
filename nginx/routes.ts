/** Renders what a stack adds to `nginx.conf`: a pure function from routes to the text that an operator would write by hand. */
import { renderClient, renderHsts } from "./client.ts";
import { isGrpc, renderGrpc } from "./grpc.ts";
import { renderLocations } from "./locations.ts";
import { checkProxy, isHostName, isRoutePath } from "./routeChecks.ts";
import { nameOf, renderLimits, renderTarget, upstreamsOf } from "./targets.ts";
import { byHost, indent, sorted } from "./text.ts";
import { renderBySubdomain, subdomains, wildcardName } from "./wildcards.ts";

export { isHostName, isRoutePath };

/** Where requests are to be found, and what becomes of them. */
interface Place {
  /** Full DNS name in lower case. @default - every host that has no routes of its own */
  readonly host?: string;
  /** Starts with `/`. With `/` at its end it takes everything below it, otherwise this one path alone. */
  readonly path: string;
}

/** Requests for `host` and `path` go to `service`. */
export interface Route extends Place {
  /** Name of one of the upstreams. */
  readonly service: string;
  /** gRPC is taken on port 8443, by HTTP/2 over TLS. @default "http" */
  readonly protocol?: "http" | "grpc" | undefined;
  /** Whether the service sees the path with the prefix, which with gRPC it always does. Matters only where `path` ends with `/`. */
  readonly keepPrefix: boolean;
  /** A share of the clients, by their address, goes to another upstream. @default - none */
  readonly canary?: { readonly service: string; readonly percent: number } | undefined;
  /** Requests with this header or cookie go to another upstream; the first that fits wins, before the canary. @default - none */
  readonly versions?: readonly Version[] | undefined;
  /** Answer 503 "maintenance" instead of asking the service. @default false */
  readonly maintenance?: boolean | undefined;
  readonly settings?: RequestSettings | undefined;
}

/** A header or a cookie of exactly this value selects a service. */
export interface Version {
  readonly header?: string | undefined;
  readonly cookie?: string | undefined;
  readonly value: string;
  readonly service: string;
}

/** How long `nginx.conf` waits for a service, where a route says nothing. Seconds. */
export const usualTimeoutSeconds = 25;

/** What concerns requests; what is absent is as in `nginx.conf`. */
export interface RequestSettings {
  /** Longest silence of a service, or of a client that is being answered; also of a websocket. Seconds. */
  readonly timeoutSeconds?: number | undefined;
  /** Largest request body, MiB; 0 is without limit, which is also what holds for gRPC. */
  readonly maxBodyMb?: number | undefined;
  /** False passes bodies on as they come, in both directions, as gRPC's always are: server-sent events, large uploads and downloads. */
  readonly buffering?: boolean | undefined;
  /** By client address; what is above is answered 429. */
  readonly limit?: Limit | undefined;
  /** Headers of answers: of the usual ones (`nginx.conf`) in their place, others beside what there is. */
  readonly responseHeaders?: Readonly<Record<string, string>> | undefined;
}

/** Requests a second (`burst` more at once), and connections at a time. */
export interface Limit {
  readonly requestsPerSecond?: number | undefined;
  /** @default 0 */
  readonly burst?: number | undefined;
  readonly connections?: number | undefined;
}

/** Requests are sent elsewhere. Of a path that ends with `/`, what is below it is kept, and so is the query. */
export interface Redirect extends Place {
  /** A path, or a URL with scheme and host. */
  readonly to: string;
  readonly status: 301 | 302 | 307 | 308;
}

/**
 * Requests find a service by its name alone, without a route of its own: the label under `domain`, or the first segment of
 * the path, which is stripped. Exact hosts and routes come first.
 */
export interface Wildcard {
  readonly by: "subdomain" | "path";
  /** Names, and beginnings of names that end in `*`; nothing else can be reached. At least one. */
  readonly allow: readonly string[];
  readonly domain: string;
  /** `<service>.<suffix>` is a service's address. */
  readonly suffix: string;
  readonly port: number;
  /** For all services that are found this way; a limit counts the requests to all of them. */
  readonly settings?: RequestSettings | undefined;
}

/** Where a service answers. */
export interface Upstream {
  /** The Kubernetes Service's name. */
  readonly service: string;
  /** Its full cluster DNS name, best one that leads to each of its pods. It need not exist yet. */
  readonly address: string;
  readonly port: number;
}

export interface ProxyRoutes {
  /** DNS server of the cluster, `name` or `name:port`; nginx looks its name up once, at start. */
  readonly resolver: string;
  /** How to learn a client's address and scheme. */
  readonly client: {
    /** Networks (CIDR) of the load balancer. What other peers claim in X-Forwarded-For and X-Forwarded-Proto is ignored. */
    readonly trustedProxies: readonly string[];
    /** Which entry of the load balancer's X-Forwarded-For is the client; Google appends "client, load balancer". */
    readonly entry: "last" | "second-to-last";
  };
  /** What answers over HTTPS say in Strict-Transport-Security, unless the service says something itself. @default - nothing */
  readonly hsts?: { readonly seconds: number; readonly includeSubdomains: boolean } | undefined;
  readonly upstreams: readonly Upstream[];
  readonly routes: readonly Route[];
  /** @default - none */
  readonly redirects?: readonly Redirect[] | undefined;
  /** At most one for each way. @default - none */
  readonly wildcards?: readonly Wildcard[] | undefined;
}

/**
 * The text for `/etc/nginx/routes/routes.conf`. The order of what it is given makes no difference, that of `versions` apart.
 *
 * A host with routes of its own answers with those alone: what they do not match gets "no such route" and does not fall through
 * to the routes without host.
 *
 * @throws Error where a value is not of the closed form that is safe in the text, or two entries contradict each other.
 */
export function renderRoutes(proxy: ProxyRoutes): string {
  checkProxy(proxy);
  const routes = sorted(proxy.routes, ({ host = "", path }) => `${host}${path}`);
  const grpc = routes.filter(isGrpc);
  const grpcAt = byHost(grpc);
  const httpAt = byHost(routes.filter((route) => !isGrpc(route)));
  const redirectsAt = byHost(proxy.redirects);
  const upstreams = upstreamsOf(
    sorted(proxy.upstreams, ({ service }) => service),
    routes,
  );
  const hosts = [...new Set([...routes, ...(proxy.redirects ?? [])].flatMap(({ host }) => host ?? []))].sort();
  const byPath = proxy.wildcards?.find(({ by }) => by === "path");
  const bySubdomain = proxy.wildcards?.find(({ by }) => by === "subdomain");
  return [
    "# Rendered from the stack's config: change it there.\n",
    renderResolver(proxy.resolver),
    renderClient(proxy.client),
    renderHsts(proxy.hsts),
    ...upstreams.map((upstream) => renderUpstream(upstream, keptConnections(upstreams.length))),
    ...routes.flatMap(renderTarget),
    ...routes.flatMap((route) => renderLimits(nameOf(route), route.settings?.limit)),
    ...(proxy.wildcards ?? []).flatMap((wildcard) => renderLimits(wildcardName(wildcard), wildcard.settings?.limit)),
    serverBlock("8080 default_server", "_", renderLocations(httpAt(undefined), redirectsAt(undefined), byPath)),
    ...hosts.map((host) => serverBlock("8080", host, renderLocations(httpAt(host), redirectsAt(host)))),
    // Exact server names win over this one, so a host with routes of its own keeps them.
    ...(bySubdomain === undefined
      ? []
      : [serverBlock("8080", subdomains(bySubdomain), [renderBySubdomain(bySubdomain)])]),
    ...renderGrpc(grpc, [
      ...hosts.filter((host) => grpcAt(host).length === 0),
      ...(bySubdomain === undefined ? [] : [subdomains(bySubdomain)]),
    ]),
  ].join("\n");
}

/**
 * nginx asks for a name again a second after `valid`, whether it exists or not, and twice `resolver_timeout` after a question that nobody
 * answered.
 */
function renderResolver(resolver: string): string {
  return `resolver ${resolver} valid=5s ipv6=off;\nresolver_timeout 1s;\n`;
}

/**
 * Seconds until nginx knows where so many services are: it asks for all at its start, of which a DNS server's socket takes some 250
 * (Linux' default buffer), and for the others again every 2 s.
 */
export const learningSeconds = (services: number): number => 2 * Math.floor(services / 200);

/**
 * nginx takes memory for each connection that it may keep, 170 bytes at its start: with 512 for each of 1,000 services that was 75 of
 * 174 MiB.
 */
const keptConnections = (upstreams: number): number => Math.max(64, Math.min(512, Math.floor(32_768 / upstreams)));

/**
 * `docs/upstreams.md` has the measurements. The zone holds 200 pods. `max_fails=0`: nginx would take a pod that is merely slow on one path
 * for dead, and with the last pod the whole service; a pod that is dead costs one attempt until DNS forgets it.
 *
 * Of many requests at a time each keeps its connection, to all pods together and for each worker (with 32 kept, a load of 512 was
 * a third slower). Idle connections are closed before services close them (Node.js after 5 s): a POST on a connection that is
 * just being closed fails and may not be repeated.
 */
function renderUpstream({ service, address, port }: Upstream, kept: number): string {
  return `upstream ${service} {
    zone ${service} 256k;
    random two least_conn;
    server ${address}:${port} resolve max_fails=0;
    keepalive ${kept};
    keepalive_timeout 4s;
    keepalive_time 60s;
}
`;
}

function serverBlock(listen: string, name: string, locations: readonly string[]): string {
  return `server {
    listen ${listen};
    server_name ${name};

    if ($has_dot_segment) {
        return 400 $answer_bad_path;
    }

${locations.map((block) => `${indent(block)}\n`).join("\n")}
    location @answer {
        return 500 $answer;
    }
    location = /../answer {
        internal;
        return 500 $answer;
    }
}
`;
}
