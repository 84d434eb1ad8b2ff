/** Whether and how the proxy is measured, where the stack does not say. */
import type { ProxyMetrics } from "../components/workloads/metricsExporter.ts";
import type { Settings } from "./schema.ts";

/**
 * GKE's clusters scrape by themselves; of other clusters it is not known whether anybody does.
 * @returns undefined without metrics
 */
export function proxyMetrics({
  cluster,
  proxy,
}: {
  readonly cluster: { readonly kind: string };
  readonly proxy: Pick<Settings["proxy"], "metrics">;
}): ProxyMetrics | undefined {
  const { scrape = cluster.kind === "gke" ? "google" : "none", image, resources, labels } = proxy.metrics;
  return scrape === "none" ? undefined : { image, resources, labels, scrape };
}
