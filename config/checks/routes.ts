/** Routes must not contradict each other. */
import { fullHost } from "../hosts.ts";
import { keyOf, type ConfigProblem } from "../report.ts";
import type { Settings } from "../schema.ts";

export function checkRoutes(settings: Settings): ConfigProblem[] {
  const seen = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const [name, service] of Object.entries(settings.services)) {
    service.routes.forEach((route, index) => {
      const key = keyOf(["services", name, "routes", index]);
      const host = route.host === undefined ? "" : fullHost(route.host, settings.domain);
      // The bare name of a prefix (/hoge) redirects to it, so it is taken by the same route.
      const path = route.path ?? "/";
      const taken = [
        `${host}${path}`,
        ...(path.length > 1 && path.endsWith("/") ? [`${host}${path.slice(0, -1)}`] : []),
      ];
      const other = taken.map((place) => seen.get(place)).find((owner) => owner !== undefined);
      if (other !== undefined)
        problems.push({
          key,
          message: `${taken[0] ?? ""} is already the route ${other}; give one of them another path or host`,
        });
      for (const place of taken) seen.set(place, key);
      if (route.keepPrefix && (path === "/" || !path.endsWith("/"))) {
        problems.push({ key, message: `keepPrefix says nothing for the path ${path}, which has no prefix; remove it` });
      }
    });
  }
  return problems;
}
