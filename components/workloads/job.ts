/** What Jobs of releases and of schedules have in common. */
import type * as k8s from "@pulumi/kubernetes";
import type { PodOf } from "./program.ts";

type PodTemplateSpec = k8s.types.input.core.v1.PodTemplateSpec;

/**
 * What a program's pods are in a Job: they run once, and the last lines of their log say why they failed.
 * https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
export const forJob = {
  restartPolicy: "Never",
  everyContainer: { terminationMessagePolicy: "FallbackToLogsOnError" },
} satisfies Partial<PodOf>;

/**
 * A pod that is evicted is no failure of the program: another one takes its place, after it has ended.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
export const jobSpec = (
  template: PodTemplateSpec,
  { retries, deadlineSeconds }: { readonly retries: number; readonly deadlineSeconds: number },
) => ({
  backoffLimit: retries,
  activeDeadlineSeconds: deadlineSeconds,
  podReplacementPolicy: "Failed",
  podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] },
  template,
});
