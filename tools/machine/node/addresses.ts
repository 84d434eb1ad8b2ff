/** Addresses of the local cluster: a /16 in 10.0.0.0/8, which `Pulumi.local.yaml` trusts as addresses of the edge. */

/** Names of the link's network device: on this machine, and in the node's network namespace. */
export const link = { host: "gke-local", node: "node" } as const;
/** Address of this machine's end of the link. */
export const hostAddress = "10.213.0.1";
export const nodeAddress = "10.213.0.2";
export const linkPrefix = 30;
/** Range of the pods. They see its first address as the edge's. */
export const podRange = "10.213.1.0/24";
/** Range of the Services, large enough for thousands of them. */
export const serviceRange = "10.213.128.0/17";
/** The API server's Service, always the first address of the range. */
export const apiServiceAddress = "10.213.128.1";
export const dnsServiceAddress = "10.213.128.10";
export const apiServer = `https://${nodeAddress}:6443`;
/** metrics-server, and the Service by which the API server asks it. */
export const metricsService = { host: "metrics-server.kube-system.svc", port: 4443 };
