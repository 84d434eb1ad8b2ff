/** Metrics of the proxy and of services, with defaults by kind of cluster. */
import type { ProxyMetrics } from "../components/workloads/metricsExporter.ts";
import type { ServiceSettings, Settings } from "./schema.ts";

/**
 * GKE scrapes metrics by default; other clusters may have no collector.
 * @returns undefined without metrics
 */
export function proxyMetrics({
  cluster,
  proxy,
}: {
  readonly cluster: Pick<Settings["cluster"], "kind" | "mode">;
  readonly proxy: Pick<Settings["proxy"], "metrics">;
}): ProxyMetrics | undefined {
  const { scrape = cluster.kind === "gke" ? "google" : "none", image, resources, labels } = proxy.metrics;
  const cpu = resources.cpu ?? (cluster.mode === "autopilot" ? "50m" : "10m");
  return scrape === "none" ? undefined : { image, resources: { ...resources, cpu }, labels, scrape };
}

/** The port of a service's own metrics: 0 for a worker that names none, which a check refuses. */
export const metricsPort = ({ port, metrics }: Pick<ServiceSettings, "port" | "metrics">): number =>
  metrics?.port ?? (port === "none" ? 0 : port);
