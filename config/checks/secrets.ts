/** Every secret must belong to a service, to several, or to tls. */
import { hidden, problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";
import { secretsNamedBy, sharedSecrets } from "../variables.ts";

export function checkSecrets(settings: Settings): ConfigProblem[] {
  return Object.entries(settings.secrets).flatMap(([name, values]) => {
    if (name === "tls" || name === sharedSecrets || values === undefined) return [];
    // Check own keys only: a service or a variable may be called `constructor`.
    const service = Object.hasOwn(settings.services, name) ? settings.services[name] : undefined;
    if (service === undefined)
      return [
        problem(
          ["secrets", name],
          values,
          "is for a service that does not exist",
          `name one of the services: ${Object.keys(settings.services).join(", ")}`,
        ),
      ];
    const named = secretsNamedBy(service);
    return Object.keys(values)
      .filter((variable) => Object.hasOwn(service.env, variable) && !named.has(variable))
      .map((variable) =>
        problem(["secrets", name, variable], hidden, `is also in services.${name}.env`, "keep it in one of the two"),
      );
  });
}
