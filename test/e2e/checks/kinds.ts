/** Which kinds of objects an API server can check. */
import { kubectl, type Place } from "../../../local/kubectl.ts";

/** Kinds that only GKE has, or an operator brings, and whose definitions the local Kubernetes has not. */
export const undefinedKinds = [
  "BackendConfig",
  "FrontendConfig",
  "GCPBackendPolicy",
  "GCPGatewayPolicy",
  "GCPHTTPFilter",
  "HealthCheckPolicy",
  "PodMonitor",
  "PodMonitoring",
];

/** `apps/v1 Deployment` and so on: those that the server has. */
export async function knownKinds(place: Place): Promise<Set<string>> {
  const lines = (await kubectl(place, ["api-resources", "--no-headers"])).trim().split("\n");
  // NAME SHORTNAMES APIVERSION NAMESPACED KIND; some have no short name.
  return new Set(lines.map((line) => line.split(/\s+/).slice(-3)).map(([version, , kind]) => `${version} ${kind}`));
}
