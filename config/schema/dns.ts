/** The shape of the stack's records in Cloud DNS. */
import * as z from "zod";

/** Records for the domain and every host under it, at the stack's reserved address. Without this key none are made. */
export const dns = z
  .strictObject({
    /** Name (not the DNS name) of a zone that is there already, in the stack's Google Cloud project. */
    zone: z
      .string()
      .regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a Cloud DNS zone, such as example-com")
      .optional(),
    /** Make a zone for the domain. Whoever holds the domain above it then delegates to the output `nameServers`. */
    create: z.boolean().default(false),
    /** A record for `*.<domain>` as well: a host that is added later is found at once. */
    wildcard: z.boolean().default(false),
  })
  .refine(({ zone, create }) => (zone !== undefined) !== create, "must have exactly one of zone: NAME and create: true")
  .optional();
