/** Ports that several folders use. `nginx/nginx.conf` has that of health checks. */

/** Of the proxy's pods: requests, gRPC, health checks, the exporter's metrics; nginx's own status is on loopback alone. */
export const proxyPorts = { http: 8080, grpc: 8443, health: 8081, metrics: 9113, status: 8082 } as const;

/** Of the proxy's Services. */
export const proxyServicePorts = { http: 80, grpc: 443 } as const;

/** Answers 200 on the port of health checks while the proxy takes requests. */
export const proxyHealthPath = "/healthz";

/** What a service listens on where its config says nothing. */
export const servicePort = 8080;
