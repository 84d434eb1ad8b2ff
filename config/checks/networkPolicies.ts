/** Services call services that there are. */
import { allowed, keyOf, type ConfigProblem } from "../report.ts";
import type { Settings } from "../schema.ts";

export function checkCalls({ services }: Settings): ConfigProblem[] {
  return Object.entries(services).flatMap(([name, { calls }]) => {
    const others = Object.keys(services).filter((other) => other !== name);
    return calls.flatMap((called, index) => {
      if (others.includes(called)) return [];
      const key = keyOf(["services", name, "calls", index]);
      if (called === name) return [{ key, message: `"${called}" is the service itself; remove it` }];
      const choice = others.length === 0 ? "there is no other service; remove it" : allowed(called, others);
      return [{ key, message: `"${called}" is no other service; ${choice}` }];
    });
  });
}
