/** Ports of the edge. Contour's Envoy listens on ports inside the node's network, and forwards this machine's ports to them. */

/** Contour maps the ports 80 and 443 of a Gateway to these. For an Ingress, the same ports are passed as options. */
export const edgePorts = { http: 8080, https: 8443 } as const;

/**
 * TLS settings of Contour: the ciphers of Google's load balancer with a stack's SSL policy (TLS 1.2, RESTRICTED), and
 * TLS 1.3. https://cloud.google.com/load-balancing/docs/ssl-policies-concepts#defining_an_ssl_policy
 */
export const edgeTls = {
  "minimum-protocol-version": "1.2",
  "maximum-protocol-version": "1.3",
  "cipher-suites": ["ECDSA", "RSA"].flatMap((key) =>
    ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map((cipher) => `ECDHE-${key}-${cipher}`),
  ),
};

/** Where Envoy listens on this machine. */
export interface ListenAddress {
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
}

/**
 * Static configuration of Envoy, in addition to Contour's. Envoy runs in the node's network namespace, where its ports
 * are free. It also opens two ports in the namespace of process 1, which is this machine's. It forwards connections
 * there as TCP, with the client's address in the PROXY protocol
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 */
export function envoySettings({ address, httpPort, httpsPort }: ListenAddress) {
  const outside = { http: httpPort, https: httpsPort };
  const names = ["http", "https"] as const;
  return {
    static_resources: {
      listeners: names.map((name) => ({
        name: `machine-${name}`,
        address: {
          socket_address: { address, port_value: outside[name], network_namespace_filepath: "/proc/1/ns/net" },
        },
        filter_chains: [
          {
            filters: [
              {
                name: "envoy.filters.network.tcp_proxy",
                typed_config: {
                  ...type("filters.network.tcp_proxy.v3.TcpProxy"),
                  stat_prefix: `machine-${name}`,
                  cluster: `edge-${name}`,
                },
              },
            ],
          },
        ],
      })),
      clusters: names.map((name) => ({
        name: `edge-${name}`,
        load_assignment: { cluster_name: `edge-${name}`, endpoints: [{ lb_endpoints: [endpoint(edgePorts[name])] }] },
        transport_socket: {
          name: "envoy.transport_sockets.upstream_proxy_protocol",
          typed_config: {
            ...type("transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"),
            transport_socket: {
              name: "envoy.transport_sockets.raw_buffer",
              typed_config: type("transport_sockets.raw_buffer.v3.RawBuffer"),
            },
          },
        },
      })),
    },
  };
}

const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });
const endpoint = (port: number) => ({
  endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
});
