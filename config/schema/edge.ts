/** The shape of the entrance: what stands in front, and its certificate. */
import * as z from "zod";
import { cidr, label } from "./values.ts";

const redirectHttp = z.boolean().default(true);
const file = z.string().min(1).max(500);

export const edge = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("gce") }),
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
    z.strictObject({ mode: z.literal("self-signed"), redirectHttp }),
    z.strictObject({
      mode: z.literal("supplied"),
      redirectHttp,
      certFile: file.optional(),
      keyFile: file.optional(),
    }),
  ])
  .prefault({ mode: "self-signed" });
