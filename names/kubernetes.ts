/** Names and labels that the program computes itself, so that both engines make the same objects. */
import { createHash } from "node:crypto";

/** The proxy's Deployment and Service, and the Service of its port for gRPC. */
export const proxyName = "nginx-proxy";
export const proxyGrpcName = `${proxyName}-grpc`;

/** The edge's object: an Ingress or a Gateway. Local clusters name the Gateway to their controller before it is there. */
export const ingressName = "ingress";
export const gatewayName = "gateway";

/**
 * The headless Service of a microservice's pods, for the proxy (docs/upstreams.md says why there are two). Wildcards must
 * not lead to it: with a beginning of its own that can be refused.
 */
export const podsPrefix = "pods-";
export const podsService = (service: string): string => `${podsPrefix}${service}`;

/** The first 10 hex digits of the SHA-256 of the data: a name that changes with the content and only with it. */
export function contentHash(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 10);
}

/** The label that says whose pods they are. */
export const nameLabel = "app.kubernetes.io/name";

/** The labels that select a workload's pods. They never change: a Deployment's selector is immutable. */
export const selectorLabels = (name: string): Record<string, string> => ({ [nameLabel]: name });

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export const commonLabels = (name: string): Record<string, string> => ({
  ...selectorLabels(name),
  "app.kubernetes.io/part-of": "gke-microservices",
});
