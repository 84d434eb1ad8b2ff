/** The shape of how the edge speaks HTTPS, and where its certificate comes from. */
import * as z from "zod";

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
