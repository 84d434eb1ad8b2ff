/** A Gateway of Google's class needs GKE, and supports fewer settings than an Ingress. */
import { problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkGateway({ cluster, edge }: Settings): ConfigProblem[] {
  if (edge.kind !== "gateway" || !edge.onGoogle) return [];
  const problems: ConfigProblem[] = [];
  if (cluster.kind !== "gke")
    problems.push(
      problem(
        ["edge", "className"],
        edge.className,
        `needs cluster.kind gke, not ${cluster.kind}`,
        "name the GatewayClass of a controller that the cluster has",
      ),
    );
  // https://github.com/GoogleCloudPlatform/gke-gateway-api/issues/57
  if (edge.iap !== undefined)
    problems.push(
      problem(
        ["edge", "iap"],
        edge.iap,
        "needs edge.kind gce: a Gateway takes IAP only with an OAuth client made by hand, not with the one that Google keeps",
        "use gce, or leave iap out",
      ),
    );
  return problems;
}
