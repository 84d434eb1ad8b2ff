/** Renders what a stack adds to `nginx.conf`: a pure function from routes to the text that an operator would write by hand. */
import { canonicalNetwork, checkProxy, isHostName, isRoutePath } from "./routeChecks.ts";

export { isHostName, isRoutePath };

/** Requests for `host` and `path` go to `service`. */
export interface Route {
  /** Name of one of the upstreams. */
  readonly service: string;
  /** Full DNS name in lower case. @default - every host that has no routes of its own */
  readonly host?: string;
  /** Starts with `/`. With `/` at its end it takes everything below it, otherwise this one path alone. */
  readonly path: string;
  /** Whether the service sees the path with the prefix. Matters only where `path` ends with `/`. */
  readonly keepPrefix: boolean;
}

/** Where a service answers. */
export interface Upstream {
  /** The Kubernetes Service's name. */
  readonly service: string;
  /** Its full cluster DNS name. It need not exist yet. */
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
  readonly upstreams: readonly Upstream[];
  readonly routes: readonly Route[];
}

/**
 * The text for `/etc/nginx/routes/routes.conf`. The order of what it is given makes no difference.
 *
 * A host with routes of its own answers with those alone: what they do not match gets "no such route" and does not fall through
 * to the routes without host.
 *
 * @throws Error where a value is not of the closed form that is safe in the text, or two entries contradict each other.
 */
export function renderRoutes(proxy: ProxyRoutes): string {
  checkProxy(proxy);
  const hosts = [...new Set(proxy.routes.flatMap(({ host }) => host ?? []))].sort();
  return [
    "# Rendered from the stack's config: change it there.\n",
    renderResolver(proxy.resolver),
    renderClient(proxy.client),
    ...sorted(proxy.upstreams, ({ service }) => service).map(renderUpstream),
    renderServer(
      undefined,
      proxy.routes.filter(({ host }) => host === undefined),
    ),
    ...hosts.map((name) =>
      renderServer(
        name,
        proxy.routes.filter(({ host }) => host === name),
      ),
    ),
  ].join("\n");
}

/** A name that does not resolve is asked for again after `resolver_timeout`, one that does after `valid`. */
function renderResolver(resolver: string): string {
  return `resolver ${resolver} valid=5s ipv6=off;\nresolver_timeout 5s;\n`;
}

/** What follows the client's entry in X-Forwarded-For. */
const afterEntry = { last: "", "second-to-last": ",[^,]*" };

/** What stands before the client's entry came from the client: it is neither believed nor passed on. */
function renderClient(client: ProxyRoutes["client"]): string {
  const networks = [...new Set(client.trustedProxies.map(canonicalNetwork))].sort();
  return `# Peers whose X-Forwarded-For and X-Forwarded-Proto are believed.
geo $peer_is_trusted {
    default 0;
${networks.map((network) => `    ${network} 1;\n`).join("")}}
# The client is the ${client.entry} entry.
map $peer_is_trusted:$http_x_forwarded_for $client_address {
    default $remote_addr;
    "~^1:(?:.*,)?\\s*(?<forwarded_client>[0-9A-Fa-f.:]{2,45})\\s*${afterEntry[client.entry]}$" $forwarded_client;
}
map $peer_is_trusted:$http_x_forwarded_proto $client_scheme {
    default $scheme;
    "1:http" http;
    "1:https" https;
}
`;
}

/**
 * Idle connections are closed before services close them (Node.js after 5 s): a POST on a connection that is just being
 * closed fails and may not be repeated. `keepalive_time` spreads connections over pods that came later.
 */
function renderUpstream({ service, address, port }: Upstream): string {
  return `upstream ${service} {
    zone ${service} 64k;
    server ${address}:${port} resolve;
    keepalive 32;
    keepalive_timeout 4s;
    keepalive_time 60s;
}
`;
}

function renderServer(host: string | undefined, routes: readonly Route[]): string {
  const paths = new Set(routes.map(({ path }) => path));
  const blocks = longestFirst(routes).map((route) => renderRoute(route, paths));
  if (!paths.has("/")) blocks.push("location / {\n    return 404 $answer_no_route;\n}");
  return `server {
    listen 8080${host === undefined ? " default_server" : ""};
    server_name ${host ?? "_"};

    if ($has_dot_segment) {
        return 400 $answer_bad_path;
    }

${blocks.map((block) => `${indent(block)}\n`).join("\n")}
    error_page 502 @down;
    error_page 504 @slow;
    error_page 413 @too_large;
    location @down {
        return 502 $answer_down;
    }
    location @slow {
        return 504 $answer_slow;
    }
    location @too_large {
        return 413 $answer_too_large;
    }
}
`;
}

function renderRoute(route: Route, paths: ReadonlySet<string>): string {
  const { service, path } = route;
  const isPrefix = path.endsWith("/");
  const bare = path.slice(0, -1);
  const strips = isPrefix && path !== "/" && !route.keepPrefix;
  const blocks = [`# ${service}`];
  if (isPrefix && path !== "/" && !paths.has(bare)) {
    blocks.push(`location = ${bare} {\n    return 308 ${path}$is_args$args;\n}`);
  }
  blocks.push(
    strips
      ? stripping(service, bare)
      : `location ${isPrefix ? "" : "= "}${path} {
    set $service ${service};
    proxy_pass http://${service};
}`,
  );
  return blocks.join("\n");
}

/**
 * The prefix is cut from what the client sent, byte by byte: `rewrite` and `proxy_pass http://service/` would decode `%2F`.
 * A path that is below the prefix only once it is decoded (`/hoge%2Fx`) did not name this route.
 */
function stripping(service: string, prefix: string): string {
  return `location ${prefix}/ {
    set $service ${service};
    set $stripped_prefix ${prefix};
    if ($request_uri !~ "^${prefix.replaceAll(".", String.raw`\.`)}(?<below_prefix>/.*)$") {
        return 404 $answer_no_route;
    }
    proxy_pass http://${service}$below_prefix;
}`;
}

function longestFirst(routes: readonly Route[]): Route[] {
  return sorted(routes, ({ path }) => path).sort((a, b) => b.path.length - a.path.length);
}

/** By code unit, so that the text does not depend on a locale. */
function sorted<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "    ");
}
