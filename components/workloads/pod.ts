/** Settings shared by all pods: the `restricted` pod security standard, and shutdown without lost requests. */
import type * as k8s from "@pulumi/kubernetes";
import { selectorLabels } from "../../names/kubernetes.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;
type SecurityContext = k8s.types.input.core.v1.PodSecurityContext;

/** CPU request without a limit; memory request and limit. Kubernetes quantities. */
export interface Resources {
  readonly cpu: string;
  readonly memory: string;
}

/**
 * Seconds that a terminating proxy pod still serves, until the load balancer stops sending requests. Google's load
 * balancer learns of it through an API; Google's example waits 40 s
 * (https://cloud.google.com/knowledge/kb/502-503-errors-on-external-http-s-load-balancer-000006416). A controller in
 * the cluster learns of it at once.
 */
export const proxyDrainSeconds = { google: 40, inCluster: 10 };

/**
 * The same for pods of a service, which the proxy finds by DNS. A cache on the node keeps addresses for up to 30 s
 * (https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache), and nginx for up to 6 s more.
 */
export const serviceDrainSeconds = 40;

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
export const restrictedContainer = {
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
} satisfies Pick<Container, "securityContext">;

/** Kubernetes quantity of whole MiB. */
const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}Mi`;

/**
 * Autopilot lowers a limit of disk to its request, so there the request is the limit. CPU and memory stay as they are,
 * from Autopilot's minimum on (`config/checks/autopilot.ts`).
 * https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-resource-requests#resource-limits
 * @param storage limit of the node's disk. With a read-only root filesystem that is only the log, which kubelet rotates
 * at about 50 MiB (https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation).
 */
export const resourceRequirements = ({ cpu, memory }: Resources, autopilot: boolean, storage = "512Mi") => ({
  requests: { cpu, memory, "ephemeral-storage": autopilot ? storage : "64Mi" },
  limits: { memory, "ephemeral-storage": storage },
});

/**
 * The same for a pod with folders to write to: their disk is part of the limit.
 * @param extra folders beside `/tmp`, which programs are expected to fill: their disk is requested too
 * @param devices a whole number of each. Kubernetes requests as many.
 */
export function resourcesWithScratch(
  resources: Resources,
  autopilot: boolean,
  { all, extra }: { readonly all: number; readonly extra: number },
  devices: Readonly<Record<string, string>> = {},
) {
  const own = resourceRequirements(resources, autopilot, mebibytes(512 * 2 ** 20 + all));
  const disk =
    autopilot || extra === 0
      ? {}
      : { requests: { ...own.requests, "ephemeral-storage": mebibytes(64 * 2 ** 20 + extra) } };
  return { ...own, ...disk, limits: { ...own.limits, ...devices } };
}

export interface Shutdown {
  /** Seconds that a terminating pod still gets requests, before SIGTERM. 0 for a pod that gets none. */
  readonly drainSeconds: number;
  /** Seconds from SIGTERM to the end. nginx needs up to 35 (worker_shutdown_timeout). @default 40 */
  readonly shutdownSeconds?: number;
}

/** A pod without permissions in the cluster, spread over zones and nodes, with time to finish its requests. */
export function podSpec(
  name: string,
  { drainSeconds, shutdownSeconds = 40 }: Shutdown,
  container: Container,
  {
    securityContext,
    ...rest
  }: Omit<Partial<PodSpec>, "securityContext"> & { readonly securityContext?: SecurityContext } = {},
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
      ...securityContext,
    },
    topologySpreadConstraints: [spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname")],
    terminationGracePeriodSeconds: drainSeconds + shutdownSeconds,
    // Kubelet's own sleep: images need no shell
    // (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/).
    containers: [
      {
        ...restrictedContainer,
        ...(drainSeconds > 0 && { lifecycle: { preStop: { sleep: { seconds: drainSeconds } } } }),
        ...container,
      },
    ],
    ...rest,
  };
}

/**
 * Probes run every second. A restarted kubelet marks all its pods as not ready until a probe succeeds. It delays the
 * first probe within the period (https://github.com/kubernetes/enhancements/issues/4781). A pod that does not respond
 * still becomes unready only after 15 s, the sum of its allowed timeouts.
 */
export const readiness = (timeoutSeconds: number) => ({
  periodSeconds: 1,
  timeoutSeconds,
  failureThreshold: 15 / timeoutSeconds,
});

/** Stops the old pods before it starts new ones. */
export const recreate = { type: "Recreate" };

/** Starts new pods before it stops old ones: a rollout never has fewer ready pods than requested. */
export const rollingUpdate = (maxSurge: number | string) => ({
  type: "RollingUpdate",
  rollingUpdate: { maxSurge, maxUnavailable: 0 },
});

/**
 * Allows one disruption at a time, and evicts unready pods at any time. Otherwise pods that never become ready would
 * use up the budget and block draining their node
 * (https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy).
 */
export const disruptionBudget = (name: string) => ({
  maxUnavailable: 1,
  unhealthyPodEvictionPolicy: "AlwaysAllow",
  selector: { matchLabels: selectorLabels(name) },
});

/** `customTimeouts` of a Deployment: a missing image fails after this time, not after ten minutes. */
export const rolloutTimeouts = (seconds: number) => ({ create: `${seconds}s`, update: `${seconds}s` });
