/** Google roles need a cluster whose pods Google knows. */
import { keyOf, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkRoles({ cluster, services }: Settings): ConfigProblem[] {
  if (cluster.kind === "gke") return [];
  return Object.entries(services)
    .filter(([, { roles }]) => roles.length > 0)
    .map(([name]) => ({
      key: keyOf(["services", name, "roles"]),
      message: `needs cluster.kind gke, not ${cluster.kind}: only there are pods known to Google; remove the roles`,
    }));
}
