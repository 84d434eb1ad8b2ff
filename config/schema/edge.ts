/** The shape of the entrance: what stands in front, and its certificate. */
import * as z from "zod";
import { gateway } from "./gateway.ts";
import { googleEdge } from "./googleEdge.ts";
import { cidr, label } from "./values.ts";

const redirectHttp = z.boolean().default(true);
const file = z.string().min(1).max(500);

export const edge = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("gce"), ...googleEdge }),
    gateway,
    z.strictObject({
      kind: z.literal("ingress"),
      className: label,
      /** Ranges from which X-Forwarded-* is believed: the ingress controller's own addresses. */
      trustedProxies: z.array(cidr).max(50).default([]),
      annotations: z.record(z.string(), z.string()).default({}),
    }),
  ])
  .prefault({ kind: "gce" });

export const tls = z
  .discriminatedUnion("mode", [
    z.strictObject({ mode: z.literal("none") }),
    /** Google issues and renews them. A wildcard covers every label under the domain, where the edge can have one. */
    z.strictObject({ mode: z.literal("managed"), redirectHttp, wildcard: z.boolean().default(false) }),
    z.strictObject({ mode: z.literal("self-signed"), redirectHttp }),
    z.strictObject({
      mode: z.literal("supplied"),
      redirectHttp,
      certFile: file.optional(),
      keyFile: file.optional(),
    }),
  ])
  .prefault({ mode: "self-signed" });
