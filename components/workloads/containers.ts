/** What else runs in a service's pods than its program: sidecars, which start before it, and init containers. */
import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { diskBytes, temporary } from "../../names/scratch.ts";
import { byPath, type Mount } from "./files.ts";
import { sidecarProbes, type Health } from "./health.ts";
import { resourcesWithScratch, restrictedContainer, type Resources } from "./pod.ts";
import { scratchVolumes } from "./scratch.ts";
import { makeVariables, type EnvVar } from "./variables.ts";

export interface InitArgs {
  /** A DNS label, other than the service's and those of its other containers. */
  readonly name: string;
  /** @default - the service's */
  readonly image?: pulumi.Input<string> | undefined;
  /** Instead of the image's entry point. `$(NAME)` is a variable's value, everything else is text. */
  readonly command?: readonly string[] | undefined;
  /** Instead of the image's arguments, as for `command`. */
  readonly args?: readonly string[] | undefined;
  /** In the order in which `$(NAME)` finds them. */
  readonly env: readonly EnvVar[];
  /** Environment variables in a Secret of its own. @default - none */
  readonly secretEnv?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly resources: Resources;
  /** Paths of the service's folders and files that it sees too. @default - none */
  readonly shares?: readonly string[];
  /** User and group ID. @default - the pod's */
  readonly user?: number | undefined;
}

export interface SidecarArgs extends InitArgs {
  readonly port?: number | undefined;
  /** @default - it is ready when it runs */
  readonly health?: Health | undefined;
}

interface PodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly autopilot?: boolean;
  readonly sidecars?: readonly SidecarArgs[];
  readonly init?: readonly InitArgs[];
  /** The service's folders and files. */
  readonly shared: readonly Mount[];
}

type Container = k8s.types.input.core.v1.Container;

export interface Containers {
  /**
   * Of the pod: nothing without any.
   * @param image of those that name none
   * @param declared ports that the program's container declares
   * @param more what each has
   */
  readonly containers: (
    image: pulumi.Input<string>,
    declared: readonly number[],
    more: Partial<Container>,
  ) => { readonly initContainers?: Container[] };
  readonly volumes: readonly k8s.types.input.core.v1.Volume[];
  readonly needs: readonly pulumi.Resource[];
  /** Ports that sidecars listen on. */
  readonly ports: readonly number[];
  /** Disk that the folders of init containers use on, after these have ended. */
  readonly leftBytes: number;
}

/** Name of the folder that is a container's own. */
const tmpOf = (name: string) => `tmp-${name}`;

/**
 * A sidecar is an init container that never ends. Kubernetes ends it after the program, so that it lives as long as
 * requests do, and no Job waits for it (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/). All
 * sidecars come first: an init container can use them.
 * @param service that the Secrets belong to
 */
export function makeContainers(
  service: string,
  { namespace, autopilot = false, sidecars = [], init = [], shared }: PodArgs,
  opts: pulumi.CustomResourceOptions,
): Containers {
  const needs: pulumi.Resource[] = [];
  const disk = { all: diskBytes(temporary), extra: 0 };
  const make = (args: InitArgs): Container => {
    const { name, command, env, secretEnv, user, shares = [] } = args;
    // With a dot, which no name of a service has: otherwise another service's Secret might have the same name.
    const prefix = `${service}.${name}-env`;
    const variables = makeVariables({ prefix, service, namespace, env, secretEnv }, opts);
    needs.push(...variables.needs);
    return {
      securityContext: {
        ...restrictedContainer.securityContext,
        ...(user !== undefined && { runAsUser: user, runAsGroup: user }),
      },
      name,
      ...(args.image !== undefined && { image: args.image }),
      ...(command && { command: variables.words(command) }),
      ...(args.args && { args: variables.words(args.args) }),
      ...variables.keys,
      resources: resourcesWithScratch(args.resources, autopilot, disk),
      volumeMounts: byPath([
        { name: tmpOf(name), mountPath: "/tmp" },
        ...shared.filter(({ mountPath }) => shares.includes(mountPath)),
      ]),
    };
  };
  const started = sidecars.map((args) => ({ args, container: make(args) }));
  const run = init.map(make);
  const withPort = ({ args: { port, health }, container }: (typeof started)[number], declared: readonly number[]) => ({
    ...container,
    restartPolicy: "Always",
    // Kubernetes warns of a port that two containers declare, such as that of metrics.
    ...(port !== undefined && !declared.includes(port) && { ports: [{ containerPort: port }] }),
    ...sidecarProbes(health),
  });
  return {
    containers: (image, declared, more) => {
      const all = [...started.map((each) => withPort(each, declared)), ...run];
      return all.length === 0 ? {} : { initContainers: all.map((each) => ({ image, ...each, ...more })) };
    },
    volumes: [...sidecars, ...init].flatMap(({ name }) =>
      scratchVolumes(temporary).volumes.map((volume) => ({ ...volume, name: tmpOf(name) })),
    ),
    needs,
    ports: sidecars.flatMap(({ port }) => port ?? []),
    leftBytes: init.length * diskBytes(temporary),
  };
}
