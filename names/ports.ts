/** Ports that several folders use. `nginx/nginx.conf` repeats the health check port. */

/**
 * Container ports of the proxy: requests, gRPC, health checks, exported metrics. nginx's own status listens on loopback
 * only.
 */
export const proxyPorts = { http: 8080, grpc: 8443, health: 8081, metrics: 9113, status: 8082 } as const;

/** Those that a load balancer of Google's connects to. gRPC is always among them, so that a new route needs no rule. */
export const loadBalancerPorts: readonly number[] = [proxyPorts.http, proxyPorts.grpc, proxyPorts.health];

/** Ports of the proxy's Services. */
export const proxyServicePorts = { http: 80, grpc: 443 } as const;

/** Returns 200 on the health check port while the proxy accepts requests. */
export const proxyHealthPath = "/healthz";

/** Default port of a service. */
export const servicePort = 8080;
