/** Google roles need workload identity, which only GKE has. */
import { problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

/** Pods that name no account run as this one, so that all of them would have its roles. */
const accountOfAll = "default";

export function checkRoles({ cluster, services }: Settings): ConfigProblem[] {
  if (cluster.kind === "gke")
    return Object.entries(services).flatMap(([name, { roles }]) =>
      name !== accountOfAll || roles.length === 0
        ? []
        : problem(
            ["services", name, "roles"],
            roles,
            "would be those of every pod: they run as the account default, and the service has its name",
            "give the service another name",
          ),
    );
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
