/** Prometheus metrics: the object that configures scraping, and the exporter beside nginx. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { statusUrl } from "../../nginx/status.ts";
import { commonLabels, selectorLabels } from "../../names/kubernetes.ts";
import { proxyPorts } from "../../names/ports.ts";
import { resourceRequirements, restrictedContainer, type Resources } from "./pod.ts";

export interface ProxyMetrics {
  /** nginx-prometheus-exporter, by tag or digest. */
  readonly image: string;
  readonly resources: Resources;
  /**
   * Who scrapes: Google's Managed Service for Prometheus (`PodMonitoring`), the Prometheus Operator (`PodMonitor`), or
   * your own config. Your own must find the pods' port `metrics`.
   */
  readonly scrape: "google" | "prometheus-operator" | "own";
  /** Labels of the scrape object, for a Prometheus Operator that selects by label. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * A Kubernetes sidecar container. It starts before nginx and stops after it, and no pod waits for it to end
 * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/). It has no probe, so that a pod is ready
 * exactly when nginx is. If nginx does not answer, it reports `nginx_up 0`.
 */
export const exporterContainer = (
  { image, resources }: ProxyMetrics,
  autopilot: boolean,
): k8s.types.input.core.v1.Container => ({
  ...restrictedContainer,
  name: "metrics",
  image,
  restartPolicy: "Always",
  args: [`--nginx.scrape-uri=${statusUrl}`, `--web.listen-address=:${proxyPorts.metrics}`, "--log.format=json"],
  ports: [{ name: "metrics", containerPort: proxyPorts.metrics }],
  resources: resourceRequirements(resources, autopilot),
});

const kinds = {
  // https://docs.cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed
  google: { apiVersion: "monitoring.googleapis.com/v1", kind: "PodMonitoring" },
  // https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
  "prometheus-operator": { apiVersion: "monitoring.coreos.com/v1", kind: "PodMonitor" },
};

/** What to scrape, and who does it. */
export interface Scrape extends Pick<ProxyMetrics, "scrape" | "labels"> {
  /** Name of the container's port. @default "metrics" */
  readonly port?: string;
  /** @default "/metrics" */
  readonly path?: string;
  /** Names of the metrics to keep, as a regular expression. @default - all */
  readonly keep?: string;
}

/** Google bills samples: without the exporter's own metrics a pod of the proxy has 9 series instead of 50. */
export const nginxMetrics = "nginx_.*";

/** Configures scraping of the pods of `app`, as a child of a component. */
export function scrapeObject(
  name: string,
  app: string,
  namespace: pulumi.Input<string>,
  { scrape, labels, port = "metrics", path, keep }: Scrape,
  opts: pulumi.CustomResourceOptions,
): void {
  if (scrape === "own") return;
  const endpoint = { port, ...(path !== undefined && { path }), interval: "30s" };
  const relabeling = keep === undefined ? undefined : [{ action: "keep", sourceLabels: ["__name__"], regex: keep }];
  const selector = { matchLabels: selectorLabels(app) };
  new k8s.apiextensions.CustomResource(
    `${name}-metrics`,
    {
      ...kinds[scrape],
      metadata: { name: app, namespace, labels: { ...labels, ...commonLabels(app) } },
      spec:
        scrape === "google"
          ? { selector, endpoints: [{ ...endpoint, ...(relabeling && { metricRelabeling: relabeling }) }] }
          : { selector, podMetricsEndpoints: [{ ...endpoint, ...(relabeling && { metricRelabelings: relabeling }) }] },
    },
    opts,
  );
}
