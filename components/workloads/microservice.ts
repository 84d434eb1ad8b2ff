import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, literal, podsService, selectorLabels } from "../../names/kubernetes.ts";
import { diskBytes, temporary, type Scratch } from "../../names/scratch.ts";
import type { Replicas } from "../../names/replicas.ts";
import { makeContentSecret } from "../contentSecret.ts";
import { mountFiles, type PodFiles } from "./files.ts";
import { probes, type Health } from "./health.ts";
import { scrapeObject, type Scrape } from "./metricsExporter.ts";
import {
  podSpec,
  recreate,
  resourcesWithScratch,
  rollingUpdate,
  rolloutTimeouts,
  serviceDrainSeconds,
  type Resources,
} from "./pod.ts";
import { deploymentScale, makeAutoscaler, makeDisruptionBudget } from "./replicas.ts";
import { scratchVolumes } from "./scratch.ts";

export interface MicroserviceArgs {
  readonly namespace: pulumi.Input<string>;
  /** Image by tag or digest. */
  readonly image: pulumi.Input<string>;
  /** Instead of the image's entry point. `$(NAME)` is a variable's value, everything else is text. */
  readonly command?: readonly string[] | undefined;
  /** Instead of the image's arguments, as for `command`. */
  readonly args?: readonly string[] | undefined;
  /** Port of the container. @default - none: a worker, without a Service */
  readonly port?: number | undefined;
  /** Port of the Service. @default - that of the container */
  readonly servicePort?: number | undefined;
  /** Further ports by name. @default - none */
  readonly ports?: Readonly<Record<string, number>>;
  readonly replicas: Replicas;
  /** @default - pods are ready when their program runs */
  readonly health?: Health | undefined;
  /** In the order in which `$(NAME)` finds them. */
  readonly env: readonly EnvVar[];
  /** Environment variables in a Secret. @default - none */
  readonly secretEnv?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
  /** Files in the container. @default - none */
  readonly files?: PodFiles | undefined;
  /** Folders to write to, beside `/tmp`. @default - none */
  readonly scratch?: Scratch;
  /** User and group ID. @default 65532 */
  readonly user?: number | undefined;
  /** Seconds from SIGTERM to the end. @default 40 */
  readonly shutdownSeconds?: number;
  /** Whether old pods end before new ones start. @default "rolling" */
  readonly rollout?: "rolling" | "recreate";
  /** The program's own metrics, and who scrapes them. @default - none */
  readonly metrics?: (Pick<Scrape, "scrape" | "labels" | "path"> & { readonly port: number }) | undefined;
  /** The nodes that pods may run on. @default - any without taints */
  readonly nodes?: PodNodes | undefined;
  /** Of the pods, beside the program's own. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly resources: Resources;
  /** Whether Autopilot manages the nodes. @default false */
  readonly autopilot?: boolean;
  /** Kubernetes ServiceAccount of the pods. @default - the namespace's default, without permissions */
  readonly serviceAccount?: pulumi.Input<string> | undefined;
  /** Timeout of a rollout, in seconds. */
  readonly rolloutSeconds: number;
  /** Whether the proxy routes to it. */
  readonly routed: boolean;
  /** Whether callers find its pods by DNS, as the proxy does. @default false */
  readonly headless?: boolean;
}

/** Which nodes a pod may run on. */
export interface PodNodes {
  /** Labels that a node must have. */
  readonly labels: Readonly<Record<string, string>>;
  /** Taints that the pod accepts. */
  readonly tolerations: readonly {
    readonly key: string;
    readonly operator: "Equal" | "Exists";
    readonly value?: string;
    readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  }[];
  /** What of a node each pod has for itself, such as GPUs, by Kubernetes' name of the resource. @default - nothing */
  readonly devices?: Readonly<Record<string, string>>;
}

/** A variable of a container: a text, or a field of its pod. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

/**
 * One microservice: a Deployment and a ClusterIP Service, at `<service>.<namespace>.svc.cluster.local`. A routed one
 * also has a headless Service, by which the proxy finds its pods, and others may. One without a port is a worker, and has neither.
 */
export class Microservice extends pulumi.ComponentResource {
  /** The Service's DNS name in the cluster. */
  readonly address: pulumi.Output<string>;
  /** What must exist before the proxy sends requests: pods that are ready, and the Service that finds them. Empty without routes. */
  readonly upstream: readonly pulumi.Resource[];

  /** @param name of the component, the Service and the Deployment: a DNS label */
  constructor(name: string, args: MicroserviceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:Microservice", name, {}, opts);
    const service = name;
    const { namespace, port } = args;
    const parent = { parent: this };
    const scaled = { app: service, container: service, namespace, replicas: args.replicas };
    const { metadata, replicas, options } = deploymentScale(scaled);

    const secretEnv = args.secretEnv ?? {};
    const secret =
      Object.keys(secretEnv).length === 0
        ? undefined
        : makeContentSecret(
            `${name}-env`,
            { prefix: `${service}-env`, app: service, namespace, values: secretEnv },
            parent,
          );

    const files = mountFiles(name, namespace, args.files ?? { plain: {}, secret: {} }, parent);
    const scratch = { ...temporary, ...args.scratch };
    const folders = scratchVolumes(scratch);
    const disk = { all: diskBytes(scratch), extra: diskBytes(args.scratch ?? {}) };
    const named = Object.entries({ ...(port !== undefined && { http: port }), ...args.ports });
    const { metrics } = args;
    const scraped = named.find(([, each]) => each === metrics?.port)?.[0];
    if (metrics !== undefined && scraped === undefined) named.push(["metrics", metrics.port]);

    const budget = makeDisruptionBudget(name, scaled, parent);
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas,
          selector: { matchLabels: selectorLabels(service) },
          strategy: args.rollout === "recreate" ? recreate : rollingUpdate(1),
          ...progressDeadline(args.health),
          template: {
            metadata: {
              labels: { ...args.labels, ...commonLabels(service) },
              ...(Object.keys(args.annotations ?? {}).length > 0 && { annotations: { ...args.annotations } }),
            },
            spec: podSpec(
              service,
              {
                // A worker gets no requests that it would have to wait for.
                drainSeconds: port === undefined ? 0 : serviceDrainSeconds,
                ...(args.shutdownSeconds !== undefined && { shutdownSeconds: args.shutdownSeconds }),
              },
              {
                name: service,
                image: args.image,
                ...(args.command && { command: expandable(args.command, args) }),
                ...(args.args && { args: expandable(args.args, args) }),
                ports: named.map(([each, containerPort]) => ({ name: each, containerPort })),
                env: [...args.env],
                ...(secret && { envFrom: [{ secretRef: { name: secret.name } }] }),
                resources: resourcesWithScratch(args.resources, args.autopilot ?? false, disk, args.nodes?.devices),
                // By path, so that a file in one of the folders is mounted after it.
                volumeMounts: [...folders.mounts, ...files.mounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1)),
                ...probes(port, args.health),
              },
              {
                securityContext: {
                  ...(args.user !== undefined && {
                    runAsUser: args.user,
                    runAsGroup: args.user,
                    fsGroup: args.user,
                  }),
                  // https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted allows it.
                  ...(named.some(([, each]) => each < 1024) && {
                    sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
                  }),
                },
                ...(args.nodes && { nodeSelector: { ...args.nodes.labels }, tolerations: [...args.nodes.tolerations] }),
                volumes: [...folders.volumes, ...files.volumes],
                ...(args.serviceAccount !== undefined && { serviceAccountName: args.serviceAccount }),
              },
            ),
          },
        },
      },
      {
        ...parent,
        ...options,
        dependsOn: [
          ...(budget === undefined ? [] : [budget]),
          ...(secret === undefined ? [] : [secret.resource]),
          ...files.resources,
        ],
        customTimeouts: rolloutTimeouts(args.rolloutSeconds),
      },
    );

    makeAutoscaler(name, scaled, budget, { ...parent, dependsOn: [deployment] });

    if (metrics !== undefined)
      scrapeObject(name, service, namespace, { ...metrics, port: scraped ?? "metrics" }, parent);

    this.upstream = port === undefined ? [] : this.#services(name, port, args, deployment);

    this.address = pulumi.interpolate`${service}.${namespace}.svc.cluster.local`;
    this.registerOutputs({ address: this.address });
  }

  /** @returns what must exist before the proxy sends requests */
  #services(
    service: string,
    port: number,
    { namespace, servicePort = port, ports = {}, routed, headless = false }: MicroserviceArgs,
    deployment: pulumi.Resource,
  ): readonly pulumi.Resource[] {
    const metadata = { namespace, labels: commonLabels(service), annotations: { "pulumi.com/skipAwait": "true" } };
    const withPort = (first: number) => ({
      selector: selectorLabels(service),
      ports: [
        { name: "http", port: first, targetPort: "http" },
        ...Object.entries(ports).map(([name, each]) => ({ name, port: each, targetPort: name })),
      ],
    });
    new k8s.core.v1.Service(
      `${service}-service`,
      { metadata: { ...metadata, name: service }, spec: { type: "ClusterIP", ...withPort(servicePort) } },
      { parent: this },
    );
    if (!routed && !headless) return [];
    const pods = new k8s.core.v1.Service(
      `${service}-pods`,
      {
        metadata: { ...metadata, name: podsService(service) },
        spec: { type: "ClusterIP", clusterIP: "None", ...withPort(port) },
      },
      { parent: this },
    );
    return routed ? [deployment, pods] : [];
  }
}

/**
 * Kubernetes replaces `$(NAME)` in commands and arguments, and `$$` by `$`. Only names of variables stay.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
 */
function expandable(
  words: readonly string[],
  { env, secretEnv }: Pick<MicroserviceArgs, "env" | "secretEnv">,
): string[] {
  const names = [...env.map((each) => each.name), ...Object.keys(secretEnv ?? {})];
  return words.map((word) => literal(word, names));
}

/** Kubernetes gives up on a rollout without progress after 600 s: a slow start needs more. */
const progressDeadline = (health: Health | undefined) =>
  health !== undefined && health.startSeconds > 300 ? { progressDeadlineSeconds: health.startSeconds + 300 } : {};
