import * as pulumi from "@pulumi/pulumi";
import { contextTag } from "./buildContext.ts";
import type { ImageRegistry } from "./imageRegistry.ts";

/** An image, or its build folder relative to the project; `image` wins. */
export interface ImageSource {
  readonly image?: string | undefined;
  readonly build?: { readonly context: string } | undefined;
}

/** Reference of an image that `npm start` builds and loads onto the node. The tag is a hash of the context. */
export const nodeImage = (name: string, context: string): string => nodeReference(name, contextTag(context));
const nodeReference = (name: string, tag: string): string => `localhost/gke-microservices/${name}:${tag}`;

export interface Image {
  /** By tag or digest. */
  readonly image: pulumi.Output<string>;
  /** What stands for it before it is built: it changes whenever the image does. */
  readonly imageKey: string;
}

/**
 * The image to deploy: the given one, or the one built and pushed to the registry, by digest. Without a registry, the
 * one already on the node.
 */
export function imageReference(
  name: string,
  { image, build }: ImageSource,
  registry: ImageRegistry | undefined,
): Image {
  if (image !== undefined) return { image: pulumi.output(image), imageKey: image };
  if (build === undefined) throw new Error(`${name} has neither an image nor a folder to build`);
  const { context } = build;
  const tag = contextTag(context);
  const built =
    registry === undefined ? pulumi.output(nodeReference(name, tag)) : registry.image(name, { context, tag });
  return { image: built, imageKey: `${name}:${tag}` };
}
