/** The input of `renderRoutes`. */

/** Selects requests by host and path. */
export interface HostPath {
  /** Full DNS name in lower case. @default - every host without its own routes */
  readonly host?: string;
  /** Starts with `/`. A path that ends with `/` matches everything below it; any other matches exactly. */
  readonly path: string;
}

/** Which request headers services get, by the characters of their names beside letters and digits. */
export type HeaderNames = (typeof headerNames)[number];
export const headerNames = ["hyphens", "underscores", "any"] as const;

/** Sends requests for `host` and `path` to `service`. */
export interface Route extends HostPath {
  /** Name of one of the upstreams. */
  readonly service: string;
  /** gRPC uses port 8443 with HTTP/2 over TLS. @default "http" */
  readonly protocol?: "http" | "grpc" | undefined;
  /**
   * Whether the service gets the path with its prefix; gRPC services always do. Only matters if `path` ends with `/`.
   */
  readonly keepPrefix: boolean;
  /** Sends a percentage of clients, chosen by address, to another upstream. @default - none */
  readonly canary?: { readonly service: string; readonly percent: number } | undefined;
  /**
   * Sends requests with a header or cookie to another upstream. The first match wins, before the canary. @default -
   * none
   */
  readonly versions?: readonly Version[] | undefined;
  /** Returns 503 "maintenance" instead of calling the service. @default false */
  readonly maintenance?: boolean | undefined;
  readonly settings?: RequestSettings | undefined;
}

/** Selects a service by the exact value of a header or cookie. */
export interface Version {
  readonly header?: string | undefined;
  readonly cookie?: string | undefined;
  readonly value: string;
  readonly service: string;
}

/**
 * Default read timeout in `nginx.conf`, in seconds. It outlasts the heartbeats of websockets: 25 s for Socket.IO
 * (https://socket.io/docs/v4/server-options/#pinginterval) and SockJS, 30 s for Phoenix.
 */
export const defaultTimeoutSeconds = 35;

/** Default of the largest header of an answer in `nginx.conf`, in KiB. */
export const defaultResponseHeaderKb = 16;

/** Settings of requests; an absent one keeps the value of `nginx.conf`. */
export interface RequestSettings {
  /** Longest pause of the service, or of a client that receives an answer; also for websockets. Seconds. */
  readonly timeoutSeconds?: number | undefined;
  /** Largest request body in MiB; 0 means unlimited, which is also the default for gRPC. */
  readonly maxBodyMb?: number | undefined;
  /** Largest header of an answer in KiB; 4 or more. @default 16 */
  readonly maxResponseHeaderKb?: number | undefined;
  /** False streams bodies in both directions, for server-sent events and large files. gRPC is always streamed. */
  readonly buffering?: boolean | undefined;
  /** By client address; requests over the limit get 429. */
  readonly limit?: Limit | undefined;
  /** Headers added to answers. One of nginx.conf's default headers is replaced; any other is added. */
  readonly responseHeaders?: Readonly<Record<string, string>> | undefined;
}

/** Requests per second, `burst` for short peaks, and concurrent connections. */
export interface Limit {
  readonly requestsPerSecond?: number | undefined;
  /** @default 0 */
  readonly burst?: number | undefined;
  readonly connections?: number | undefined;
}

/** Redirects requests. It keeps the query, and for a path that ends with `/` also the rest of the path. */
export interface Redirect extends HostPath {
  /** A path, or a URL with scheme and host. */
  readonly to: string;
  readonly status: 301 | 302 | 307 | 308;
}

/**
 * Finds a service by its name, without a route. The name is the label under `domain`, or the first path segment, which
 * is stripped. Exact hosts and routes win.
 */
export interface Wildcard {
  readonly by: "subdomain" | "path";
  /** Service names, or prefixes that end in `*`; at least one. The proxy refuses all other names. */
  readonly allow: readonly string[];
  readonly domain: string;
  /** A service's address is `<service>.<suffix>`. */
  readonly suffix: string;
  readonly port: number;
  /** For all services of the wildcard; a limit counts their requests together. */
  readonly settings?: RequestSettings | undefined;
}

/** The address of a service. */
export interface Upstream {
  /** Name of the Kubernetes Service. */
  readonly service: string;
  /** Full cluster DNS name; use one that resolves to each pod. It need not exist yet. */
  readonly address: string;
  readonly port: number;
}

export interface ProxyRoutes {
  /**
   * DNS server of the cluster, `name` or `name:port`; nginx resolves the name once, at start. @default - the pod's own
   * name servers
   */
  readonly resolver?: string | undefined;
  /** How to determine a client's address and scheme. */
  readonly client: {
    /** Networks (CIDR) of the load balancer. nginx ignores X-Forwarded-For and X-Forwarded-Proto from other peers. */
    readonly trustedProxies: readonly string[];
    /** Which entry of X-Forwarded-For is the client; Google appends "client, load balancer". */
    readonly entry: "last" | "second-to-last";
  };
  /** Strict-Transport-Security for answers over HTTPS, unless the service sends its own. @default - none */
  readonly hsts?: { readonly seconds: number; readonly includeSubdomains: boolean } | undefined;
  readonly upstreams: readonly Upstream[];
  readonly routes: readonly Route[];
  /** @default - none */
  readonly redirects?: readonly Redirect[] | undefined;
  /** Memory limit of a pod, from which its bounds follow. MiB. @default 128 */
  readonly memoryMb?: number | undefined;
  /** Concurrent requests of one client in a pod. @default - half of all */
  readonly requestsPerClient?: number | undefined;
  /** @default "hyphens" */
  readonly headerNames?: HeaderNames | undefined;
  /** At most one of each kind. @default - none */
  readonly wildcards?: readonly Wildcard[] | undefined;
}
