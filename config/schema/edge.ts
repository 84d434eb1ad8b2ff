/** The shape of the edge: what stands in front of the proxy. */
import * as z from "zod";
import { gateway } from "./gateway.ts";
import { googleEdge } from "./googleEdge.ts";
import { cidr, label } from "./values.ts";

/** `onGoogle` says of each kind whether it is Google's load balancer; of a Gateway, its class decides. */
export const edge = z
  .discriminatedUnion("kind", [
    z
      .strictObject({ kind: z.literal("gce"), ...googleEdge })
      .transform((value) => ({ ...value, onGoogle: true as const })),
    gateway,
    z
      .strictObject({
        kind: z.literal("ingress"),
        className: label,
        /** Ranges from which X-Forwarded-* is believed: the ingress controller's own addresses. */
        trustedProxies: z.array(cidr).max(50).default([]),
        annotations: z.record(z.string(), z.string()).default({}),
        /** Of the Service behind gRPC routes, to say that it speaks HTTP/2 over TLS; Contour's own is there. */
        grpcServiceAnnotations: z.record(z.string(), z.string()).default({}),
      })
      .transform((value) => ({ ...value, onGoogle: false as const })),
  ])
  .prefault({ kind: "gce" });
