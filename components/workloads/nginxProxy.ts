import { setTimeout as sleep } from "node:timers/promises";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { grpcTlsFolder } from "../../nginx/grpc.ts";
import { boundsOf } from "../../nginx/bounds.ts";
import { metricsText } from "../../nginx/status.ts";
import { isGrpc, learningSeconds } from "../../nginx/upstreams.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import type { ProxyRoutes } from "../../nginx/model.ts";
import type { Replicas } from "../../names/replicas.ts";
import { makeGrpcPort, type GrpcService } from "./grpcPort.ts";
import { exporterContainer, nginxMetrics, scrapeObject, type ProxyMetrics } from "./metricsExporter.ts";
import { commonLabels, contentHash, proxyName, selectorLabels } from "../../names/kubernetes.ts";
import { proxyHealthPath, proxyPorts, proxyServicePorts } from "../../names/ports.ts";
import { podSpec, readiness, resourceRequirements, rollingUpdate, rolloutTimeouts, type Resources } from "./pod.ts";
import { deploymentScale, makeAutoscaler, makeDisruptionBudget } from "./replicas.ts";

export interface NginxProxyArgs {
  readonly namespace: pulumi.Input<string>;
  /** Image built from `nginx/`, by tag or digest. */
  readonly image: pulumi.Input<string>;
  readonly replicas: Replicas;
  /** Routes, upstreams and trusted proxies. */
  readonly routes: ProxyRoutes;
  readonly resources: Resources;
  /** Whether Autopilot manages the nodes. @default false */
  readonly autopilot?: boolean;
  /** Timeout of a rollout, in seconds. */
  readonly rolloutSeconds: number;
  /** Seconds that a terminating pod still serves, until the load balancer stops sending requests. */
  readonly drainSeconds: number;
  /** Annotations of the Service for the load balancer. @default - none */
  readonly serviceAnnotations?: Readonly<Record<string, string>>;
  /** How the edge learns the protocol of the gRPC port, which exists only with gRPC routes. @default - no hint */
  readonly grpcService?: GrpcService;
  /** Metrics exporter beside nginx. @default - none */
  readonly metrics?: ProxyMetrics | undefined;
}

/** The ConfigMap of the routes, named after its content. */
export function routesConfigMap(routes: ProxyRoutes, metrics: ProxyMetrics | undefined) {
  const data = { "routes.conf": renderRoutes(routes), ...(metrics && { "metrics.conf": metricsText }) };
  return { name: `${proxyName}-routes-${contentHash(data)}`, data };
}

/**
 * Milliseconds until pods of the previous release have drained: they still get requests, and send them to services that
 * the config no longer has. The engine deletes these after the program has ended.
 */
export function untilDrained(
  annotations: Readonly<Record<string, string>> = {},
  status: { readonly conditions?: readonly { readonly type: string; readonly lastUpdateTime?: string }[] } | undefined,
  drainSeconds: number,
  now = Date.now(),
): number {
  // https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progressing-deployment
  const progressed = status?.conditions?.find(({ type }) => type === "Progressing")?.lastUpdateTime;
  const isFirst = annotations["deployment.kubernetes.io/revision"] === "1";
  if (progressed === undefined || isFirst) return 0;
  // Also with a clock that is wrong, it is the drain time at most.
  return Math.min(Math.max(0, Date.parse(progressed) + drainSeconds * 1000 - now), drainSeconds * 1000);
}

/** nginx as a Deployment and a ClusterIP Service, with its routes in a ConfigMap. */
export class NginxProxy extends pulumi.ComponentResource {
  /** Name of the Service, for the Ingress or Gateway. */
  readonly serviceName: pulumi.Output<string>;
  /** Name of the gRPC Service; undefined without gRPC routes. */
  readonly grpcServiceName: pulumi.Output<string> | undefined;
  /** The value, once no pod with the previous routes gets new requests any more. */
  readonly whenInEffect: <Value>(value: Value) => pulumi.Input<Value>;

  constructor(name: string, args: NginxProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:NginxProxy", name, {}, opts);
    const { namespace, metrics, autopilot = false } = args;
    const parent = { parent: this };
    const app = proxyName;
    const scaled = { app, container: "nginx", namespace, replicas: args.replicas };
    const { metadata, replicas, options } = deploymentScale(scaled);

    // A changed route creates a new ConfigMap, and so a rollout. You can watch it and roll it back like a release.
    const { name: routesName, data } = routesConfigMap(args.routes, metrics);
    const routes = new k8s.core.v1.ConfigMap(
      `${name}-routes`,
      { metadata: { name: routesName, namespace, labels: commonLabels(app) }, immutable: true, data },
      parent,
    );

    const grpc = args.routes.routes.some(isGrpc)
      ? makeGrpcPort(name, namespace, args.grpcService ?? {}, parent)
      : undefined;
    const { diskMb } = boundsOf(args.routes);
    const learning = learningSeconds(args.routes.upstreams.length);
    const health = { httpGet: { path: proxyHealthPath, port: "health" } };
    const budget = makeDisruptionBudget(name, scaled, parent);
    const deployment = new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas,
          selector: { matchLabels: selectorLabels(app) },
          strategy: rollingUpdate("100%"),
          template: {
            metadata: { labels: commonLabels(app) },
            spec: podSpec(
              app,
              { drainSeconds: args.drainSeconds },
              {
                name: scaled.container,
                image: args.image,
                ports: [
                  { name: "http", containerPort: proxyPorts.http },
                  ...(grpc ? [{ name: "grpc", containerPort: proxyPorts.grpc }] : []),
                  { name: "health", containerPort: proxyPorts.health },
                ],
                volumeMounts: [
                  { name: "routes", mountPath: "/etc/nginx/routes", readOnly: true },
                  ...(grpc ? [{ name: "grpc-tls", mountPath: grpcTlsFolder, readOnly: true }] : []),
                  { name: "tmp", mountPath: "/tmp" },
                ],
                // The disk limit covers the volume below and the container's log.
                resources: resourceRequirements(args.resources, autopilot, `${diskMb + 512}Mi`),
                // nginx itself starts within a second. Before, the entry point waits for DNS.
                startupProbe: { ...health, periodSeconds: 1, failureThreshold: 600 },
                readinessProbe: { ...health, ...readiness(1), ...(learning > 0 && { initialDelaySeconds: learning }) },
                livenessProbe: { ...health, periodSeconds: 10, failureThreshold: 6 },
              },
              {
                ...(metrics && { initContainers: [exporterContainer(metrics, autopilot)] }),
                volumes: [
                  { name: "routes", configMap: { name: routesName } },
                  ...(grpc ? [{ name: "grpc-tls", secret: { secretName: grpc.secretName } }] : []),
                  { name: "tmp", emptyDir: { sizeLimit: `${diskMb}Mi` } },
                ],
              },
            ),
          },
        },
      },
      {
        ...parent,
        ...options,
        dependsOn: [routes, ...(budget === undefined ? [] : [budget])],
        customTimeouts: rolloutTimeouts(args.rolloutSeconds),
      },
    );
    makeAutoscaler(name, scaled, budget, { ...parent, dependsOn: [deployment] });

    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true", ...args.serviceAnnotations } },
        spec: {
          type: "ClusterIP",
          selector: selectorLabels(app),
          ports: [{ name: "http", port: proxyServicePorts.http, targetPort: "http" }],
        },
      },
      parent,
    );

    if (metrics !== undefined) scrapeObject(name, app, namespace, { ...metrics, keep: nginxMetrics }, parent);

    this.whenInEffect = (value) =>
      pulumi.runtime.isDryRun()
        ? value
        : pulumi.all([deployment.metadata, deployment.status]).apply(async ([{ annotations }, status]) => {
            await sleep(untilDrained(annotations, status, args.drainSeconds));
            return value;
          });
    this.serviceName = service.metadata.name;
    this.grpcServiceName = grpc?.serviceName;
    this.registerOutputs({ serviceName: this.serviceName, ...(grpc && { grpcServiceName: grpc.serviceName }) });
  }
}
