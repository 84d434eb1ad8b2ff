/** Names and labels that the program computes, so that `pulumi up` and `npm start` create the same objects. */
import { createHash } from "node:crypto";
import { googleName } from "./google.ts";

/** The proxy's Deployment and Service, and the Service of its gRPC port. */
export const proxyName = "nginx-proxy";
export const proxyGrpcName = `${proxyName}-grpc`;

/**
 * The edge's object: an Ingress or a Gateway. Local clusters pass the Gateway's name to their controller before it
 * exists.
 */
export const ingressName = "ingress";
export const gatewayName = "gateway";

/**
 * The headless Service of a microservice's pods, for the proxy; docs/upstreams.md explains why there are two Services.
 * Wildcards must not reach it: the prefix lets the proxy refuse such names.
 */
export const podsPrefix = "pods-";
export const podsService = (service: string): string => `${podsPrefix}${service}`;

/** A release's job, before the hash of its content: its pods and its flows have a name of their own, and no Service finds them. */
export const releaseName = (service: string): string => `${service}-release`;

/** The first 10 hex digits of the SHA-256 of the data. The name changes if and only if the content changes. */
export function contentHash(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 10);
}

/** The label with the name of the workload that owns a pod. */
export const nameLabel = "app.kubernetes.io/name";

/** The labels that select a workload's pods. Never change them: a Deployment's selector is immutable. */
export const selectorLabels = (name: string): Record<string, string> => ({ [nameLabel]: name });

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export const commonLabels = (name: string): Record<string, string> => ({
  ...selectorLabels(name),
  "app.kubernetes.io/part-of": "gke-microservices",
});

/** The label of a namespace with the stack that owns it. */
export const stackLabel = "gke-microservices/stack";

/** `project.stack`, shortened with a hash where it is not a label's value of at most 63 characters. */
export function stackLabelValue(project: string, stack: string): string {
  const text = `${project}.${stack}`;
  return /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/.test(text) ? text : googleName(text, 63);
}

/**
 * Text in which Kubernetes expands only `$(NAME)` of the given names. It would expand any `$(NAME)` and `$$`: the `$` that
 * would begin another one is doubled.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
 */
export const literal = (value: string, names: readonly string[] = []): string =>
  value.replaceAll(/\$(?=[$(])(?:\(([^()$]*)\))?/g, (found, name: string | undefined) =>
    name !== undefined && names.includes(name) ? found : `$${found}`,
  );
