/** Estimates the proxy's memory, which grows with services and routes. */
import { keyOf } from "../problems.ts";
import { bytesOf } from "../quantities.ts";
import { proxyRoutes } from "../routes.ts";
import type { Settings } from "../schema.ts";

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
