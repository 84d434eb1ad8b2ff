import * as pulumi from "@pulumi/pulumi";
import { contextTag } from "./buildContext.ts";
import type { ImageRegistry } from "./imageRegistry.ts";

/** An image, or its build folder relative to the project; `image` wins. */
export interface ImageSource {
  readonly image?: string | undefined;
  readonly build?: { readonly context: string } | undefined;
}

/** Reference of an image that `npm start` builds and loads onto the node. The tag is a hash of the context. */
export const nodeImage = (name: string, context: string): string =>
  `localhost/gke-microservices/${name}:${contextTag(context)}`;

/** What stands for an image before it is built: it changes whenever the image does. */
export const imageKey = ({ name, image, build }: ImageSource & { readonly name: string }): string =>
  image ?? `${name}:${build === undefined ? "" : contextTag(build.context)}`;

/**
 * The image to deploy: the given one, or the one built and pushed to the registry, by digest. Without a registry, the
 * one already on the node.
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
