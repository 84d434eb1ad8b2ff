/** The shape of an edge that speaks the Gateway API. */
import * as z from "zod";
import { cidr, label } from "./values.ts";

export const gateway = z.strictObject({
  kind: z.literal("gateway"),
  className: label,
  /** Ranges from which X-Forwarded-* is believed: the gateway's own addresses. */
  trustedProxies: z.array(cidr).max(50).default([]),
});
