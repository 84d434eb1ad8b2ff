/** The job of a release: it succeeds before the new pods of a service start, or they never do. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash, releaseName } from "../../names/kubernetes.ts";
import { forJob, jobSpec } from "./job.ts";
import type { Program } from "./program.ts";

export interface Release {
  /** Instead of the service's. @default - the service's */
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly timeoutSeconds: number;
  /** What stands for the image in the job's name: known before the image is built. */
  readonly imageKey: string;
  /** What must exist or be ready before it: its flows, and the services that it calls. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * A Job named after its whole pod: what changes the pod is a new Job, and what does not, is none. It has no TTL, because
 * it would be missing at the next refresh, and run again.
 */
export function makeReleaseJob(
  service: string,
  namespace: pulumi.Input<string>,
  program: Program,
  { command, args, timeoutSeconds, imageKey, dependsOn }: Release,
  opts: pulumi.CustomResourceOptions,
): k8s.batch.v1.Job {
  const app = releaseName(service);
  const template = program.template({ app, command, args, ...forJob });
  const name = pulumi
    .output(template)
    .apply((pod) => `${app}-${contentHash({ pod: textOf(pod, imageKey), timeout: String(timeoutSeconds) })}`);
  return new k8s.batch.v1.Job(
    `${service}-release`,
    {
      metadata: {
        name,
        namespace,
        labels: commonLabels(app),
        // One that failed is not the required one, although it looks the same.
        annotations: { "pulumi.com/replaceUnready": "true" },
      },
      spec: jobSpec(template, { retries: 0, deadlineSeconds: timeoutSeconds }),
    },
    {
      ...opts,
      dependsOn: [...program.needs, ...dependsOn],
      // Two releases never run their jobs at the same time.
      deleteBeforeReplace: true,
      customTimeouts: { create: `${timeoutSeconds + 60}s`, update: `${timeoutSeconds + 60}s` },
    },
  );
}

/**
 * A pod's template as text, in which the service's image by digest is the one that is known beforehand: its program has
 * it, and each sidecar and init container without an image of its own.
 */
function textOf(template: pulumi.Unwrap<ReturnType<Program["template"]>>, imageKey: string): string {
  const { metadata, spec } = template;
  const image = spec?.containers[0]?.image;
  const keyed = <Container extends { readonly image?: string | undefined }>(all: readonly Container[]): Container[] =>
    all.map((each) => (each.image === image ? { ...each, image: imageKey } : each));
  const initContainers = spec?.initContainers && keyed(spec.initContainers);
  return JSON.stringify({
    metadata,
    spec: { ...spec, containers: spec && keyed(spec.containers), ...(initContainers && { initContainers }) },
  });
}
