/** The local cluster's addresses: one /16 out of 10.0.0.0/8, which `Pulumi.local.yaml` trusts as the edge's. */

/** The device on this machine, and what it is called inside the node's network namespace. */
export const link = { host: "gke-local", node: "node" } as const;
/** This machine's end of the link. */
export const hostAddress = "10.213.0.1";
export const nodeAddress = "10.213.0.2";
export const linkPrefix = 30;
/** Its first address is the bridge's: what pods see as the edge's. */
export const podRange = "10.213.1.0/24";
/** Wide enough for thousands of services. */
export const serviceRange = "10.213.128.0/17";
/** The first address of the range: the API server, for clients in pods. */
export const apiServiceAddress = "10.213.128.1";
export const dnsServiceAddress = "10.213.128.10";
export const apiServer = `https://${nodeAddress}:6443`;
