/** Settings of the proxy that depend on the edge: annotations of its Services, and the drain time. */
import { gceGrpcAnnotations, gceServiceAnnotations } from "./gceIngress.ts";
import type { GrpcService } from "../workloads/grpcPort.ts";
import { proxyDrainSeconds } from "../workloads/pod.ts";

type Edge =
  | { readonly kind: "gce" | "gateway"; readonly onGoogle: true }
  | { readonly kind: "gateway"; readonly onGoogle: false }
  | { readonly kind: "ingress"; readonly onGoogle: false; readonly grpcServiceAnnotations: Annotations };
type Annotations = Readonly<Record<string, string>>;

/**
 * Contour allows 3 concurrent retries by default. When a proxy pod dies, a whole second of requests needs a retry.
 * https://projectcontour.io/docs/main/config/annotations/#contour-specific-service-annotations
 */
const manyRetries = { "projectcontour.io/max-retries": "1000" };

export const proxySettingsFor = (edge: Edge) => ({
  serviceAnnotations: { gce: gceServiceAnnotations, gateway: {}, ingress: manyRetries }[edge.kind],
  grpcService: grpcServiceOf(edge),
  drainSeconds: edge.onGoogle ? proxyDrainSeconds.google : proxyDrainSeconds.inCluster,
});

function grpcServiceOf(edge: Edge): GrpcService {
  if (edge.kind === "gce") return { annotations: gceGrpcAnnotations };
  // https://cloud.google.com/kubernetes-engine/docs/how-to/secure-gateway#load-balancer-tls
  if (edge.onGoogle) return { appProtocol: "HTTP2" };
  return {
    annotations: {
      // Contour's own annotation. An appProtocol would override it, and there is none for HTTP/2 over TLS.
      // https://projectcontour.io/docs/main/config/annotations/#contour-specific-service-annotations
      "projectcontour.io/upstream-protocol.h2": "grpc",
      ...(edge.kind === "ingress" && edge.grpcServiceAnnotations),
    },
  };
}
