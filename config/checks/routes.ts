/** Routes must not conflict, and must name existing services. */
import { fullHost } from "../hosts.ts";
import { allowed, keyOf, problem, type ConfigProblem } from "../problems.ts";
import { protocolOf } from "../routes.ts";
import type { Settings } from "../schema.ts";
import { edgeTimeoutFor, longestWait } from "../timeouts.ts";

type Route = Settings["services"][string]["routes"][number];

/** A route or redirect with its config key. */
interface KeyedHostPath {
  readonly key: string;
  readonly host: string | undefined;
  readonly path: string;
}

export function checkRoutes(settings: Settings): ConfigProblem[] {
  const services = Object.keys(settings.services);
  const hostPath = (key: string, { host, path }: Pick<Route, "host" | "path">): KeyedHostPath => ({
    key,
    host: host === undefined ? undefined : fullHost(host, settings.domain),
    path: path ?? "/",
  });
  const routes = Object.entries(settings.services).flatMap(([name, { routes }]) =>
    routes.map((route, index) => ({ name, route, key: keyOf(["services", name, "routes", index]) })),
  );
  const redirects = settings.proxy.redirects.map((redirect, index) =>
    hostPath(keyOf(["proxy", "redirects", index]), redirect),
  );
  const hostPaths = [...routes.map(({ key, route }) => hostPath(key, route)), ...redirects];
  return [
    ...hostPaths.flatMap(longHost),
    ...conflicts(hostPaths),
    ...routes.flatMap(({ name, route, key }) => checkRoute(name, route, key, services)),
    ...Object.entries(settings.services).flatMap(([name, service]) =>
      service.routes.flatMap((route, index) =>
        protocolOf(route, service) === "grpc"
          ? checkGrpc(route, keyOf(["services", name, "routes", index]), settings)
          : [],
      ),
    ),
    ...checkTimeouts(settings),
    ...checkBodies(settings),
  ];
}

/** Longest DNS name: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4, without the dot at its end. */
const longestName = 253;

function longHost({ key, host }: KeyedHostPath): ConfigProblem[] {
  if (host === undefined || host.length <= longestName) return [];
  return [
    problem(
      `${key}.host`,
      host,
      `has ${host.length} characters with the domain, and a DNS name has at most ${longestName}`,
      "use a shorter host or domain",
    ),
  ];
}

/** The settings of services found by name, with their config paths. */
const wildcardsOf = ({ proxy }: Settings) =>
  Object.entries(proxy.wildcards).flatMap(([by, settings]) =>
    settings === undefined ? [] : [{ path: ["proxy", "wildcards", by], settings }],
  );

function checkTimeouts(settings: Settings): ConfigProblem[] {
  const longest = longestWait(settings.edge) ?? Infinity;
  const withPaths = [
    ...Object.entries(settings.services).flatMap(([name, { routes, routeDefaults }]) => [
      { path: ["services", name, "routeDefaults"], settings: routeDefaults },
      ...routes.map((route, index) => ({ path: ["services", name, "routes", index], settings: route })),
    ]),
    ...wildcardsOf(settings),
  ];
  return withPaths.flatMap(({ path, settings: { timeoutSeconds = 0 } }) =>
    timeoutSeconds <= longest
      ? []
      : problem(
          [...path, "timeoutSeconds"],
          timeoutSeconds,
          `is more than the ${longest} s that the load balancer leaves`,
          `raise ${keyOf(["edge", "timeoutSeconds"])} to ${edgeTimeoutFor(timeoutSeconds)} or more`,
        ),
  );
}

/** Half of the proxy's space under /tmp. Kubernetes evicts a pod that exceeds that space. */
const maxBufferedMb = 512;

function checkBodies(settings: Settings): ConfigProblem[] {
  const withPaths = [
    ...Object.entries(settings.services).flatMap(([name, service]) =>
      service.routes.map((route, index) => ({
        path: ["services", name, ...(route.maxBodyMb === undefined ? ["routeDefaults"] : ["routes", index])],
        // gRPC is never buffered.
        settings: {
          ...service.routeDefaults,
          ...route,
          ...(protocolOf(route, service) === "grpc" && { buffering: false }),
        },
      })),
    ),
    ...wildcardsOf(settings),
  ];
  return withPaths.flatMap(({ path, settings: { maxBodyMb = 10, buffering = true } }) =>
    !buffering || (maxBodyMb !== 0 && maxBodyMb <= maxBufferedMb)
      ? []
      : problem(
          [...path, "maxBodyMb"],
          maxBodyMb,
          `${maxBodyMb === 0 ? "(without limit) " : ""}is more than the ${maxBufferedMb} MiB that the proxy can keep of a body before it passes it on`,
          `set buffering to false beside it, or at most ${maxBufferedMb}`,
        ),
  );
}

/**
 * A prefix (/hoge/) also redirects its bare path (/hoge). A route or redirect for the bare path overrides that; it is
 * not a conflict.
 */
function conflicts(all: readonly KeyedHostPath[]): ConfigProblem[] {
  const seen = new Map<string, string>();
  return all.flatMap(({ key, host, path }) => {
    const hostPath = `${host ?? ""}${path}`;
    const other = seen.get(hostPath);
    if (other === undefined) seen.set(hostPath, key);
    return other === undefined
      ? []
      : problem(key, hostPath, `is already the route ${other}`, "give one of them another path or host");
  });
}

function checkGrpc(route: Route, key: string, { edge, tls, proxy }: Settings): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (tls.mode === "none" && edge.onGoogle)
    problems.push(
      problem(
        `${key}.protocol`,
        "grpc",
        `needs HTTP/2, which Google's load balancer speaks to clients over TLS only, and ${keyOf(["tls", "mode"])} is none`,
        "choose another mode",
      ),
    );
  if (route.buffering !== undefined)
    problems.push(
      problem(
        `${key}.buffering`,
        route.buffering,
        "has no effect on grpc, which is always passed on as it comes",
        "remove it",
      ),
    );
  if (route.host === undefined && (route.path ?? "/") === "/" && proxy.wildcards.path !== undefined)
    problems.push(
      problem(
        key,
        route,
        `takes every path, and with them those of ${keyOf(["proxy", "wildcards", "path"])}`,
        "give it a host or a path such as /shop.v1.Orders/",
      ),
    );
  return problems;
}

function checkRoute(name: string, route: Route, key: string, services: readonly string[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const path = route.path ?? "/";
  if (route.keepPrefix && (path === "/" || !path.endsWith("/")))
    problems.push(
      problem(`${key}.keepPrefix`, true, `has no effect on the path ${path}, which has no prefix`, "remove it"),
    );
  const others = [
    ...(route.canary === undefined ? [] : [{ at: "canary", service: route.canary.service }]),
    ...(route.versions ?? []).map(({ service }, index) => ({ at: `versions[${index}]`, service })),
  ];
  for (const { at, service } of others) {
    if (!services.includes(service))
      problems.push(problem(`${key}.${at}.service`, service, "is not a service", allowed(service, services)));
    if (service === name)
      problems.push(problem(`${key}.${at}.service`, service, "is the route's own service", "name another"));
  }
  return problems;
}
