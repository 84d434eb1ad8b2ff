/** Estimates the proxy's memory, which grows with services and routes. */
import { enoughForRequestsMb, ownMemoryMb } from "../../nginx/bounds.ts";
import { keyOf } from "../problems.ts";
import { bytesOf } from "../../names/quantities.ts";
import { proxyRoutes } from "../routes.ts";
import type { Settings } from "../schema.ts";

/** Kubernetes kills a pod that exceeds its memory limit, restarts it, and kills it again. */
export function memoryWarnings(settings: Settings): string[] {
  const proxy = proxyRoutes(settings);
  const { memory } = settings.proxy.resources;
  const needed = ownMemoryMb(proxy) + enoughForRequestsMb;
  if (bytesOf(memory) >= needed * 2 ** 20) return [];
  return [
    `${keyOf(["proxy", "resources", "memory"])}: ${memory} may be too little for ${proxy.upstreams.length} services and ${proxy.routes.length} routes; set ${Math.ceil(needed / 64) * 64}Mi or more`,
  ];
}
