/**
 * The last line of defence of `renderRoutes`: it renders only values of a known safe form. Paths, values of headers and
 * what selects a version may have characters that nginx's config uses itself; `text.ts` escapes them. No other form
 * allows a blank, quote, brace, semicolon, `$` or line break, and none allows a line break.
 */
import { isIP } from "node:net";
import { headerNames, type ProxyRoutes, type RequestSettings, type Route } from "./model.ts";
import { inValue } from "./text.ts";
import { servicesOf } from "./upstreams.ts";

/** https://www.rfc-editor.org/rfc/rfc3986#section-3.3 */
const segment = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+";
const routePath = new RegExp(`^/(?:${segment}/)*(?:${segment})?$`);
/**
 * Characters that stand for themselves, so that a path has one spelling (RFC 3986, 6.2.2), and control characters,
 * slashes and backslashes, with which nginx and a service could see different paths.
 */
const misencoded = /%(?:2[DEF]|3\d|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF]|[01]\d|[01][A-F])/;
/** Whether a segment is `.` or `..`, or `..;x`, which is `..` with a parameter to some services. */
export const hasDotSegment = (path: string): boolean => path.split("/").some((part) => /^\.\.?(?:;|$)/.test(part));
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const hostName = new RegExp(`^${label}(?:\\.${label})*$`);
const serviceName = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const portNumber = /^[1-9][0-9]{0,4}$/;

/**
 * Whether the value is a valid route path: at most 255 characters of RFC 3986, encoded where it asks for that alone, as
 * UTF-8. Empty segments, `.` and `..` are invalid.
 */
export function isRoutePath(value: string): boolean {
  return (
    value.length <= 255 && routePath.test(value) && !misencoded.test(value) && isUtf8(value) && !hasDotSegment(value)
  );
}

/** A method's path has letters, digits and few others. The edge routes these itself, and knows no more characters. */
export const isMethodPath = (value: string): boolean => /^[A-Za-z0-9/._~-]+$/.test(value);

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

/** Whether the value is a full DNS name in lower case (RFC 1123), and not an IPv4 address. */
export function isHostName(value: string): boolean {
  return value.length <= 253 && hostName.test(value) && !/(?:^|\.)[0-9]+$/.test(value);
}

/** Whether the value is a valid name of a Kubernetes Service (RFC 1035 label). */
function isServiceName(value: string): boolean {
  return serviceName.test(value);
}

function isPort(value: string): boolean {
  return portNumber.test(value) && Number(value) <= 65535;
}

function isNetwork(value: string): boolean {
  const [address = "", bits = "", ...rest] = value.split("/");
  const version = isIP(address);
  // Node.js accepts an address with a zone (`fe80::1%eth0`); nginx does not.
  return (
    rest.length === 0 &&
    version !== 0 &&
    !address.includes("%") &&
    /^[0-9]{1,3}$/.test(bits) &&
    Number(bits) <= (version === 4 ? 32 : 128)
  );
}

/** The spelling of RFC 5952: nginx rejects some others, such as `::` for a single group. Expects a valid network. */
export function canonicalNetwork(network: string): string {
  const [address = "", bits = ""] = network.split("/");
  return isIP(address) === 6 ? `${new URL(`http://[${address}]`).hostname.slice(1, -1)}/${bits}` : network;
}

function isResolver(value: string): boolean {
  const [name = "", port = "53", ...rest] = value.split(":");
  return rest.length === 0 && (isHostName(name) || isIP(name) === 4) && isPort(port);
}

/** The value of a header that selects a version: visible ASCII, with blanks inside. */
export const selector = /^[!-~](?:[ -~]{0,62}[!-~])?$/;
/** That of a cookie: https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1 */
export const cookieSelector = /^[!#-+\--:<-[\]-~]{1,64}$/;
export const headerName = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/** https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1 */
export const cookieName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** Visible ASCII, with blanks inside: https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
const headerText = /^[!-~](?:[ -~]*[!-~])?$/;
/** nginx reads parameters of up to 4,096 bytes. */
const longestParameter = 4000;
export const isHeaderValue = (value: string): boolean =>
  headerText.test(value) && inValue(value).length <= longestParameter;

/**
 * Response headers that a route may not set: those of the connection, and those that describe the one answer that they
 * are in. A second one beside the service's own makes clients read the answer in different ways.
 * https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
export const isReservedHeader = (name: string): boolean =>
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-(?:length|type|encoding|range|md5|digest)|(?:repr-)?digest|sec-websocket-.*|proxy-authenticate|(?:proxy-)?authentication-info|date|server|etag|last-modified|age|accept-ranges|status|location|www-authenticate|retry-after|grpc-.*|x-accel-.*)$/i.test(
    name,
  );
const isCount = (value: number, least: number, most: number) =>
  Number.isInteger(value) && value >= least && value <= most;

/** Whether the value is a valid redirect target: a route's path, or `https://host` with such a path. */
export function isRedirectTarget(value: string): boolean {
  const [, host, path = ""] = /^https?:\/\/([^/:]+(?::[0-9]{1,5})?)(\/.*)?$/.exec(value) ?? [];
  if (host === undefined) return isRoutePath(value);
  const [name = "", port = "443"] = host.split(":");
  return isHostName(name) && isPort(port) && (path === "" || isRoutePath(path));
}

/** Whether the value is a DNS label, or a prefix of two or more characters and `*`. */
export function isServicePattern(value: string): boolean {
  const beginning = value.replace(/\*$/, "");
  return value.endsWith("*") ? /^[a-z][a-z0-9-]{1,61}$/.test(beginning) : isServiceName(beginning);
}

/** A regular expression for the names: `name` matches exactly, `prefix*` by prefix. Every match is a DNS label. */
export function allowedNames(allow: readonly string[]): string {
  const names = [...allow].sort().map((name) => name.replace(/\*$/, "[a-z0-9-]*"));
  return names.length === 1 ? (names[0] ?? "") : `(?:${names.join("|")})`;
}

/**
 * Maximum length of the expression for names. With the domain it must fit into nginx's limit of 4,096 characters.
 */
export const maxAllowedLength = 3500;
export const fitsInto = (allow: readonly string[]): boolean => allowedNames(allow).length <= maxAllowedLength;

/** @throws Error that names the first value that is unsafe to render */
export function checkProxy(proxy: ProxyRoutes): void {
  if (proxy.resolver !== undefined) demand(isResolver(proxy.resolver), "resolver", proxy.resolver);
  for (const network of proxy.client.trustedProxies) demand(isNetwork(network), "trusted network", network);
  demand(["last", "second-to-last"].includes(proxy.client.entry), "entry of X-Forwarded-For", proxy.client.entry);
  demand(isCount(proxy.memoryMb ?? 1, 1, 2 ** 25), "amount of memory", proxy.memoryMb ?? 1);
  demand(isCount(proxy.requestsPerClient ?? 1, 1, 10_000), "limit", proxy.requestsPerClient ?? 1);
  demand(headerNames.includes(proxy.headerNames ?? "any"), "kind of header names", proxy.headerNames ?? "any");
  if (proxy.hsts !== undefined) demand(isCount(proxy.hsts.seconds, 1, 2 ** 31), "duration of HSTS", proxy.hsts.seconds);
  for (const { service, address, port } of proxy.upstreams) {
    demand(isServiceName(service), "service name", service);
    demand(isHostName(address), "service address", address);
    demand(isPort(String(port)), "service port", String(port));
  }
  const services = proxy.upstreams.map(({ service }) => service);
  demandDistinct("upstream", services);
  const known = new Set(services);
  for (const route of proxy.routes) checkRoute(route, known);
  for (const redirect of proxy.redirects ?? []) {
    checkHostPath(redirect);
    demand(isRedirectTarget(redirect.to), "target of a redirect", redirect.to);
    demand([301, 302, 307, 308].includes(redirect.status), "status of a redirect", redirect.status);
  }
  for (const { by, allow, domain, suffix, port, settings } of proxy.wildcards ?? []) {
    demand(["subdomain", "path"].includes(by), "way to find a service", by);
    demand(allow.length > 0, "list of services that may be reached", allow.join());
    demand(fitsInto(allow), "length of a list of services that may be reached", allowedNames(allow).length);
    for (const name of allow) demand(isServicePattern(name), "service name", name);
    demand(isHostName(domain), "domain", domain);
    demand(isHostName(suffix), "service address", suffix);
    demand(isPort(String(port)), "service port", port);
    checkSettings(settings);
  }
  demandDistinct("wildcard", proxy.wildcards?.map(({ by }) => by) ?? []);
  demandDistinct(
    "route",
    [...proxy.routes, ...(proxy.redirects ?? [])].map(({ host, path }) => `${host ?? ""}${path}`),
  );
}

function checkHostPath({ host, path }: Pick<Route, "host" | "path">): void {
  if (host !== undefined) demand(isHostName(host), "host", host);
  demand(isRoutePath(path), "path", path);
}

function checkRoute(route: Route, services: ReadonlySet<string>): void {
  const { protocol = "http", canary, versions = [], settings } = route;
  checkHostPath(route);
  demand(["http", "grpc"].includes(protocol), "protocol", protocol);
  demand(protocol === "http" || isMethodPath(route.path), "path of gRPC", route.path);
  for (const name of servicesOf(route)) demand(services.has(name), "service of a route (it has no upstream)", name);
  if (canary !== undefined) demand(isCount(canary.percent, 1, 99), "share in percent", canary.percent);
  for (const { header, cookie, value } of versions) {
    demand((header === undefined) !== (cookie === undefined), "version (either a header or a cookie)", value);
    if (header !== undefined) demand(headerName.test(header), "header name", header);
    if (cookie !== undefined) demand(cookieName.test(cookie), "cookie name", cookie);
    demand((cookie === undefined ? selector : cookieSelector).test(value), "value of a header or cookie", value);
  }
  checkSettings(settings);
}

function checkSettings(settings: RequestSettings = {}): void {
  const { timeoutSeconds = 1, maxBodyMb = 0, maxResponseHeaderKb = 16, limit = {}, responseHeaders = {} } = settings;
  demand(isCount(timeoutSeconds, 1, 86_400), "timeout", timeoutSeconds);
  demand(isCount(maxBodyMb, 0, 1_000_000), "body size", maxBodyMb);
  demand(isCount(maxResponseHeaderKb, 4, 64), "size of a header", maxResponseHeaderKb);
  for (const count of [limit.requestsPerSecond ?? 1, (limit.burst ?? 0) + 1])
    demand(isCount(count, 1, 1_000_000), "limit", count);
  demand(isCount(limit.connections ?? 1, 1, 65_535), "limit", limit.connections ?? 1);
  for (const [name, value] of Object.entries(responseHeaders)) {
    demand(headerName.test(name) && !isReservedHeader(name), "header name", name);
    demand(isHeaderValue(value), "header value", value);
  }
}

function demand(holds: boolean, what: string, value: string | number): void {
  if (!holds) throw new Error(`Not a valid ${what} for nginx: ${JSON.stringify(String(value))}`);
}

function demandDistinct(what: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  const again = keys.find((key) => seen.size === seen.add(key).size);
  if (again !== undefined) throw new Error(`More than one ${what} for nginx: ${JSON.stringify(again)}`);
}
