/** Estimates the proxy's memory, which grows with services and routes. */
import { keyOf } from "../problems.ts";
import { proxyRoutes } from "../routes.ts";
import type { Settings } from "../schema.ts";

const units: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 };

/** Parses a Kubernetes quantity such as 128Mi. */
const bytesOf = (quantity: string): number => parseInt(quantity, 10) * (units[quantity.replace(/^\d+/, "")] ?? 1);

/** MiB for two workers under load. Measured with 1,000 of each: 54 KiB per service, 43 KiB per route. */
const estimate = (services: number, routes: number): number => 24 + services / 16 + routes / 24;

/** Kubernetes kills a pod that exceeds its memory limit, restarts it, and kills it again. */
export function memoryWarnings(settings: Settings): string[] {
  const { upstreams, routes } = proxyRoutes(settings);
  const { memory } = settings.proxy.resources;
  const needed = estimate(upstreams.length, routes.length);
  if (bytesOf(memory) >= needed * 2 ** 20) return [];
  return [
    `${keyOf(["proxy", "resources", "memory"])}: ${memory} may be too little for ${upstreams.length} services and ${routes.length} routes; set ${Math.ceil(needed / 64) * 64}Mi or more`,
  ];
}
