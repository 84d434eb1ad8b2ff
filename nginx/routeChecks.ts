/**
 * The last line of defence of `renderRoutes`: what is put into nginx's text is of a closed form, or nothing is rendered.
 * None of the forms has a blank, a quote, a brace, a semicolon, `$` or a line break in it.
 */
import { isIP } from "node:net";
import type { ProxyRoutes } from "./routes.ts";

const segment = "[A-Za-z0-9._~-]+";
const routePath = new RegExp(`^/(?:${segment}/)*(?:${segment})?$`);
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const hostName = new RegExp(`^${label}(?:\\.${label})*$`);
const serviceName = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const portNumber = /^[1-9][0-9]{0,4}$/;

/** Whether a value can be a route's path: at most 255 unreserved characters (RFC 3986) and `/`, no empty segment, no `.` or `..`. */
export function isRoutePath(value: string): boolean {
  return (
    value.length <= 255 && routePath.test(value) && !value.split("/").some((part) => part === "." || part === "..")
  );
}

/** Whether a value is a full DNS name in lower case (RFC 1123), and not an IPv4 address. */
export function isHostName(value: string): boolean {
  return value.length <= 253 && hostName.test(value) && !/(?:^|\.)[0-9]+$/.test(value);
}

/** Whether a value can name a Kubernetes Service (RFC 1035 label). */
function isServiceName(value: string): boolean {
  return serviceName.test(value);
}

function isPort(value: string): boolean {
  return portNumber.test(value) && Number(value) <= 65535;
}

function isNetwork(value: string): boolean {
  const [address = "", bits = "", ...rest] = value.split("/");
  const version = isIP(address);
  // A zone (`fe80::1%eth0`) is an address to Node.js and not to nginx.
  return (
    rest.length === 0 &&
    version !== 0 &&
    !address.includes("%") &&
    /^[0-9]{1,3}$/.test(bits) &&
    Number(bits) <= (version === 4 ? 32 : 128)
  );
}

/** The spelling of RFC 5952: nginx refuses some others, such as `::` for a single group. Takes what is a network. */
export function canonicalNetwork(network: string): string {
  const [address = "", bits = ""] = network.split("/");
  return isIP(address) === 6 ? `${new URL(`http://[${address}]`).hostname.slice(1, -1)}/${bits}` : network;
}

function isResolver(value: string): boolean {
  const [name = "", port = "53", ...rest] = value.split(":");
  return rest.length === 0 && (isHostName(name) || isIP(name) === 4) && isPort(port);
}

/** @throws Error that names the first value that is not fit to be rendered. */
export function checkProxy(proxy: ProxyRoutes): void {
  demand(isResolver(proxy.resolver), "resolver", proxy.resolver);
  for (const network of proxy.client.trustedProxies) demand(isNetwork(network), "trusted network", network);
  demand(["last", "second-to-last"].includes(proxy.client.entry), "entry of X-Forwarded-For", proxy.client.entry);
  for (const { service, address, port } of proxy.upstreams) {
    demand(isServiceName(service), "service name", service);
    demand(isHostName(address), "service address", address);
    demand(isPort(String(port)), "service port", String(port));
  }
  const services = proxy.upstreams.map(({ service }) => service);
  demandDistinct("upstream", services);
  for (const { service, host, path } of proxy.routes) {
    demand(services.includes(service), "service of a route (it has no upstream)", service);
    if (host !== undefined) demand(isHostName(host), "host", host);
    demand(isRoutePath(path), "path", path);
  }
  demandDistinct(
    "route",
    proxy.routes.map(({ host, path }) => `${host ?? ""}${path}`),
  );
}

function demand(holds: boolean, what: string, value: string): void {
  if (!holds) throw new Error(`Not a valid ${what} for nginx: ${JSON.stringify(value)}`);
}

function demandDistinct(what: string, keys: readonly string[]): void {
  const again = keys.find((key, index) => keys.indexOf(key) !== index);
  if (again !== undefined) throw new Error(`More than one ${what} for nginx: ${JSON.stringify(again)}`);
}
