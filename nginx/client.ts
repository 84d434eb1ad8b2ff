/** The client's address and scheme, and the HSTS header. */
import { canonicalNetwork } from "./routeChecks.ts";
import type { ProxyRoutes } from "./model.ts";

/** What follows the client's entry in X-Forwarded-For. */
const afterEntry = { last: "", "second-to-last": ",[^,]*" };

/** Reads the client's own entry. Entries before it came from the client: the proxy neither trusts nor forwards them. */
export function renderClient(client: ProxyRoutes["client"]): string {
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

/** Sets HSTS for answers over HTTPS, unless the service sends its own. `nginx.conf` adds the header. */
export function renderHsts(hsts: ProxyRoutes["hsts"]): string {
  if (hsts === undefined) return `map "" $hsts {\n    default "";\n}\n`;
  const value = `max-age=${hsts.seconds}${hsts.includeSubdomains ? "; includeSubDomains" : ""}`;
  return `map $client_scheme:$upstream_http_strict_transport_security $hsts {
    default "";
    https: "${value}";
}
`;
}
