/** The number of a workload's pods: its disruption budget, and the autoscaler that may choose the number. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../../names/kubernetes.ts";
import { autoscaledAnnotation, fewestPods, mostPods, type Replicas } from "../../names/replicas.ts";
import { disruptionBudget } from "./pod.ts";

interface Scaled {
  /** Name of the workload's Deployment. */
  readonly app: string;
  /** Name of its program's container. */
  readonly container: string;
  readonly namespace: pulumi.Input<string>;
  readonly replicas: Replicas;
}

/**
 * Without this, the Deployment of a workload that had an autoscaler would look unchanged to Pulumi, whatever number of
 * pods the autoscaler has left.
 */
const annotations = (replicas: Replicas) =>
  typeof replicas === "number" ? {} : { annotations: { [autoscaledAnnotation]: "true" } };

const metadataOf = ({ app, namespace, replicas }: Scaled) => ({
  name: app,
  namespace,
  labels: commonLabels(app),
  ...annotations(replicas),
});

/** Metadata of the Deployment, its number of pods, and what only the autoscaler changes. */
export const deploymentScale = (scaled: Scaled) => ({
  metadata: metadataOf(scaled),
  replicas: fewestPods(scaled.replicas),
  options: typeof scaled.replicas === "number" ? {} : { ignoreChanges: ["spec.replicas"] },
});

/**
 * The budget, which the Deployment depends on. It is replaced when an autoscaler comes or goes, because Pulumi then
 * deletes the autoscaler, which depends on it, at once: what the program no longer has, Pulumi deletes last, and by then
 * the autoscaler would have changed the new number of pods.
 * @returns undefined for a single pod, which may always be evicted
 */
export function makeDisruptionBudget(
  name: string,
  scaled: Scaled,
  opts: pulumi.CustomResourceOptions,
): k8s.policy.v1.PodDisruptionBudget | undefined {
  if (mostPods(scaled.replicas) === 1) return undefined;
  return new k8s.policy.v1.PodDisruptionBudget(
    `${name}-disruption`,
    { metadata: metadataOf(scaled), spec: disruptionBudget(scaled.app) },
    { ...opts, replaceOnChanges: ["metadata.annotations"], deleteBeforeReplace: true },
  );
}

/** Makes the autoscaler, unless the number of pods is fixed. */
export function makeAutoscaler(
  name: string,
  { app, container, namespace, replicas }: Scaled,
  budget: k8s.policy.v1.PodDisruptionBudget | undefined,
  opts: pulumi.CustomResourceOptions,
): void {
  if (typeof replicas === "number" || budget === undefined) return;
  const { min, max, cpu, memory } = replicas;
  // Of the program's own container: one that something adds to the pods may request nothing, which stops the autoscaler.
  // https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#container-resource-metrics
  const target = (resource: string, percent: number | undefined) =>
    percent === undefined
      ? []
      : [
          {
            type: "ContainerResource",
            containerResource: {
              name: resource,
              container,
              target: { type: "Utilization", averageUtilization: percent },
            },
          },
        ];
  new k8s.autoscaling.v2.HorizontalPodAutoscaler(
    `${name}-autoscaler`,
    {
      metadata: { name: budget.metadata.name, namespace, labels: commonLabels(app) },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: app },
        minReplicas: min,
        maxReplicas: max,
        metrics: [...target("cpu", cpu), ...target("memory", memory)],
      },
    },
    opts,
  );
}
