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
  const pod = { app, command, args, ...forJob };
  const template = program.template(pod);
  // With a digest that is not known yet, a preview would know no name.
  const name = pulumi
    .output(program.template({ ...pod, image: imageKey }))
    .apply((known) => `${app}-${contentHash({ pod: JSON.stringify(known), timeout: String(timeoutSeconds) })}`);
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
