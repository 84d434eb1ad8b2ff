/** The proxy's memory, which grows with what it routes. */
import { keyOf } from "../problems.ts";
import { proxyRoutes } from "../routes.ts";
import type { Settings } from "../schema.ts";

const units: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 };

/** Of a Kubernetes quantity such as 128Mi. */
const bytesOf = (quantity: string): number => parseInt(quantity, 10) * (units[quantity.replace(/^\d+/, "")] ?? 1);

/** MiB of two workers with a load, by what 1,000 of each were measured to take: 54 KiB for a service, 43 KiB for a route. */
const estimate = (services: number, routes: number): number => 24 + services / 16 + routes / 24;

/** A pod that takes more memory than it may have is ended by Kubernetes, started again, and ended again. */
export function memoryWarnings(settings: Settings): string[] {
  const { upstreams, routes } = proxyRoutes(settings);
  const { memory } = settings.proxy.resources;
  const needed = estimate(upstreams.length, routes.length);
  if (bytesOf(memory) >= needed * 2 ** 20) return [];
  return [
    `${keyOf(["proxy", "resources", "memory"])}: ${memory} may be too little for ${upstreams.length} services and ${routes.length} routes; set ${Math.ceil(needed / 64) * 64}Mi or more`,
  ];
}
