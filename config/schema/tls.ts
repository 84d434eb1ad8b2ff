/** Schema of HTTPS at the edge, and of its certificate. */
import * as z from "zod";
import { doc } from "./doc.ts";

const redirectHttp = z.boolean().default(true).meta(doc("Redirect plain HTTP to HTTPS.", false));
const hsts = (days: number) =>
  z
    .strictObject({
      days: z.int().min(0).max(3650).default(days).meta(doc("Days; 0 sends no header.", 365)),
      includeSubdomains: z.boolean().default(false).meta(doc("Whether it also applies to all subdomains.", true)),
    })
    .prefault({})
    .meta(
      doc("How long browsers use only HTTPS (RFC 6797). You cannot revoke it over plain HTTP.", {
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
      fallback: z
        .enum(["none", "self-signed", "supplied"])
        .optional()
        .meta(
          doc(
            "What serves a host until Google has issued its certificate; `supplied` is `secrets.tls`. Default: `self-signed` for `edge.kind: gce`, `none` for a Gateway.",
            "self-signed",
            "0.3.0",
          ),
        ),
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
  .meta(doc("HTTPS at the edge, and the source of its certificate.", { mode: "managed" }));
