/** Schema of the stack's DNS records in Cloud DNS. */
import * as z from "zod";
import { doc } from "./doc.ts";

export const dns = z
  .strictObject({
    zone: z
      .string()
      .regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a Cloud DNS zone, such as example-com")
      .optional()
      .meta(
        doc("Resource name (not the DNS name) of an existing zone in the stack's Google Cloud project.", "example-com"),
      ),
    create: z
      .boolean()
      .default(false)
      .meta(doc("Create a zone for the domain. Delegate it from the parent domain to the output `nameServers`.", true)),
    wildcard: z
      .boolean()
      .default(false)
      .meta(doc("Also create a record for `*.<domain>`, so that hosts added later resolve at once.", true)),
  })
  .refine(({ zone, create }) => (zone !== undefined) !== create, "must have exactly one of zone: NAME and create: true")
  .optional()
  .meta(
    doc("DNS records in Cloud DNS for the domain and every host under it. Without it: none.", {
      zone: "example-com",
    }),
  );
