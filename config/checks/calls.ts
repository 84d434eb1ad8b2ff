/** Services call services that there are. */
import { allowed, keyOf, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

export function checkCalls({ services }: Settings): ConfigProblem[] {
  return Object.entries(services).flatMap(([name, { calls }]) =>
    calls.flatMap((called, index) => {
      if (called !== name && Object.hasOwn(services, called)) return [];
      const key = keyOf(["services", name, "calls", index]);
      if (called === name) return [{ key, message: `"${called}" is the service itself; remove it` }];
      const others = Object.keys(services).filter((other) => other !== name);
      const choice = others.length === 0 ? "there is no other service; remove it" : allowed(called, others);
      return [{ key, message: `"${called}" is not another service; ${choice}` }];
    }),
  );
}
