/** What the proxy routes, as types: what `renderRoutes` takes. */

/** Which requests: those for a host and a path. */
export interface HostPath {
  /** Full DNS name in lower case. @default - every host that has no routes of its own */
  readonly host?: string;
  /** Starts with `/`. With `/` at its end it takes everything below it, otherwise this one path alone. */
  readonly path: string;
}

/** Requests for `host` and `path` go to `service`. */
export interface Route extends HostPath {
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
export interface Redirect extends HostPath {
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
