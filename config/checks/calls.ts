/** Services may call only existing services. */
import { allowed, problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkCalls({ services }: Settings): ConfigProblem[] {
  return Object.entries(services).flatMap(([name, { calls }]) =>
    calls.flatMap((called, index) => {
      if (called !== name && Object.hasOwn(services, called)) return [];
      const key = ["services", name, "calls", index];
      if (called === name) return problem(key, called, "is the service itself, which needs no permission", "remove it");
      const others = Object.keys(services).filter((other) => other !== name);
      return others.length === 0
        ? problem(key, called, "is not another service: there is none", "remove it")
        : problem(key, called, "is not another service", allowed(called, others));
    }),
  );
}
