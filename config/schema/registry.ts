/** The shape of where images go. */
import * as z from "zod";
import { doc } from "./doc.ts";

export const registry = z
  .discriminatedUnion("kind", [
    z
      .strictObject({
        kind: z
          .literal("artifact-registry")
          .meta(
            doc("The program builds images and pushes them to a registry of the stack's own.", "artifact-registry"),
          ),
        keep: z
          .int()
          .min(1)
          .max(1000)
          .optional()
          .meta(
            doc(
              "Newest versions of each image that are kept, however old; others go after 30 days. Without it: 30.",
              50,
            ),
          ),
        scan: z
          .boolean()
          .default(true)
          .meta(
            doc(
              "Scan what is pushed for known vulnerabilities, at a price for each image. It is enabled for the whole project.",
              false,
            ),
          ),
        immutableTags: z
          .boolean()
          .default(false)
          .meta(
            doc("Let Google refuse to move or delete a tag. Images run by digest in any case; excludes `keep`.", true),
          ),
      })
      .refine(
        ({ keep, immutableTags }) => keep === undefined || !immutableTags,
        "has keep, which can delete nothing where immutableTags is true: Google deletes no tagged image there; remove one of the two",
      ),
    z.strictObject({
      kind: z.literal("node").meta(doc("Images are on the node already: `npm start` puts them there.", "node")),
    }),
  ])
  .prefault({ kind: "artifact-registry" })
  .meta(doc("Where images that the stack builds go.", { kind: "artifact-registry", keep: 50 }));
