import * as pulumi from "@pulumi/pulumi";
import { contextTag } from "./buildContext.ts";
import type { ImageRegistry } from "./imageRegistry.ts";

/** An image, or the folder that it is built from, relative to the project; `image` wins. */
export interface ImageSource {
  readonly image?: string | undefined;
  readonly build?: { readonly context: string } | undefined;
}

/** Reference of an image that `npm start` builds and puts on the node; it names the content of the context. */
export const nodeImage = (name: string, context: string): string =>
  `localhost/gke-microservices/${name}:${contextTag(context)}`;

/**
 * The reference to deploy: the given image, or what is built from the context and pushed to the registry (by digest),
 * or, without a registry, the image that is on the node already.
 */
export function imageReference(
  name: string,
  { image, build }: ImageSource,
  registry: ImageRegistry | undefined,
): pulumi.Output<string> {
  if (image !== undefined) return pulumi.output(image);
  if (build === undefined) throw new Error(`${name} has neither an image nor a folder to build`);
  const { context } = build;
  if (registry === undefined) return pulumi.output(nodeImage(name, context));
  return registry.image(name, { context, tag: contextTag(context) });
}
