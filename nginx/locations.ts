/** The locations of one server, longest path first. Each has a comment with the service's name. */
import type { Bounds } from "./bounds.ts";
import { below, location, settingDirectives, unlessSent } from "./directives.ts";
import type { Redirect, Route, Wildcard } from "./model.ts";
import { limitDirectives } from "./limits.ts";
import { literally, nameOf, parameter, sorted, value } from "./text.ts";
import { chosenService } from "./canaries.ts";
import { upstreamName } from "./upstreams.ts";
import { renderByPath } from "./wildcards.ts";

/** @param byPath the wildcard by path, if the first path segment may name a service */
export function renderLocations(
  routes: readonly Route[],
  redirects: readonly Redirect[],
  bounds: Bounds,
  byPath?: Wildcard,
): string[] {
  const paths = new Set([...routes, ...redirects].map(({ path }) => path));
  // `^~` makes a prefix win over regular expressions.
  const prefix = byPath === undefined ? "" : "^~ ";
  const blocks = [
    ...routes.map((route) => ({ path: route.path, text: renderRoute(route, paths, prefix, bounds) })),
    ...redirects.map((redirect) => ({ path: redirect.path, text: renderRedirect(redirect, paths, prefix) })),
  ];
  const longestFirst = sorted(blocks, ({ path }) => path).sort((a, b) => b.path.length - a.path.length);
  const noRoute = paths.has("/") ? [] : ["location / {\n    return 404 $answer_no_route;\n}"];
  return [
    ...longestFirst.map(({ text }) => text),
    ...(byPath === undefined ? [] : [renderByPath(byPath, bounds)]),
    ...noRoute,
  ];
}

/** nginx chooses the location by the decoded path. */
const decoded = (path: string) => parameter(decodeURIComponent(path));

function renderRoute(route: Route, paths: ReadonlySet<string>, prefix: string, bounds: Bounds): string {
  const { service, path } = route;
  const bare = path.slice(0, -1);
  const isPrefix = path.endsWith("/");
  const redirect =
    isPrefix && path !== "/" && !paths.has(bare)
      ? [location(`= ${decoded(bare)}`, [`return 308 ${value(path, "$is_args$args")};`])]
      : [];
  const match = !isPrefix ? `= ${decoded(path)}` : path === "/" ? path : `${prefix}${decoded(path)}`;
  return [`# ${service}`, ...redirect, location(match, routeBody(route, bounds))].join("\n");
}

function routeBody(route: Route, bounds: Bounds): string[] {
  const { service, path, settings = {} } = route;
  if (route.maintenance === true)
    return [`set $service ${service};`, "add_header Retry-After 60 always;", "return 503 $answer_maintenance;"];
  const chosen = chosenService(route);
  const target = upstreamName(chosen, route);
  // For the log and nginx's own answers: the service that gets the request, which may be that of a version or canary.
  const named = [`set $service ${chosen};`];
  const directives = [...settingDirectives(settings), ...limitDirectives(nameOf(route), settings, bounds)];
  if (!path.endsWith("/") || path === "/") return [...named, ...directives, `proxy_pass http://${target};`];
  if (route.keepPrefix) return [...named, unlessSent(literally(path)), ...directives, `proxy_pass http://${target};`];
  const bare = path.slice(0, -1);
  return [
    ...named,
    `set $stripped_prefix ${value(bare)};`,
    below(literally(bare)),
    ...directives,
    `proxy_pass http://${target}$below_prefix;`,
  ];
}

function renderRedirect({ path, to, status }: Redirect, paths: ReadonlySet<string>, prefix: string): string {
  const exactly = (exactPath: string) =>
    location(`= ${decoded(exactPath)}`, [`return ${status} ${value(to, "$is_args$args")};`]);
  if (!path.endsWith("/")) return `# to ${to}\n${exactly(path)}`;
  const bare = path.slice(0, -1);
  const base = to.replace(/\/$/, "");
  // A redirect to `//elsewhere` would leave the host.
  const rest = base === "" ? String.raw`/(?![/\x5c]).*` : undefined;
  const body = [below(literally(bare), rest), `return ${status} ${value(base, "$below_prefix")};`];
  return [
    `# to ${to}`,
    ...(path === "/" || paths.has(bare) ? [] : [exactly(bare)]),
    location(path === "/" ? path : `${prefix}${decoded(path)}`, body),
  ].join("\n");
}
