/** Reads a stack's objects from the cluster. The types have only the fields that the doctor uses. */
import { CommandError, kubectl, kubectlObjects, type LiveObject, type KubectlTarget } from "../../cli/kubectl.ts";
import type { Subject } from "../subject.ts";
import { ingressName, proxyName } from "../../../names/kubernetes.ts";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

interface Metadata {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  /** Who wrote what, and when. Read of CronJobs alone: kubectl hides it otherwise. */
  readonly managedFields?: readonly { readonly time?: string; readonly subresource?: string }[];
}

/** Why a container waits, how it ended, or since when it runs. */
interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode: number; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
}
export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly image: string;
  /** Of a sidecar: whether what comes after it may start. */
  readonly started?: boolean;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
}
export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly exec?: { readonly command?: readonly string[] };
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly command?: readonly string[];
  /** `Always` makes an init container a sidecar. */
  readonly restartPolicy?: string;
  readonly envFrom?: readonly { readonly secretRef?: { readonly name: string } }[];
}
export interface Pod {
  readonly metadata: Metadata;
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly nodeName?: string;
  };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}
interface PodTemplate {
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly configMap?: { readonly name: string };
      readonly secret?: { readonly secretName: string };
    }[];
  };
}
export interface Deployment {
  readonly metadata: Metadata;
  readonly spec: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template: PodTemplate;
  };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}
export interface Job {
  readonly metadata: Metadata;
  readonly spec: { readonly activeDeadlineSeconds?: number; readonly template: PodTemplate };
  readonly status?: { readonly failed?: number; readonly conditions?: readonly Condition[] };
}
export interface CronJob {
  readonly metadata: Metadata;
  readonly spec: {
    readonly schedule: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly concurrencyPolicy?: "Allow" | "Forbid" | "Replace";
    readonly jobTemplate: { readonly spec: { readonly template: PodTemplate } };
  };
  readonly status?: { readonly lastScheduleTime?: string; readonly lastSuccessfulTime?: string };
}
export interface Node {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}
export interface ReplicaSet {
  readonly metadata: Metadata;
  readonly status?: { readonly conditions?: readonly Condition[] };
}
export interface Autoscaler {
  readonly metadata: Metadata;
  readonly spec: { readonly scaleTargetRef: { readonly kind: string; readonly name: string } };
  readonly status?: { readonly conditions?: readonly Condition[] };
}
export interface Service {
  readonly metadata: Metadata;
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
    }[];
  };
}
export interface Ingress {
  readonly metadata: Metadata;
  readonly spec: {
    readonly ingressClassName?: string;
    readonly tls?: readonly { readonly secretName?: string }[];
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: {
        readonly paths: readonly { readonly backend: { readonly service?: { readonly name: string } } }[];
      };
    }[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}
export interface Gateway {
  readonly metadata: Metadata;
  readonly spec: { readonly gatewayClassName: string };
  readonly status?: {
    readonly addresses?: readonly { readonly value?: string }[];
    readonly conditions?: readonly Condition[];
  };
}
export interface HttpRoute {
  readonly metadata: Metadata;
  readonly spec: { readonly hostnames?: readonly string[] };
  readonly status?: { readonly parents?: readonly { readonly conditions?: readonly Condition[] }[] };
}
export interface BackendConfig {
  readonly metadata: Metadata;
  readonly spec: { readonly healthCheck?: { readonly port?: number; readonly requestPath?: string } };
}
export interface Event {
  /** `fieldPath` of a container: `spec.containers{hoge}` */
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly fieldPath?: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

export interface Objects {
  readonly ingress?: Ingress;
  readonly gateway?: Gateway;
  readonly httpRoutes: readonly HttpRoute[];
  readonly backendConfig?: BackendConfig;
  readonly services: readonly Service[];
  readonly deployments: readonly Deployment[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly autoscalers: readonly Autoscaler[];
  /** Empty in a stack without schedules. */
  readonly cronJobs: readonly CronJob[];
  /** Of releases and of schedules; empty in a stack without them. */
  readonly jobs: readonly Job[];
  readonly pods: readonly Pod[];
  /** Empty without the right to read them. */
  readonly nodes: readonly Node[];
  /** Sorted by time, the newest last. */
  readonly events: readonly Event[];
  /** Secrets that the Ingress, a Deployment or a CronJob refers to and that do not exist. */
  readonly missingSecrets: readonly string[];
}

/** @returns the objects, or why they could not be read */
export async function objectsOf(target: KubectlTarget | string, subject: Subject): Promise<Objects | string> {
  if (typeof target === "string") return target;
  const { namespace, edge } = subject;
  const get = async <T>(...what: string[]) =>
    (await kubectlObjects(target, ["get", ...what, "-n", namespace, "--request-timeout=15s"])) as unknown as (T &
      LiveObject)[];
  try {
    const ofServices = Object.values(subject.services);
    const hasSchedules = ofServices.some(({ schedule }) => schedule !== undefined);
    const hasJobs = hasSchedules || ofServices.some(({ release }) => release !== undefined);
    const [all, cronJobs, nodes] = await Promise.all([
      get<object>(
        `services,deployments,replicasets,horizontalpodautoscalers.autoscaling,pods,ingresses${hasJobs ? ",jobs.batch" : ""}`,
      ),
      hasSchedules ? get<CronJob>("cronjobs.batch", "--show-managed-fields") : [],
      nodesOf(target),
    ]);
    const of = (kind: string): unknown => all.filter((object) => object.kind === kind);
    const ingress = (of("Ingress") as Ingress[]).find(({ metadata }) => metadata.name === ingressName);
    const deployments = of("Deployment") as Deployment[];
    const secrets = [
      ...new Set([
        ...(ingress?.spec.tls ?? []).flatMap(({ secretName }) => secretName ?? []),
        ...deployments.flatMap(({ spec }) => secretsOf(spec.template)),
        ...cronJobs.flatMap(({ spec }) => secretsOf(spec.jobTemplate.spec.template)),
      ]),
    ];
    const gateways = edge.kind === "gateway" ? await get<Gateway>("gateways.gateway.networking.k8s.io") : [];
    const configs = edge.kind === "gce" ? await get<BackendConfig>("backendconfigs.cloud.google.com") : [];
    const backendConfig = configs.find(({ metadata }) => metadata.name === proxyName);
    const gateway = gateways.find(({ metadata }) => metadata.name === "gateway");
    return {
      ...(ingress && { ingress }),
      ...(gateway && { gateway }),
      ...(backendConfig && { backendConfig }),
      httpRoutes: edge.kind === "gateway" ? await get<HttpRoute>("httproutes.gateway.networking.k8s.io") : [],
      services: of("Service") as Service[],
      deployments,
      replicaSets: of("ReplicaSet") as ReplicaSet[],
      autoscalers: of("HorizontalPodAutoscaler") as Autoscaler[],
      cronJobs,
      jobs: of("Job") as Job[],
      pods: of("Pod") as Pod[],
      nodes,
      events: (await get<Event>("events")).sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1)),
      missingSecrets: await missing(secrets, target, namespace),
    };
  } catch (error) {
    if (error instanceof CommandError) return reason(error.output);
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "there is no kubectl on PATH";
    throw error;
  }
}

/** The Secrets that pods have their environment and files from. */
export const secretsOf = ({ spec: { containers, initContainers = [], volumes = [] } }: PodTemplate): string[] => {
  return [
    ...[...containers, ...initContainers].flatMap(({ envFrom = [] }) =>
      envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
    ),
    ...volumes.flatMap(({ secret }) => secret?.secretName ?? []),
  ];
};

/** Nodes are no part of the namespace: who may read the stack's objects may not see them. */
async function nodesOf(target: KubectlTarget): Promise<Node[]> {
  try {
    return await kubectlObjects(target, ["get", "nodes", "--request-timeout=15s"]);
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}

const timeOf = ({ lastTimestamp, eventTime }: Event) => lastTimestamp ?? eventTime ?? "";

/** The last line of kubectl's output, which has the error. */
const reason = (output: string) => `kubectl: ${output.trim().split("\n").at(-1) ?? ""}`;

/** The names of Secrets that do not exist. It queries only their names, because the doctor does not need their content. */
async function missing(names: readonly string[], target: KubectlTarget, namespace: string): Promise<string[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return await kubectl(target, ["get", "secret", name, "-n", namespace, "--ignore-not-found", "-o", "name"]);
      } catch (error) {
        if (error instanceof CommandError) return name; // Without the right to read Secrets, assume that it exists.
        throw error;
      }
    }),
  );
  return names.filter((_, index) => found[index] === "");
}
