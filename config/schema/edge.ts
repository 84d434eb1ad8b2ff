/** The shape of the edge: what stands in front, and its certificate. */
import * as z from "zod";
import { gateway } from "./gateway.ts";
import { googleEdge } from "./googleEdge.ts";
import { cidr, label } from "./values.ts";

const redirectHttp = z.boolean().default(true);
/** How long browsers shall use HTTPS alone (RFC 6797): 0 is nothing said. They cannot be told otherwise over plain HTTP. */
const hsts = (days: number) =>
  z
    .strictObject({
      days: z.int().min(0).max(3650).default(days),
      includeSubdomains: z.boolean().default(false),
    })
    .prefault({});
const file = z.string().min(1).max(500);

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

export const tls = z
  .discriminatedUnion("mode", [
    z.strictObject({ mode: z.literal("none") }),
    /** Google issues and renews them. A wildcard covers every label under the domain, where the edge can have one. */
    z.strictObject({
      mode: z.literal("managed"),
      redirectHttp,
      hsts: hsts(30),
      wildcard: z.boolean().default(false),
    }),
    z.strictObject({ mode: z.literal("self-signed"), redirectHttp, hsts: hsts(0) }),
    z.strictObject({
      mode: z.literal("supplied"),
      redirectHttp,
      hsts: hsts(0),
      certFile: file.optional(),
      keyFile: file.optional(),
    }),
  ])
  .prefault({ mode: "self-signed" });
