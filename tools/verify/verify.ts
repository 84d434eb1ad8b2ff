/** Proves the path by real requests: HTTPS with the CA checked, every route, the redirect, the headers as a service saw them. */
import { concurrently } from "../cli/concurrently.ts";
import { Problem } from "../cli/problem.ts";
import { printTable } from "../cli/table.ts";
import { grpcRoute } from "./grpc.ts";
import { get, type Answer, type EdgeEndpoint } from "./request.ts";

/** One line of the table: the hop, whether it held, what was seen. */
export interface Hop {
  readonly hop: string;
  readonly ok: boolean;
  readonly seen: string;
}

/**
 * @param routes `shop.example.com/hoge/` → service, as the program's `routes` output has them
 * @param grpc those of them that are of gRPC
 */
export async function verify(
  endpoint: EdgeEndpoint,
  domain: string,
  routes: Readonly<Record<string, string>>,
  redirectHttp: boolean,
  grpc: ReadonlySet<string> = new Set(),
): Promise<Hop[]> {
  const scheme = endpoint.ca === undefined ? "http" : "https";
  const first = redirectHttp ? [await attempt(`http://${domain}/`, () => redirect(endpoint, domain))] : [];
  const hops = await concurrently(8, Object.entries(routes), ([hostPath, service]) =>
    grpc.has(hostPath)
      ? attempt(`grpc://${hostPath}`, () => grpcRoute(endpoint, hostPath, service))
      : attempt(`${scheme}://${hostPath}`, () => route(endpoint, scheme, hostPath, service)),
  );
  return [...first, ...hops];
}

async function attempt(hop: string, probe: () => Promise<string>): Promise<Hop> {
  // A new Ingress reaches the edge a moment after it was applied.
  const end = Date.now() + 30_000;
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
    throw new Error(`${status}, and no redirect to https`);
  return `${status} to ${headers.location}`;
}

async function route(
  endpoint: EdgeEndpoint,
  scheme: "http" | "https",
  hostPath: string,
  service: string,
): Promise<string> {
  const slash = hostPath.indexOf("/");
  return judge(await get(endpoint, scheme, hostPath.slice(0, slash), hostPath.slice(slash)), scheme, hostPath, [
    service,
  ]);
}

/**
 * What a route's answer shows, in a few words.
 * @param services that may have given it, the route's own first
 * @throws Error that says what is wrong with it
 */
export function judge(
  { status, body }: Pick<Answer, "status" | "body">,
  scheme: "http" | "https",
  hostPath: string,
  services: readonly string[],
): string {
  const [service = ""] = services;
  const host = hostPath.slice(0, hostPath.indexOf("/"));
  const answer = parse(body);
  // A service may answer with an error of its own; the proxy's have the request's id as well.
  if (typeof answer["error"] === "string" && typeof answer["requestId"] === "string")
    throw new Error(`${status} from the proxy: ${answer["error"]}`);
  if (status >= 500) throw new Error(`${status} from ${service}`);
  // The samples say what reached them; of another service the status is all that can be judged.
  if (typeof answer["service"] !== "string" || typeof answer["headers"] !== "object")
    return `${status} from ${service}`;
  if (!services.includes(answer["service"])) throw new Error(`answered by ${answer["service"]}, not by ${service}`);
  const headers = answer["headers"] as Record<string, string>;
  const wanted = { host, "x-forwarded-host": host, "x-forwarded-proto": scheme };
  for (const [name, value] of Object.entries(wanted)) {
    if (headers[name] !== value) throw new Error(`${service} saw ${name}: ${headers[name] ?? "nothing"}, not ${value}`);
  }
  for (const name of ["x-real-ip", "x-forwarded-for"]) {
    if (!headers[name]) throw new Error(`${service} saw no ${name}`);
  }
  return `${status} from pod ${String(answer["pod"])}, which saw ${scheme}, ${host}, client ${headers["x-real-ip"] ?? ""}`;
}

function parse(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The table that people read; throws the first hop that failed. */
export function report(hops: readonly Hop[]): void {
  printTable(hops.map(({ hop, ok, seen }) => ({ mark: ok ? "ok" : "FAIL", name: hop, seen })));
  const failed = hops.find(({ ok }) => !ok);
  if (failed)
    throw new Problem(
      `${failed.hop}: ${failed.seen}`,
      "See the hops above: the first that failed is the one to fix. Logs are in .local/logs.",
    );
}
