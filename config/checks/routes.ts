/** Routes must not conflict, and must name existing services. */
import { isMethodPath } from "../../nginx/routeChecks.ts";
import { fullHost } from "../hosts.ts";
import { allowed, keyOf, problem, type ConfigProblem } from "../problems.ts";
import { protocolOf } from "../routes.ts";
import type { Settings } from "../schema.ts";
import { edgeTimeoutFor, longestWait } from "../timeouts.ts";

type Route = Settings["services"][string]["routes"][number];
type Redirect = Settings["proxy"]["redirects"][number];

/** A route or redirect with its config key. */
interface KeyedHostPath {
  readonly key: string;
  readonly host: string | undefined;
  readonly path: string;
}

type KeyedRoute = ReturnType<typeof keyedRoutes>[number];

/** The routes of all services, with the names of these, the protocols and the config keys. */
const keyedRoutes = ({ services }: Pick<Settings, "services">) =>
  Object.entries(services).flatMap(([name, service]) =>
    service.routes.map((route, index) => ({
      name,
      route,
      protocol: protocolOf(route, service),
      key: keyOf(["services", name, "routes", index]),
    })),
  );

export function checkRoutes(settings: Settings): ConfigProblem[] {
  const services = Object.keys(settings.services);
  const hostPath = (key: string, { host, path }: Pick<Route, "host" | "path">): KeyedHostPath => ({
    key,
    host: host === undefined ? undefined : fullHost(host, settings.domain),
    path: path ?? "/",
  });
  const routes = keyedRoutes(settings);
  const redirects = settings.proxy.redirects.map((redirect, index) => ({
    ...hostPath(keyOf(["proxy", "redirects", index]), redirect),
    to: redirect.to,
  }));
  const hostPaths = [...routes.map(({ key, route }) => hostPath(key, route)), ...redirects];
  return [
    ...hostPaths.flatMap(longHost),
    ...conflicts(hostPaths),
    ...redirects.flatMap((redirect) => circles(redirect, hostPaths, settings.domain)),
    ...routes.flatMap(({ name, route, key }) => checkRoute(name, route, key, services)),
    ...routes.flatMap(({ route, key, protocol }) => (protocol === "grpc" ? checkGrpc(route, key, settings) : [])),
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

/** A redirect whose target is redirected by it again never ends. */
function circles(
  { key, host, path, to }: KeyedHostPath & Pick<Redirect, "to">,
  all: readonly KeyedHostPath[],
  domain: string,
): ConfigProblem[] {
  const target = new URL(to, `https://${host ?? domain}`);
  if (target.hostname !== (host ?? domain) || (host === undefined && all.some((other) => other.host === domain)))
    return [];
  const matches = (other: string) =>
    other.endsWith("/") ? target.pathname.startsWith(other) : target.pathname === other;
  const taken = all.filter((other) => other.host === host && matches(other.path)).map((other) => other.path);
  const longest = taken.reduce((best, each) => (each.length > best.length ? each : best), "");
  return longest === path
    ? [problem(`${key}.to`, to, `leads back to the redirect's own path ${path}`, "choose a target outside of it")]
    : [];
}

function checkGrpc(route: Route, key: string, { edge, tls, proxy }: Settings): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (/^\/[^/]+$/.test(route.path ?? ""))
    problems.push(
      problem(
        `${key}.path`,
        route.path,
        "is the path of no method: those are /SERVICE/METHOD",
        `name all methods of a service, as in ${route.path ?? ""}/`,
      ),
    );
  if (!isMethodPath(route.path ?? "/"))
    problems.push(
      problem(
        `${key}.path`,
        route.path,
        "has characters that no gRPC method has: it is /PACKAGE.SERVICE/METHOD, of letters, digits, _ and .",
        "write the path as in the .proto file",
      ),
    );
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
  for (const { at, service } of targetsOf(route)) {
    if (!services.includes(service))
      problems.push(problem(`${key}.${at}.service`, service, "is not a service", allowed(service, services)));
    if (service === name)
      problems.push(problem(`${key}.${at}.service`, service, "is the route's own service", "name another"));
  }
  return problems;
}

/** The services, besides the route's own, that get its requests. */
const targetsOf = (route: Route) => [
  ...(route.canary === undefined ? [] : [{ at: "canary", service: route.canary.service }]),
  ...(route.versions ?? []).map(({ service }, index) => ({ at: `versions[${index}]`, service })),
];

/** What is a mistake more often than it is meant. */
export const routeWarnings = (settings: Settings): string[] => [
  ...takenDomain(settings),
  ...keyedRoutes(settings).flatMap((keyed) => otherProtocols(keyed, settings)),
];

/** A host with routes of its own serves no others. */
function takenDomain(settings: Settings): string[] {
  const { domain, proxy } = settings;
  const routes = keyedRoutes(settings).map(({ route: { host }, key }) => ({ host, key }));
  const redirects = proxy.redirects.map(({ host }, index) => ({ host, key: keyOf(["proxy", "redirects", index]) }));
  const own = [...routes, ...redirects].find(({ host }) => host !== undefined && fullHost(host, domain) === domain);
  const lost = routes.filter(({ host }) => host === undefined).map(({ key }) => key);
  if (own === undefined || lost.length === 0) return [];
  const more = lost.length > 3 ? ` and ${lost.length - 3} more` : "";
  return [
    `${own.key}.host: ${domain} is the domain, and with routes of its own it serves none of those without a host: ${lost.slice(0, 3).join(", ")}${more}; leave out this host, or give them the same`,
  ];
}

/** Versions and canaries get the route's requests, so they must speak its protocol. */
function otherProtocols({ route, protocol, key }: KeyedRoute, { services }: Settings): string[] {
  return targetsOf(route).flatMap(({ at, service }) => {
    const target = services[service];
    const spoken = target?.routes.map((each) => protocolOf(each, target)) ?? [];
    return spoken.length === 0 || spoken.includes(protocol)
      ? []
      : `${key}.${at}.service: ${service} speaks ${spoken[0] ?? ""} in all of its own routes, and this route is ${protocol}; name a service that speaks ${protocol}`;
  });
}

/** Without a slash at its end, a path is that one path: who expects a prefix, as of an Ingress, gets 404 below it. */
export function exactPathNotes(settings: Settings): string[] {
  const all = keyedRoutes(settings);
  const hostOf = ({ host }: Route) => (host === undefined ? settings.domain : fullHost(host, settings.domain));
  const has = (host: string, path: string) =>
    all.some(({ route }) => hostOf(route) === host && (route.path ?? "/") === path);
  return all.flatMap(({ route, key, protocol, name }) => {
    const { path = "/" } = route;
    // A service that has a prefix beside it knows the difference; a path such as /robots.txt is a file.
    const isExact = protocol === "http" && !path.endsWith("/") && !/\.[^/]*$/.test(path);
    const hasPrefix = settings.services[name]?.routes.some((other) => other.path?.endsWith("/") ?? true) ?? false;
    if (!isExact || hasPrefix || has(hostOf(route), `${path}/`)) return [];
    return [`${key}.path: ${path} is this one path; for all that is below it too, write ${path}/`];
  });
}
