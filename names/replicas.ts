/** How many pods a workload has: a number, or what an autoscaler chooses. */

/** Bounds and targets of a HorizontalPodAutoscaler. */
export interface Autoscaling {
  /** Fewest pods, at least 1. */
  readonly min: number;
  /** Most pods, at least 2. */
  readonly max: number;
  /** Average use of the requested CPU in percent, above which pods are added. */
  readonly cpu?: number | undefined;
  /** The same for memory. */
  readonly memory?: number | undefined;
}

export type Replicas = number | Autoscaling;

export const fewestPods = (replicas: Replicas): number => (typeof replicas === "number" ? replicas : replicas.min);
export const mostPods = (replicas: Replicas): number => (typeof replicas === "number" ? replicas : replicas.max);

/** On the objects of a workload with an autoscaler: the number of its pods is not the program's. */
export const autoscaledAnnotation = "gke-microservices/autoscaled";
