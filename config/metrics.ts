/** Metrics of the proxy, with defaults by kind of cluster. */
import type { ProxyMetrics } from "../components/workloads/metricsExporter.ts";
import type { Settings } from "./schema.ts";

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
