import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash, podsService, selectorLabels, literal } from "../../names/kubernetes.ts";
import {
  disruptionBudget,
  podSpec,
  readiness,
  resourceRequirements,
  rollingUpdate,
  rolloutTimeouts,
  serviceDrainSeconds,
  type Resources,
} from "./pod.ts";

export interface MicroserviceArgs {
  readonly namespace: pulumi.Input<string>;
  /** Image by tag or digest. */
  readonly image: pulumi.Input<string>;
  /** Port of the container and of its Service, at least 1024. */
  readonly port: number;
  readonly replicas: number;
  /** Path that returns 200 when the pod is ready. @default - gRPC health check (grpc.health.v1) */
  readonly healthPath?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Environment variables in a Secret. @default - none */
  readonly secretEnv?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
  readonly resources: Resources;
  /** Whether Autopilot manages the nodes. @default false */
  readonly autopilot?: boolean;
  /** Kubernetes ServiceAccount of the pods. @default - the namespace's default, without permissions */
  readonly serviceAccount?: pulumi.Input<string> | undefined;
  /** Timeout of a rollout, in seconds. */
  readonly rolloutSeconds: number;
  /** Whether the proxy routes to it. */
  readonly routed: boolean;
}

/**
 * One microservice: a Deployment and a ClusterIP Service, at `<service>.<namespace>.svc.cluster.local`. A routed one
 * also has a headless Service, which the proxy uses to find its pods.
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
    const metadata = { name: service, namespace, labels: commonLabels(service) };

    // https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-grpc-liveness-probe
    const health =
      args.healthPath === undefined ? { grpc: { port } } : { httpGet: { path: args.healthPath, port: "http" } };

    const secretEnv = args.secretEnv ?? {};
    const secret =
      Object.keys(secretEnv).length === 0
        ? undefined
        : new SecretEnv(name, { service, namespace, values: secretEnv }, parent);

    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selectorLabels(service) },
          strategy: rollingUpdate(1),
          template: {
            metadata: { labels: commonLabels(service) },
            spec: podSpec(
              service,
              serviceDrainSeconds,
              {
                name: service,
                image: args.image,
                ports: [{ name: "http", containerPort: port }],
                env: Object.entries(args.env).map(([key, value]) => ({ name: key, value: literal(value) })),
                ...(secret && { envFrom: [{ secretRef: { name: secret.secretName } }] }),
                resources: resourceRequirements(args.resources, args.autopilot ?? false),
                startupProbe: { ...health, periodSeconds: 1, failureThreshold: 60 },
                readinessProbe: { ...health, ...readiness(3) },
                // Not the health path: never restart a service that is only busy or draining.
                livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 10, failureThreshold: 6 },
              },
              args.serviceAccount === undefined ? {} : { serviceAccountName: args.serviceAccount },
            ),
          },
        },
      },
      {
        ...parent,
        dependsOn: secret === undefined ? [] : [secret.resource],
        customTimeouts: rolloutTimeouts(args.rolloutSeconds),
      },
    );

    const annotations = { "pulumi.com/skipAwait": "true" };
    const selected = { selector: selectorLabels(service), ports: [{ name: "http", port, targetPort: "http" }] };
    new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: { ...metadata, annotations }, spec: { type: "ClusterIP", ...selected } },
      parent,
    );
    this.upstream = args.routed
      ? [
          deployment,
          new k8s.core.v1.Service(
            `${name}-pods`,
            {
              metadata: { ...metadata, name: podsService(service), annotations },
              spec: { type: "ClusterIP", clusterIP: "None", ...selected },
            },
            parent,
          ),
        ]
      : [];

    if (args.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-disruption`,
        { metadata, spec: disruptionBudget(service) },
        parent,
      );
    }

    this.address = pulumi.interpolate`${service}.${namespace}.svc.cluster.local`;
    this.registerOutputs({ address: this.address });
  }
}

interface SecretEnvArgs {
  readonly service: string;
  readonly namespace: pulumi.Input<string>;
  readonly values: Readonly<Record<string, pulumi.Input<string>>>;
}

/** A Secret named after its content: a new value rolls out like a release, and old pods keep their values. */
class SecretEnv {
  readonly secretName: pulumi.Output<string>;
  /** Dependency of the pods: the computed name does not imply that the Secret exists. */
  readonly resource: k8s.core.v1.Secret;

  constructor(name: string, { service, namespace, values }: SecretEnvArgs, opts: pulumi.CustomResourceOptions) {
    const stringData = pulumi.secret(pulumi.all(values));
    // Mark the name as not secret: it is only a hash. A secret name would hide every pod template that uses it.
    this.secretName = pulumi.unsecret(stringData.apply((data) => `${service}-env-${contentHash(data)}`));
    this.resource = new k8s.core.v1.Secret(
      `${name}-env`,
      { metadata: { name: this.secretName, namespace, labels: commonLabels(service) }, immutable: true, stringData },
      opts,
    );
  }
}
