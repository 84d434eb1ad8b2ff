/** The locations of one server: each route is a block with the service's name above it, longest path first. */
import type { Redirect, RequestSettings, Route, Wildcard } from "./routes.ts";
import { limitDirectives, targetOf } from "./targets.ts";
import { indent, literally, sorted } from "./text.ts";

/** @param byPath where the first segment of a path may name a service */
export function renderLocations(
  routes: readonly Route[],
  redirects: readonly Redirect[],
  byPath: Wildcard | undefined,
): string[] {
  const paths = new Set([...routes, ...redirects].map(({ path }) => path));
  // A regular expression would win over a prefix, unless the prefix says otherwise.
  const prefix = byPath === undefined ? "" : "^~ ";
  const blocks = [
    ...routes.map((route) => ({ path: route.path, text: renderRoute(route, paths, prefix) })),
    ...redirects.map((redirect) => ({ path: redirect.path, text: renderRedirect(redirect, prefix) })),
  ];
  const longestFirst = sorted(blocks, ({ path }) => path).sort((a, b) => b.path.length - a.path.length);
  const noRoute = paths.has("/") ? [] : ["location / {\n    return 404 $answer_no_route;\n}"];
  return [...longestFirst.map(({ text }) => text), ...(byPath === undefined ? [] : [renderByPath(byPath)]), ...noRoute];
}

function renderRoute(route: Route, paths: ReadonlySet<string>, prefix: string): string {
  const { service, path } = route;
  const bare = path.slice(0, -1);
  const isPrefix = path.endsWith("/");
  const redirect =
    isPrefix && path !== "/" && !paths.has(bare) ? [location(`= ${bare}`, [`return 308 ${path}$is_args$args;`])] : [];
  const match = !isPrefix ? `= ${path}` : path === "/" ? path : `${prefix}${path}`;
  return [`# ${service}`, ...redirect, location(match, routeBody(route))].join("\n");
}

function routeBody(route: Route): string[] {
  const { service, path, settings = {} } = route;
  const target = targetOf(route);
  const named = [`set $service ${service};`];
  if (route.maintenance === true)
    return [...named, "add_header Retry-After 60 always;", "return 503 $answer_maintenance;"];
  if (!path.endsWith("/") || path === "/" || route.keepPrefix)
    return [...named, ...settingDirectives(settings), ...limitDirectives(route), `proxy_pass http://${target};`];
  const bare = path.slice(0, -1);
  return [
    ...named,
    `set $stripped_prefix ${bare};`,
    below(literally(bare)),
    ...settingDirectives(settings),
    ...limitDirectives(route),
    `proxy_pass http://${target}$below_prefix;`,
  ];
}

/**
 * The prefix is cut from what the client sent, byte by byte: `rewrite` and `proxy_pass http://service/` would decode `%2F`.
 * A path that is below the prefix only once it is decoded (`/hoge%2Fx`) did not name this route.
 */
const below = (bare: string, rest = "/.*"): string =>
  `if ($request_uri !~ "^${bare}(?<below_prefix>${rest})$") {\n    return 404 $answer_no_route;\n}`;

function settingDirectives({ timeoutSeconds, maxBodyMb, buffering, responseHeaders }: RequestSettings): string[] {
  return [
    ...(timeoutSeconds === undefined
      ? []
      : [`proxy_read_timeout ${timeoutSeconds}s;`, `proxy_send_timeout ${timeoutSeconds}s;`]),
    ...(maxBodyMb === undefined ? [] : [`client_max_body_size ${maxBodyMb}m;`]),
    ...(buffering === false ? ["proxy_buffering off;", "proxy_request_buffering off;"] : []),
    ...sorted(Object.entries(responseHeaders ?? {}), ([name]) => name).map(
      ([name, value]) => `add_header ${name} "${value}" always;`,
    ),
  ];
}

function renderRedirect({ path, to, status }: Redirect, prefix: string): string {
  const title = `# to ${to}`;
  if (!path.endsWith("/")) return `${title}\n${location(`= ${path}`, [`return ${status} ${to}$is_args$args;`])}`;
  const base = to.replace(/\/$/, "");
  // A redirect to `//elsewhere` would leave the host.
  const rest = base === "" ? String.raw`/(?![/\x5c]).*` : undefined;
  const body = [below(literally(path.slice(0, -1)), rest), `return ${status} ${base}$below_prefix;`];
  return `${title}\n${location(path === "/" ? path : `${prefix}${path}`, body)}`;
}

/** `name` as it is, `beginning*` as a beginning; every name is a DNS label. */
export function allowedNames({ allow }: Wildcard): string {
  const names = [...allow].sort().map((name) => name.replace(/\*$/, "[a-z0-9-]*"));
  return names.length === 1 ? (names[0] ?? "") : `(?:${names.join("|")})`;
}

function renderByPath(wildcard: Wildcard): string {
  const names = allowedNames(wildcard);
  return [
    `# any of ${wildcard.allow.join(", ")}`,
    location(`~ "^/(?<wildcard_service>${names})$"`, ["return 308 /$wildcard_service/$is_args$args;"]),
    location(`~ "^/(?<wildcard_service>${names})/"`, [
      "set $service $wildcard_service;",
      "set $stripped_prefix /$wildcard_service;",
      below(`/${names}`),
      `proxy_pass http://$wildcard_service.${wildcard.suffix}:${wildcard.port}$below_prefix;`,
    ]),
  ].join("\n");
}

const location = (match: string, body: readonly string[]): string =>
  `location ${match} {\n${indent(body.join("\n"))}\n}`;
