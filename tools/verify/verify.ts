/** Verifies the path by real requests: HTTPS with the CA checked, every route, the redirect, the headers that services receive. */
import { concurrently } from "../cli/concurrently.ts";
import { Problem } from "../cli/problem.ts";
import { printTable } from "../cli/table.ts";
import { grpcRoute } from "./grpc.ts";
import { get, type Answer, type EdgeEndpoint } from "./request.ts";

/** One line of the table: the hop, whether it works, and what was seen. */
export interface Hop {
  readonly hop: string;
  readonly ok: boolean;
  readonly seen: string;
}

/**
 * @param routes `shop.example.com/hoge/` → service, as in the program's output `routes`
 * @param grpc the gRPC routes among them
 * @param canaries the services of the routes' canaries: nginx may have chosen one of them for this client
 */
export async function verify(
  endpoint: EdgeEndpoint,
  domain: string,
  routes: Readonly<Record<string, string>>,
  redirectHttp: boolean,
  grpc: ReadonlySet<string> = new Set(),
  canaries: Readonly<Record<string, string>> = {},
): Promise<Hop[]> {
  const scheme = endpoint.ca === undefined ? "http" : "https";
  const first = redirectHttp ? [await attempt(`http://${domain}/`, () => redirect(endpoint, domain))] : [];
  const hops = await concurrently(8, Object.entries(routes), ([hostPath, service]) => {
    const services = answering(service, canaries[hostPath]);
    return grpc.has(hostPath)
      ? attempt(`grpc://${hostPath}`, () => grpcRoute(endpoint, hostPath, services.join(" or ")))
      : attempt(`${scheme}://${hostPath}`, () => route(endpoint, scheme, hostPath, services));
  });
  return [...first, ...hops];
}

/** The services that may answer: nginx may have chosen the canary for this client. */
export const answering = (service: string, canary: string | undefined): string[] =>
  canary === undefined ? [service] : [service, canary];

/** @param timeout how long to try again. Milliseconds */
export async function attempt(hop: string, probe: () => Promise<string>, timeout = 30_000): Promise<Hop> {
  // Retry: a new Ingress takes a moment to reach the edge.
  const end = Date.now() + timeout;
  for (;;) {
    try {
      return { hop, ok: true, seen: await probe() };
    } catch (error) {
      if (Date.now() > end) return { hop, ok: false, seen: error instanceof Error ? error.message : String(error) };
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function redirect(endpoint: EdgeEndpoint, domain: string): Promise<string> {
  const { status, headers } = await get(endpoint, "http", domain, "/");
  if (status < 300 || status > 399 || !headers.location?.startsWith("https://"))
    throw new Error(`${status} instead of a redirect to https`);
  return `${status} to ${headers.location}`;
}

export async function route(
  endpoint: EdgeEndpoint,
  scheme: "http" | "https",
  hostPath: string,
  services: readonly string[],
): Promise<string> {
  const slash = hostPath.indexOf("/");
  const answer = await get(endpoint, scheme, hostPath.slice(0, slash), hostPath.slice(slash));
  return judge(answer, scheme, hostPath, services);
}

/**
 * Judges a route's response.
 * @param services that may have answered: the route's own and its canary, or that of the version that was asked for
 * @returns a summary in a few words
 * @throws Error that says what is wrong
 */
export function judge(
  { status, body }: Pick<Answer, "status" | "body">,
  scheme: "http" | "https",
  hostPath: string,
  services: readonly string[],
): string {
  const service = services.join(" or ");
  const host = hostPath.slice(0, hostPath.indexOf("/"));
  const answer = parse(body);
  // The proxy's own errors have a request id. A service may also answer with an `error`, but without the id.
  if (typeof answer["error"] === "string" && typeof answer["requestId"] === "string")
    throw new Error(
      `${status} from the proxy: ${answer["error"]}${typeof answer["service"] === "string" ? ` (${answer["service"]})` : ""}`,
    );
  if (status >= 500) throw new Error(`${status} from ${service}`);
  // The sample services echo their request. For other services, only the status can be judged.
  if (typeof answer["service"] !== "string" || typeof answer["headers"] !== "object")
    return `${status} from ${service}`;
  if (!services.includes(answer["service"])) throw new Error(`answered by ${answer["service"]}, not by ${service}`);
  const headers = answer["headers"] as Record<string, string>;
  const expected = { host, "x-forwarded-host": host, "x-forwarded-proto": scheme };
  for (const [name, value] of Object.entries(expected)) {
    if (headers[name] !== value)
      throw new Error(`${service} received ${name}: ${headers[name] ?? "nothing"}, not ${value}`);
  }
  for (const name of ["x-real-ip", "x-forwarded-for"]) {
    if (!headers[name]) throw new Error(`${service} received no ${name}`);
  }
  return `${status} from pod ${String(answer["pod"])}, which received ${scheme}, ${host}, client ${headers["x-real-ip"] ?? ""}`;
}

function parse(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Prints the table of hops. @throws Problem for the first hop that failed */
export function report(hops: readonly Hop[]): void {
  printTable(hops.map(({ hop, ok, seen }) => ({ mark: ok ? "ok" : "FAIL", name: hop, seen })));
  const failed = hops.find(({ ok }) => !ok);
  if (failed)
    throw new Problem(
      `${failed.hop}: ${failed.seen}`,
      "See the hops above, and fix the first one that failed. Logs are in .local/logs.",
    );
}
