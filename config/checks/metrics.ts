/** What is measured must be possible where the stack runs. */
import { keyOf, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkMetrics({ cluster, proxy }: Settings): ConfigProblem[] {
  return proxy.metrics.byService && cluster.kind !== "gke"
    ? [
        {
          key: keyOf(["proxy", "metrics", "byService"]),
          message: `true makes a metric from Cloud Logging, which has the logs of clusters on Google; ${keyOf(["cluster", "kind"])} is ${cluster.kind}: leave it out`,
        },
      ]
    : [];
}
