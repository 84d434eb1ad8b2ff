/** The client's address and scheme, and the HSTS header. */
import { canonicalNetwork } from "./routeChecks.ts";
import type { ProxyRoutes } from "./model.ts";

/** What follows the client's entry in X-Forwarded-For. */
const afterEntry = { last: "", "second-to-last": ",[^,]*" };

/**
 * Forms of an entry, each with the part that is the address. Some load balancers add the client's port (Azure's
 * Application Gateway), or write IPv6 in brackets (RFC 7239, section 6). Nodes with both protocols may write IPv4 as
 * IPv6 (RFC 4291, 2.5.5.2).
 */
const entryForms = [
  {
    name: "forwarded_v4",
    before: String.raw`(?:::ffff:)?`,
    address: String.raw`[0-9]{1,3}(?:\.[0-9]{1,3}){3}`,
    after: "(?::[0-9]{1,5})?",
  },
  { name: "forwarded_v6", before: "", address: "[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{0,34}:[0-9A-Fa-f.]{0,15}", after: "" },
  {
    name: "forwarded_in_brackets",
    before: String.raw`\[`,
    address: "[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{0,34}:[0-9A-Fa-f.]{0,15}",
    after: String.raw`\](?::[0-9]{1,5})?`,
  },
] as const;

/** Reads the client's own entry. Entries before it came from the client: the proxy neither trusts nor forwards them. */
export function renderClient(client: ProxyRoutes["client"]): string {
  const networks = [...new Set(client.trustedProxies.map(canonicalNetwork))].sort();
  const lines = entryForms.map(
    ({ name, before, address, after }) =>
      `    "~*^1:(?:.*,)?\\s*${before}(?<${name}>${address})${after}\\s*${afterEntry[client.entry]}$" $${name};\n`,
  );
  return `# Peers whose X-Forwarded-For and X-Forwarded-Proto are believed.
geo $peer_is_trusted {
    default 0;
${networks.map((network) => `    ${network} 1;\n`).join("")}}
# The client is the ${client.entry} entry.
map $peer_is_trusted:$http_x_forwarded_for $client_address {
    default $remote_addr;
${lines.join("")}}
# Some edges name a websocket's own scheme.
map $peer_is_trusted:$http_x_forwarded_proto $client_scheme {
    default $scheme;
    "~*^1:(?:http|ws)$" http;
    "~*^1:(?:https|wss)$" https;
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
