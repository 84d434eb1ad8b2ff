/** Builds a stack's images and loads them into its cluster, and again if somebody edits their folders meanwhile. */
import type { Progress } from "../cli/progress.ts";
import { Problem } from "../cli/problem.ts";
import { imageOf, type BuildImages, type BuiltImage, type ImageSpec } from "../images/build.ts";
import { pullInstead, type LoadImages, type PutImages } from "./targetCluster.ts";

export interface ImageLoader {
  /** Builds the images and loads them into the cluster. @throws Problem if the cluster has no way to load them */
  readonly put: PutImages;
  /** Repeats it if a folder was edited since: the program derives the tag from its content when it is applied. */
  readonly putEdited: () => Promise<void>;
}

export function imageLoader(
  images: readonly ImageSpec[],
  progress: Pick<Progress, "step">,
  build: BuildImages,
): ImageLoader {
  let used: { readonly load: LoadImages; readonly references: string } | undefined;
  const joined = (all: Iterable<Pick<BuiltImage, "reference">>) => [...all].map(({ reference }) => reference).join();
  const putWith = (load: LoadImages) =>
    progress.step("images", async (step) => {
      const built = await build(images, (text) => {
        step.detail(text);
      });
      await load(built.values());
      used = { load, references: joined(built.values()) };
    });
  return {
    put: async (load, context) => {
      if (images.length === 0) return;
      if (load === undefined)
        throw new Problem(
          `The stack builds ${images.map(({ name }) => name).join(", ")}, but there is no known way to load an image into the cluster of "${context}" (only kind, k3d and minikube are supported).`,
          pullInstead,
        );
      await putWith(load);
    },
    putEdited: async () => {
      if (used !== undefined && used.references !== joined(images.map((image) => imageOf(image))))
        await putWith(used.load);
    },
  };
}
