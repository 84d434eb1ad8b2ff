/** Google roles need workload identity, which only GKE has. */
import { problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkRoles({ cluster, services }: Settings): ConfigProblem[] {
  if (cluster.kind === "gke") return [];
  return Object.entries(services)
    .filter(([, { roles }]) => roles.length > 0)
    .map(([name, { roles }]) =>
      problem(
        ["services", name, "roles"],
        roles,
        `needs cluster.kind gke, not ${cluster.kind}: Google knows the pods of its own clusters only`,
        "remove the roles",
      ),
    );
}
