/** What runs in the pods of a service, whatever makes the pods: a Deployment, a release's Job or a schedule's. */
import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../../names/kubernetes.ts";
import { diskBytes, temporary, type Scratch } from "../../names/scratch.ts";
import { makeContainers, type InitArgs, type SidecarArgs } from "./containers.ts";
import { byPath, mountFiles, type PodFiles } from "./files.ts";
import { podSpec, resourcesWithScratch, type Resources, type Shutdown } from "./pod.ts";
import { scratchVolumes } from "./scratch.ts";
import { makeVariables, type EnvVar } from "./variables.ts";

export interface ProgramArgs {
  readonly namespace: pulumi.Input<string>;
  /** Image by tag or digest. */
  readonly image: pulumi.Input<string>;
  /** Instead of the image's entry point. `$(NAME)` is a variable's value, everything else is text. */
  readonly command?: readonly string[] | undefined;
  /** Instead of the image's arguments, as for `command`. */
  readonly args?: readonly string[] | undefined;
  /** In the order in which `$(NAME)` finds them. */
  readonly env: readonly EnvVar[];
  /** Environment variables in a Secret. @default - none */
  readonly secretEnv?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
  /** Files in the container. @default - none */
  readonly files?: PodFiles | undefined;
  /** Folders to write to, beside `/tmp`. @default - none */
  readonly scratch?: Scratch;
  /** What runs beside the program, in the order of their start. @default - nothing */
  readonly sidecars?: readonly SidecarArgs[];
  /** What runs before the program, one after another, beside the sidecars. @default - nothing */
  readonly init?: readonly InitArgs[];
  /** User and group ID. @default 65532 */
  readonly user?: number | undefined;
  /** Seconds from SIGTERM to the end. @default 40 */
  readonly shutdownSeconds?: number;
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

type Container = k8s.types.input.core.v1.Container;

/** A pod of the program, as far as it depends on what makes the pod. */
export interface PodOf {
  /** What makes the pod: the value of its name label. */
  readonly app: string;
  /** Instead of the image, of a text that pods are compared by. @default - the image */
  readonly image?: string;
  /** Instead of the program's own. @default - the program's own */
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  /** Ports of the container by name. @default - none */
  readonly ports?: readonly (readonly [name: string, port: number])[];
  /** What else the container has, such as probes. */
  readonly container?: Partial<Container>;
  /** What each container of the pod has, sidecars and init containers among them. */
  readonly everyContainer?: Partial<Container>;
  readonly drainSeconds?: Shutdown["drainSeconds"];
  /** @default - that of a Deployment's pods, Always */
  readonly restartPolicy?: "Never" | "OnFailure";
}

export interface Program {
  /** What must exist before the pods do: a computed name does not imply that the object exists. */
  readonly needs: readonly pulumi.Resource[];
  readonly template: (pod: PodOf) => k8s.types.input.core.v1.PodTemplateSpec;
}

/** Makes the Secret and the files of a service's program. @param name of the service and of the container */
export function makeProgram(name: string, args: ProgramArgs, opts: pulumi.CustomResourceOptions): Program {
  const { namespace, env, secretEnv } = args;
  const variables = makeVariables({ prefix: `${name}-env`, service: name, namespace, env, secretEnv }, opts);
  const files = mountFiles(name, namespace, args.files ?? { plain: {}, secret: {} }, opts);
  const scratch = { ...temporary, ...args.scratch };
  const folders = scratchVolumes(scratch);
  const shared = [...folders.mounts, ...files.mounts];
  const others = makeContainers(name, { ...args, shared }, opts);
  const disk = { all: diskBytes(scratch) + others.leftBytes, extra: diskBytes(args.scratch ?? {}) };

  const template = (pod: PodOf) => {
    const { app, ports = [], container = {}, everyContainer = {}, drainSeconds = 0, restartPolicy } = pod;
    const { image = args.image, command = args.command, args: argumentsOf = args.args } = pod;
    return {
      metadata: {
        labels: { ...args.labels, ...commonLabels(app) },
        ...(Object.keys(args.annotations ?? {}).length > 0 && { annotations: { ...args.annotations } }),
      },
      spec: podSpec(
        app,
        { drainSeconds, ...(args.shutdownSeconds !== undefined && { shutdownSeconds: args.shutdownSeconds }) },
        {
          name,
          image,
          ...(command && { command: variables.words(command) }),
          ...(argumentsOf && { args: variables.words(argumentsOf) }),
          ports: ports.map(([each, containerPort]) => ({ name: each, containerPort })),
          ...variables.keys,
          resources: resourcesWithScratch(args.resources, args.autopilot ?? false, disk, args.nodes?.devices),
          volumeMounts: byPath(shared),
          ...everyContainer,
          ...container,
        },
        {
          securityContext: {
            ...(args.user !== undefined && { runAsUser: args.user, runAsGroup: args.user, fsGroup: args.user }),
            // https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted allows it.
            ...([...ports.map(([, port]) => port), ...others.ports].some((port) => port < 1024) && {
              sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
            }),
          },
          ...(args.nodes && { nodeSelector: { ...args.nodes.labels }, tolerations: [...args.nodes.tolerations] }),
          ...others.containers(
            image,
            ports.map(([, port]) => port),
            everyContainer,
          ),
          volumes: [...folders.volumes, ...files.volumes, ...others.volumes],
          ...(args.serviceAccount !== undefined && { serviceAccountName: args.serviceAccount }),
          ...(restartPolicy !== undefined && { restartPolicy }),
        },
      ),
    };
  };
  return {
    needs: [...variables.needs, ...files.resources, ...others.needs],
    template,
  };
}
