import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, podsService, selectorLabels } from "../../names/kubernetes.ts";
import type { Replicas } from "../../names/replicas.ts";
import { probes, type Health } from "./health.ts";
import { scrapeObject, type Scrape } from "./metricsExporter.ts";
import { recreate, rollingUpdate, rolloutTimeouts, serviceDrainSeconds } from "./pod.ts";
import { makeProgram, type ProgramArgs } from "./program.ts";
import { makeReleaseJob, type Release } from "./releaseJob.ts";
import { deploymentScale, makeAutoscaler, makeDisruptionBudget } from "./replicas.ts";

export interface MicroserviceArgs extends ProgramArgs {
  /** Port of the container. @default - none: a worker, without a Service */
  readonly port?: number | undefined;
  /** Port of the Service. @default - that of the container */
  readonly servicePort?: number | undefined;
  /** Further ports by name. @default - none */
  readonly ports?: Readonly<Record<string, number>>;
  readonly replicas: Replicas;
  /** @default - pods are ready when their program runs */
  readonly health?: Health | undefined;
  /** Whether old pods end before new ones start. @default "rolling" */
  readonly rollout?: "rolling" | "recreate";
  /** The program's own metrics, and who scrapes them. @default - none */
  readonly metrics?: (Pick<Scrape, "scrape" | "labels" | "path"> & { readonly port: number }) | undefined;
  /** What runs before a new release. @default - nothing */
  readonly release?: Release | undefined;
  /** Timeout of a rollout, in seconds. */
  readonly rolloutSeconds: number;
  /** Whether the proxy routes to it. */
  readonly routed: boolean;
  /** Whether callers find its pods by DNS, as the proxy does. @default false */
  readonly headless?: boolean;
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
  /** Created once its pods are ready. */
  readonly ready: pulumi.Resource;

  /** @param name of the component, the Service and the Deployment: a DNS label */
  constructor(name: string, args: MicroserviceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:Microservice", name, {}, opts);
    const service = name;
    const { namespace, port } = args;
    const parent = { parent: this };
    const scaled = { app: service, container: service, namespace, replicas: args.replicas };
    const { metadata, replicas, options } = deploymentScale(scaled);

    const program = makeProgram(name, args, parent);
    const named = Object.entries({ ...(port !== undefined && { http: port }), ...args.ports });
    const { metrics } = args;
    const scraped = named.find(([, each]) => each === metrics?.port)?.[0];
    if (metrics !== undefined && scraped === undefined) named.push(["metrics", metrics.port]);

    const job = args.release && makeReleaseJob(service, namespace, program, args.release, parent);
    const budget = makeDisruptionBudget(name, scaled, parent);
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas,
          selector: { matchLabels: selectorLabels(service) },
          strategy: args.rollout === "recreate" ? recreate : rollingUpdate(1),
          ...progressDeadline([args.health, ...(args.sidecars ?? []).map(({ health }) => health)]),
          template: program.template({
            app: service,
            ports: named,
            // A worker gets no requests that it would have to wait for.
            drainSeconds: port === undefined ? 0 : serviceDrainSeconds,
            container: probes(port, args.health),
          }),
        },
      },
      {
        ...parent,
        ...options,
        dependsOn: [...[budget, job].filter((each) => each !== undefined), ...program.needs],
        customTimeouts: rolloutTimeouts(args.rolloutSeconds),
      },
    );

    this.ready = deployment;
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

/** Kubernetes gives up on a rollout without progress after 600 s: a slow start needs more. */
const progressDeadline = (checks: readonly (Health | undefined)[]) => {
  const seconds = checks.reduce((sum, health) => sum + (health?.startSeconds ?? 0), 0);
  return seconds > 300 ? { progressDeadlineSeconds: seconds + 300 } : {};
};
