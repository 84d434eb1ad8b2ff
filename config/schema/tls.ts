/** The shape of how the edge speaks HTTPS, and where its certificate comes from. */
import * as z from "zod";
import { doc } from "./doc.ts";

const redirectHttp = z.boolean().default(true).meta(doc("Answer plain HTTP with a redirect to HTTPS.", false));
const hsts = (days: number) =>
  z
    .strictObject({
      days: z.int().min(0).max(3650).default(days).meta(doc("Days; 0 sends no header.", 365)),
      includeSubdomains: z.boolean().default(false).meta(doc("Whether it holds for all subdomains too.", true)),
    })
    .prefault({})
    .meta(
      doc("How long browsers use HTTPS alone (RFC 6797). They cannot be told otherwise over plain HTTP.", {
        days: 365,
      }),
    );
const file = (what: string, example: string) =>
  z
    .string()
    .min(1)
    .max(500)
    .optional()
    .meta(doc(`${what}, relative to the project. Without it: \`secrets.tls\`.`, example));

export const tls = z
  .discriminatedUnion("mode", [
    z.strictObject({ mode: z.literal("none").meta(doc("Plain HTTP.", "none")) }),
    z.strictObject({
      mode: z.literal("managed").meta(doc("Google issues and renews the certificates.", "managed")),
      redirectHttp,
      hsts: hsts(30),
      wildcard: z
        .boolean()
        .default(false)
        .meta(doc("One certificate for every label under the domain; needs `edge.kind: gateway`.", true)),
    }),
    z.strictObject({
      mode: z.literal("self-signed").meta(doc("The stack's own CA signs it.", "self-signed")),
      redirectHttp,
      hsts: hsts(0),
    }),
    z.strictObject({
      mode: z.literal("supplied").meta(doc("You supply it: as files, or under `secrets.tls`.", "supplied")),
      redirectHttp,
      hsts: hsts(0),
      certFile: file("PEM file with the certificate chain, the leaf first", ".local/tls/tls.crt"),
      keyFile: file("PEM file with the key", ".local/tls/tls.key"),
    }),
  ])
  .prefault({ mode: "self-signed" })
  .meta(doc("How the edge speaks HTTPS, and where its certificate comes from.", { mode: "managed" }));
