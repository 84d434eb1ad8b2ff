import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

import { enableApis } from "../googleApis.ts";
import { googleName, labelsOf } from "../../names/google.ts";

export interface ImageRegistryArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Region in which the images are kept, as in `asia-northeast1`. */
  readonly region: string;
  /** Name of the stack; the repository is named after it. */
  readonly stack: string;
  /**
   * How many of the newest versions of each image are kept, however old; others are deleted after 30 days.
   * @default 30
   */
  readonly keep?: number | undefined;
  /** Whether each pushed image is scanned for known vulnerabilities, which Google charges for by image. */
  readonly scan: boolean;
  /**
   * Whether Google refuses to move or delete a tag. Not needed for what runs: it is named by digest, which nothing can
   * move. And it has a price. A build of the same files is hardly ever the same image to the byte (it holds times), so
   * a tag that follows the content is pushed anew when a change is taken back, when an `up` was killed between push and
   * state, or when a checkout has other file modes; all of these are then refused until a file changes. And a tagged
   * image cannot be deleted, so that `keep` has no effect.
   * https://docs.cloud.google.com/artifact-registry/docs/docker/names#image-versions
   */
  readonly immutableTags: boolean;
}

export interface ImageArgs {
  /** Folder that is sent to the Docker daemon. */
  readonly context: string;
  /** Tag under which the image is pushed. Should follow the content, as a hash of the context does. */
  readonly tag: string;
  /**
   * Path of the Dockerfile.
   * @default - `Dockerfile` in the context
   */
  readonly dockerfile?: string | undefined;
  /**
   * Build arguments. They stay readable in the image's history: no secrets.
   * @default - none
   */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
}

/** Where images that the stack builds go: to a registry of its own, or onto the node beforehand (`npm start`). */
export type RegistryArgs =
  ({ readonly kind: "artifact-registry" } & Omit<ImageRegistryArgs, "stack">) | { readonly kind: "node" };

/** @returns nothing where images are on the node already */
export function createRegistry(stack: string, registry: RegistryArgs): ImageRegistry | undefined {
  if (registry.kind === "node") return undefined;
  const { project, region, keep, scan, immutableTags } = registry;
  return new ImageRegistry(stack, { project, region, stack, keep, scan, immutableTags });
}

/** A private Docker repository in Artifact Registry, and the images that are built into it. */
export class ImageRegistry extends pulumi.ComponentResource {
  /** Where images go: `<region>-docker.pkg.dev/<project>/<repository>`. */
  readonly url: pulumi.Output<string>;

  readonly #name: string;
  readonly #host: string;
  #password: pulumi.Output<string> | undefined;

  constructor(name: string, args: ImageRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:ImageRegistry", name, {}, opts);
    const { project, region, stack } = args;
    const apis = ["artifactregistry", ...(args.scan ? ["containerscanning"] : [])];

    const repository = new gcp.artifactregistry.Repository(
      `${name}-repository`,
      {
        project,
        location: region,
        repositoryId: googleName(`${stack}-images`, 63),
        format: "DOCKER",
        description: `Images built by the stack ${stack}`,
        labels: labelsOf(pulumi.getProject(), stack),
        // Left out where it is off: Google does not give the default back, and each refresh would see a difference.
        ...(args.immutableTags && { dockerConfig: { immutableTags: true } }),
        // INHERITED: as the project has it, where the scanning API is enabled below.
        vulnerabilityScanningConfig: { enablementConfig: args.scan ? "INHERITED" : "DISABLED" },
        // Where both match, keeping wins: what runs and what a rollback needs is among the newest.
        // https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy
        cleanupPolicyDryRun: false,
        cleanupPolicies: [
          { id: "keep-newest", action: "KEEP", mostRecentVersions: { keepCount: args.keep ?? 30 } },
          { id: "delete-old", action: "DELETE", condition: { tagState: "ANY", olderThan: "2592000s" } },
        ],
      },
      { parent: this, dependsOn: enableApis(name, project, apis, this) },
    );

    this.#name = name;
    this.#host = `${region}-docker.pkg.dev`;
    // In a path, the colon of a domain-scoped project (example.com:shop) is a slash.
    this.url = pulumi.interpolate`${this.#host}/${project.replace(":", "/")}/${repository.repositoryId}`;
    this.registerOutputs({ url: this.url });
  }

  /**
   * Builds an image for linux/amd64 with BuildKit and pushes it, never during a preview. Needs a Docker daemon, also for
   * a preview, as soon as it is called: stacks that build nothing must not call it.
   *
   * @param name unique among the images of this registry; also the name in the registry
   * @returns the image by its digest, `<url>/<name>@sha256:…`; unknown during a preview that would build it
   */
  image(name: string, args: ImageArgs): pulumi.Output<string> {
    const image = new docker.Image(
      `${this.#name}-${name}`,
      {
        imageName: pulumi.interpolate`${this.url}/${name}:${args.tag}`,
        build: {
          context: args.context,
          platform: "linux/amd64",
          builderVersion: docker.BuilderVersion.BuilderBuildKit,
          ...(args.dockerfile !== undefined && { dockerfile: args.dockerfile }),
          ...(args.buildArgs !== undefined && { args: { ...args.buildArgs } }),
        },
        buildOnPreview: false,
        skipPush: false,
        registry: { server: this.#host, username: "oauth2accesstoken", password: this.#accessToken() },
      },
      { parent: this },
    );
    return image.repoDigest;
  }

  /** A short-lived token of whoever runs Pulumi; asked for once, and only where something is built. */
  #accessToken(): pulumi.Output<string> {
    this.#password ??= pulumi.secret(gcp.organizations.getClientConfigOutput({ parent: this }).accessToken);
    return this.#password;
  }
}
