import { homedir } from "node:os";
import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

import { missingSockets } from "./dockerDaemon.ts";
import { enableApis } from "../googleApis.ts";
import { labelsOf, registryOf, repositoryOf } from "../../names/google.ts";

export interface ImageRegistryArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  /** Region of the repository, such as `asia-northeast1`. */
  readonly region: string;
  /** Name of the stack: the prefix of the repository's name. */
  readonly stack: string;
  /**
   * How many of the newest versions of each image to keep; others are deleted after 30 days.
   * @default 30
   */
  readonly keep?: number | undefined;
  /** Whether to scan each pushed image for known vulnerabilities, which Google charges per image. */
  readonly scan: boolean;
  /**
   * Whether Google refuses to move or delete a tag. Running pods do not need it: they use digests, which are immutable.
   * And it has drawbacks. Builds are rarely byte-identical, because images contain timestamps. So the program may push
   * a content tag again. Reasons are a reverted change, an `up` killed between push and state, or a checkout with other
   * file modes. Google then refuses the push until a file changes. Also, tagged images cannot be deleted, so `keep` has
   * no effect.
   * https://docs.cloud.google.com/artifact-registry/docs/docker/names#image-versions
   */
  readonly immutableTags: boolean;
}

export interface ImageArgs {
  /** Folder to send to the Docker daemon. */
  readonly context: string;
  /** Tag to push. It should depend on the content, such as a hash of the context. */
  readonly tag: string;
  /**
   * Path of the Dockerfile.
   * @default - `Dockerfile` in the context
   */
  readonly dockerfile?: string | undefined;
  /**
   * Build arguments. Pass no secrets: they stay readable in the image's history.
   * @default - none
   */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
}

/** Registry of the stack's images: its own repository, or the node itself (`npm start` loads the images). */
export type RegistryArgs =
  ({ readonly kind: "artifact-registry" } & Omit<ImageRegistryArgs, "stack">) | { readonly kind: "node" };

/** @returns undefined if images are already on the node */
export function createRegistry(stack: string, registry: RegistryArgs): ImageRegistry | undefined {
  if (registry.kind === "node") return undefined;
  const { project, region, keep, scan, immutableTags } = registry;
  return new ImageRegistry(stack, { project, region, stack, keep, scan, immutableTags });
}

/** A private Docker repository in Artifact Registry, and the images pushed to it. */
export class ImageRegistry extends pulumi.ComponentResource {
  /** Prefix of image references: `<region>-docker.pkg.dev/<project>/<repository>`. */
  readonly url: pulumi.Output<string>;

  readonly #name: string;
  readonly #host: string;
  readonly #images = new Map<string, pulumi.Output<string>>();
  #warned = false;
  #password: pulumi.Output<string> | undefined;

  constructor(name: string, args: ImageRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:ImageRegistry", name, {}, opts);
    const { project, region, stack } = args;
    const apis = ["artifactregistry", ...(args.scan ? (["containerscanning"] as const) : [])] as const;

    const repository = new gcp.artifactregistry.Repository(
      `${name}-repository`,
      {
        project,
        location: region,
        repositoryId: repositoryOf(stack),
        format: "DOCKER",
        description: `Images built by the stack ${stack}`,
        labels: labelsOf(pulumi.getProject(), stack),
        // Omitted if off: Google does not return the default, and each refresh would show a diff.
        ...(args.immutableTags && { dockerConfig: { immutableTags: true } }),
        // INHERITED follows the project, where the scanning API is enabled below.
        vulnerabilityScanningConfig: { enablementConfig: args.scan ? "INHERITED" : "DISABLED" },
        // KEEP wins over DELETE: the newest versions include the running one and those for a rollback.
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
    const { host, path } = registryOf(region, project);
    this.#host = host;
    this.url = pulumi.interpolate`${host}/${path}/${repository.repositoryId}`;
    this.registerOutputs({ url: this.url });
  }

  /**
   * Builds an image for linux/amd64 with BuildKit and pushes it, never during a preview. Every call needs a Docker
   * daemon, even in a preview: do not call it in stacks without builds.
   *
   * @param name of the image in the registry; the same name is the same image, built once
   * @returns the image by digest, `<url>/<name>@sha256:…`; unknown during a preview that would build it
   */
  image(name: string, args: ImageArgs): pulumi.Output<string> {
    const known = this.#images.get(name);
    if (known !== undefined) return known;
    this.#warnWithoutDocker(name);
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
    this.#images.set(name, image.repoDigest);
    return image.repoDigest;
  }

  /** Only in a preview: it comes first, and the provider fails in it already. */
  #warnWithoutDocker(name: string): void {
    if (!pulumi.runtime.isDryRun() || this.#warned) return;
    this.#warned = true;
    const sockets = missingSockets({ env: process.env, home: homedir(), platform: process.platform });
    if (sockets !== undefined)
      void pulumi.log.warn(
        `the stack builds images, ${name} among them, but there is no Docker daemon at ${sockets.join(" or ")}: start Docker or set DOCKER_HOST; or give ready images, in services.NAME.image and proxy.image`,
        this,
      );
  }

  /** A short-lived token of the current user; requested once, and only for builds. */
  #accessToken(): pulumi.Output<string> {
    this.#password ??= pulumi.secret(gcp.organizations.getClientConfigOutput({ parent: this }).accessToken);
    return this.#password;
  }
}
