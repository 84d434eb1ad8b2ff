/** Schema of the image registry. */
import * as z from "zod";
import { doc } from "./doc.ts";

export const registry = z
  .discriminatedUnion("kind", [
    z
      .strictObject({
        kind: z
          .literal("artifact-registry")
          .meta(doc("The program builds images and pushes them to the stack's own registry.", "artifact-registry")),
        keep: z
          .int()
          .min(1)
          .max(1000)
          .optional()
          .meta(doc("Newest versions of each image to keep; others are deleted after 30 days. Without it: 30.", 50)),
        scan: z
          .boolean()
          .default(true)
          .meta(
            doc(
              "Scan pushed images for known vulnerabilities, charged per image. This enables it for the whole project.",
              false,
            ),
          ),
        immutableTags: z
          .boolean()
          .default(false)
          .meta(doc("Forbid moving or deleting tags. Pods always use digests. Excludes `keep`.", true)),
      })
      .refine(
        ({ keep, immutableTags }) => keep === undefined || !immutableTags,
        "has keep, which can delete nothing where immutableTags is true: Google deletes no tagged image there; remove one of the two",
      ),
    z.strictObject({
      kind: z.literal("node").meta(doc("Images are already on the node: `npm start` loads them.", "node")),
    }),
  ])
  .prefault({ kind: "artifact-registry" })
  .meta(doc("Registry of the images that the stack builds.", { kind: "artifact-registry", keep: 50 }));
