/** What every pod of this program has in common: the `restricted` pod security standard and no lost requests. */
import type * as k8s from "@pulumi/kubernetes";
import { selectorLabels } from "../../names/kubernetes.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;

/** CPU that is asked for, without a limit; memory that is asked for and the limit. Kubernetes quantities. */
export interface Resources {
  readonly cpu: string;
  readonly memory: string;
}

/**
 * Seconds in which a pod of the proxy that is going away still serves, while the load balancer learns of it. Google's is told by its
 * API, for which its own example waits 40 s (https://cloud.google.com/knowledge/kb/502-503-errors-on-external-http-s-load-balancer-000006416);
 * a controller inside the cluster sees it at once.
 */
export const proxyDrainSeconds = { google: 40, inCluster: 10 };

/**
 * The same for the pods of a service, whose addresses the proxy knows by DNS: a cache on the node keeps them for up to 30 s
 * (https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache), nginx for up to 6 s more.
 */
export const serviceDrainSeconds = 40;

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
export const restrictedContainer: Pick<Container, "securityContext"> = {
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
};

/**
 * @param storage most that may be on the node's disk. Where the root is read-only that is the log alone, which kubelet
 * turns over at some 50 MiB (https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation).
 */
export const resourceRequirements = ({ cpu, memory }: Resources, storage = "512Mi") => ({
  requests: { cpu, memory, "ephemeral-storage": "64Mi" },
  limits: { memory, "ephemeral-storage": storage },
});

/** A pod that needs no rights in the cluster, is spread over zones and nodes, and has time to finish its requests. */
export function podSpec(
  name: string,
  drainSeconds: number,
  container: Container,
  rest: Partial<PodSpec> = {},
): PodSpec {
  const spread = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorLabels(name) },
  });
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    topologySpreadConstraints: [spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname")],
    // After the sleep nginx takes up to 30 s (worker_shutdown_timeout), and services about as much.
    terminationGracePeriodSeconds: drainSeconds + 35,
    // Kubelet's own sleep: images need no shell (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/).
    containers: [
      { ...restrictedContainer, lifecycle: { preStop: { sleep: { seconds: drainSeconds } } }, ...container },
    ],
    ...rest,
  };
}

/**
 * Pods are asked each second: a kubelet that starts calls all of its pods not ready until they have answered again, and lets a
 * part of the period pass before it asks (https://github.com/kubernetes/enhancements/issues/4781). One that says nothing is
 * taken out after 15 s all the same: so long are the timeouts of the failures that it may have.
 */
export const readiness = (timeoutSeconds: number) => ({
  periodSeconds: 1,
  timeoutSeconds,
  failureThreshold: 15 / timeoutSeconds,
});

/** New pods first, old ones after: a rollout never has fewer pods ready than asked for. */
export const rollingUpdate = (maxSurge: number | string) => ({
  type: "RollingUpdate",
  rollingUpdate: { maxSurge, maxUnavailable: 0 },
});

/**
 * One pod at a time may go, and one that is not ready at any time: pods that never get ready would otherwise use up the budget
 * and keep their node from being drained (https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy).
 */
export const disruptionBudget = (name: string) => ({
  maxUnavailable: 1,
  unhealthyPodEvictionPolicy: "AlwaysAllow",
  selector: { matchLabels: selectorLabels(name) },
});

/** `customTimeouts` for a Deployment: an image that does not exist fails in this time, not in ten minutes. */
export const rolloutTimeouts = (seconds: number) => ({ create: `${seconds}s`, update: `${seconds}s` });
