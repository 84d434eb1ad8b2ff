/** Metrics by service need a cluster on Google. */
import { keyOf, problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkMetrics({ cluster, proxy }: Settings): ConfigProblem[] {
  return proxy.metrics.byService && cluster.kind !== "gke"
    ? [
        problem(
          ["proxy", "metrics", "byService"],
          proxy.metrics.byService,
          `counts the logs in Cloud Logging, which only clusters on Google write to, and ${keyOf(["cluster", "kind"])} is ${cluster.kind}`,
          "leave it out",
        ),
      ]
    : [];
}
