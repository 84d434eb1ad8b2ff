/** The shape of the stack's records in Cloud DNS. */
import * as z from "zod";
import { doc } from "./doc.ts";

export const dns = z
  .strictObject({
    zone: z
      .string()
      .regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a Cloud DNS zone, such as example-com")
      .optional()
      .meta(
        doc(
          "Name (not the DNS name) of a zone that is there already, in the stack's Google Cloud project.",
          "example-com",
        ),
      ),
    create: z
      .boolean()
      .default(false)
      .meta(
        doc("Make a zone for the domain. Whoever holds the domain above delegates to the output `nameServers`.", true),
      ),
    wildcard: z
      .boolean()
      .default(false)
      .meta(doc("Make a record for `*.<domain>` as well: a host that is added later is found at once.", true)),
  })
  .refine(({ zone, create }) => (zone !== undefined) !== create, "must have exactly one of zone: NAME and create: true")
  .optional()
  .meta(
    doc("Records in Cloud DNS for the domain and every host under it. Without this key, none are made.", {
      zone: "example-com",
    }),
  );
