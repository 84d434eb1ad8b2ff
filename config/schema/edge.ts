/** Schema of the edge: the load balancer in front of the proxy. */
import * as z from "zod";
import { gateway } from "./gateway.ts";
import { googleEdge } from "./googleEdge.ts";
import { annotations, cidr, objectName } from "./values.ts";
import { doc } from "./doc.ts";

/** `onGoogle` tells whether the edge is Google's load balancer; for a Gateway, its class decides. */
export const edge = z
  .discriminatedUnion("kind", [
    z
      .strictObject({
        kind: z.literal("gce").meta(doc("An Ingress for Google's global load balancer.", "gce")),
        ...googleEdge,
      })
      .transform((value) => ({ ...value, onGoogle: true as const })),
    gateway,
    z
      .strictObject({
        kind: z.literal("ingress").meta(doc("An Ingress of another controller.", "ingress")),
        className: objectName.meta(doc("The IngressClass, which selects the controller.", "contour")),

        trustedProxies: z
          .array(cidr)
          .max(50)
          .default([])
          .meta(
            doc("Ranges whose X-Forwarded-* headers the proxy trusts: the controller's own addresses.", ["10.0.0.0/8"]),
          ),
        annotations: annotations.default({}).meta(doc("Annotations of the Ingress.", { "example.com/timeout": "60s" })),

        grpcServiceAnnotations: annotations.default({}).meta(
          doc("Annotations of the Service behind gRPC routes that select HTTP/2 over TLS. Contour's is preset.", {
            "example.com/protocol": "h2",
          }),
        ),
      })
      .transform((value) => ({ ...value, onGoogle: false as const })),
  ])
  .prefault({ kind: "gce" })
  .meta(
    doc("The load balancer in front of the proxy.", {
      kind: "ingress",
      className: "contour",
      trustedProxies: ["10.0.0.0/8"],
    }),
  );
