/** The shape of where images go. */
import * as z from "zod";

export const registry = z
  .discriminatedUnion("kind", [
    /** Images are built by the program and pushed to the stack's own Artifact Registry. */
    z
      .strictObject({
        kind: z.literal("artifact-registry"),
        /** Newest versions of each image that are kept, however old; others go after 30 days. Default: 30. */
        keep: z.int().min(1).max(1000).optional(),
        /** Scan what is pushed; the scanning API serves the whole project, so its other repositories follow. */
        scan: z.boolean().default(true),
        /** See ImageRegistryArgs for why this is not the default: images run by digest all the same. */
        immutableTags: z.boolean().default(false),
      })
      .refine(
        ({ keep, immutableTags }) => keep === undefined || !immutableTags,
        "has keep, which can delete nothing where immutableTags is true: Google deletes no tagged image there; remove one of the two",
      ),
    /** Images are built beforehand and put on the node: what `npm start` does. */
    z.strictObject({ kind: z.literal("node") }),
  ])
  .prefault({ kind: "artifact-registry" });
