/**
 * Renders separate servers for gRPC, on a port with TLS and HTTP/2. Google's load balancer uses either HTTP/1.1 or
 * HTTP/2 over TLS for a backend, and websockets fail over HTTP/2.
 * https://cloud.google.com/load-balancing/docs/https#using_grpc
 */
import { boundDirectives, type Bounds } from "./bounds.ts";
import { defaultTimeoutSeconds, type RequestSettings, type Route } from "./model.ts";
import { limitDirectives } from "./limits.ts";
import { nameOf, byHost, indent, inValue, noHost, sorted } from "./text.ts";
import { chosenService } from "./canaries.ts";
import { upstreamName } from "./upstreams.ts";
import { proxyPorts } from "../names/ports.ts";

/** Mount path of `tls.crt` and `tls.key` for the port. */
export const grpcTlsFolder = "/etc/nginx/grpc-tls";

/** Maps nginx's own HTTP errors to a gRPC status and message. */
interface Answer {
  readonly name: string;
  readonly statuses: readonly number[];
  /** https://grpc.io/docs/guides/status-codes/ */
  readonly status: number;
  readonly message: string;
  /** Whether nginx knows the route at this point. */
  readonly ofService: boolean;
}

const answers: readonly Answer[] = [
  { name: "bad_path", statuses: [400], status: 3, message: "path with dot segments", ofService: false },
  { name: "no_route", statuses: [404], status: 12, message: "no such route", ofService: false },
  { name: "too_large", statuses: [413], status: 8, message: "body too large", ofService: false },
  { name: "too_many", statuses: [429], status: 8, message: "too many requests", ofService: true },
  // `nginx.conf` has its two messages.
  { name: "down", statuses: [500, 502], status: 14, message: "$grpc_failure", ofService: true },
  { name: "maintenance", statuses: [503], status: 14, message: "maintenance", ofService: true },
  { name: "slow", statuses: [408, 504], status: 4, message: "too slow", ofService: true },
];

/** The prefixes of the proxy's `grpc-message` values. They distinguish the proxy's answers from a service's. */
export const grpcMessages: readonly string[] = [
  "service unknown or down",
  "no valid response",
  ...answers.map(({ message }) => message).filter((message) => !message.startsWith("$")),
];

/**
 * The servers for gRPC routes; empty without such routes.
 * @param routes of gRPC, sorted
 * @param others names of servers that have routes, but none of gRPC
 */
export function renderGrpc(routes: readonly Route[], others: readonly string[], bounds: Bounds): string[] {
  if (routes.length === 0) return [];
  const hosts = [...new Set(routes.flatMap(({ host }) => host ?? []))];
  const at = byHost(routes);
  const everywhere = at(undefined);
  const listen = `${proxyPorts.grpc} ssl`;
  return [
    `# gRPC, by HTTP/2 over TLS. Nobody verifies the certificate.
ssl_certificate ${grpcTlsFolder}/tls.crt;
ssl_certificate_key ${grpcTlsFolder}/tls.key;
`,
    renderServer(`${listen} default_server`, ["_"], everywhere, bounds),
    ...hosts.map((host) => renderServer(listen, [host], at(host), bounds)),
    // Hosts with their own routes answer only for those, and a service needs to know its host.
    ...(everywhere.length > 0 ? [renderServer(listen, [noHost, ...others], [], bounds)] : []),
  ];
}

/** The body size is unlimited: a stream has no meaningful size, and the receiving service limits each message. */
function renderServer(listen: string, names: readonly string[], routes: readonly Route[], bounds: Bounds): string {
  const longestFirst = [...routes].sort((a, b) => b.path.length - a.path.length);
  const locations = [
    ...longestFirst.map((route) => renderRoute(route, bounds)),
    ...(routes.some(({ path }) => path === "/") ? [] : ["location / {\n    return 404;\n}"]),
  ];
  return `server {
    listen ${listen};
    http2 on;
    server_name ${names.join("\n        ")};

    default_type application/grpc;
    add_header_inherit off;
    client_max_body_size 0;
    client_body_timeout ${defaultTimeoutSeconds}s;
${indent(boundDirectives(bounds).join("\n"))}

    if ($has_dot_segment) {
        return 400;
    }

${locations.map((block) => `${indent(block)}\n`).join("\n")}
${indent(answers.map(renderAnswer).join("\n"))}
}
`;
}

/** Forwards the whole path: it is the method's name. */
function renderRoute(route: Route, bounds: Bounds): string {
  const { service, path, settings = {} } = route;
  const chosen = chosenService(route);
  const body =
    route.maintenance === true
      ? [`set $service ${service};`, "return 503;"]
      : [
          `set $service ${chosen};`,
          ...settingDirectives(settings),
          ...limitDirectives(nameOf(route), settings, bounds, undefined),
          `grpc_pass grpc://${upstreamName(chosen, route)};`,
        ];
  return `# ${service}\nlocation ${path.endsWith("/") ? "" : "= "}${path} {\n${indent(body.join("\n"))}\n}`;
}

/** Bodies are not buffered, so a streaming client may pause as long as the service. */
function settingDirectives({
  timeoutSeconds,
  maxBodyMb,
  maxResponseHeaderKb,
  responseHeaders,
}: RequestSettings): string[] {
  return [
    ...(timeoutSeconds === undefined
      ? []
      : ["grpc_read_timeout", "grpc_send_timeout", "client_body_timeout"].map((name) => `${name} ${timeoutSeconds}s;`)),
    ...(maxBodyMb === undefined ? [] : [`client_max_body_size ${maxBodyMb}m;`]),
    ...(maxResponseHeaderKb === undefined ? [] : [`grpc_buffer_size ${maxResponseHeaderKb}k;`]),
    ...sorted(Object.entries(responseHeaders ?? {}), ([name]) => name).map(
      ([name, value]) => `add_header ${name} "${inValue(value)}" always;`,
    ),
  ];
}

/**
 * An answer that is only trailers, with HTTP status 200. Clients take any other status for an HTTP failure and ignore
 * the rest.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
function renderAnswer({ name, statuses, status, message, ofService }: Answer): string {
  const grpcMessage = `${message}${ofService ? ": $service" : ""}; request $proxy_request_id`;
  return `error_page ${statuses.join(" ")} = @${name};
location @${name} {
    add_header grpc-status ${status} always;
    add_header grpc-message "${grpcMessage}" always;
    return 200;
}`;
}
