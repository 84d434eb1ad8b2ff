/** Proves the path by real requests: HTTPS with the CA checked, every route, the redirect, the headers as a service saw them. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { atOnce } from "../cli/concurrently.ts";
import { Problem } from "../cli/problem.ts";
import { printTable } from "../cli/table.ts";
import { grpcRoute } from "./grpc.ts";

export interface Entrance {
  /** Address and ports of the edge; names are not looked up, so that no DNS is needed. */
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** PEM of the CA to trust. @default - plain HTTP */
  readonly ca?: string | undefined;
  /** Whether a certificate that clients would not take is taken. @default false */
  readonly anyCertificate?: boolean;
  /** For the whole answer. @default 10 */
  readonly timeoutSeconds?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request by name; the certificate is verified for that name. */
export function get(
  entrance: Entrance,
  scheme: "http" | "https",
  host: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { address, ca, anyCertificate = false, timeoutSeconds = 10 } = entrance;
  const options = {
    host: address,
    path,
    headers: { host, accept: "application/json", ...headers },
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request =
      scheme === "https"
        ? httpsRequest({
            ...options,
            port: entrance.httpsPort,
            servername: host,
            rejectUnauthorized: !anyCertificate,
            ...(ca !== undefined && { ca }),
          })
        : httpRequest({ ...options, port: entrance.httpPort });
    let response: IncomingMessage | undefined;
    const chunks: Buffer[] = [];
    const answered = () => {
      const { statusCode: status = 0, headers = {} } = response ?? {};
      resolve({ status, headers, body: Buffer.concat(chunks).toString() });
    };
    const timer = setTimeout(() => {
      const [code, what] =
        request.socket?.connecting === true ? ["NO_CONNECTION", "connection"] : ["NO_ANSWER", "answer"];
      // Of a stream that has begun, what it said so far will do.
      if (response !== undefined) answered();
      request.destroy(Object.assign(new Error(`no ${what} within ${timeoutSeconds} s`), { code }));
    }, timeoutSeconds * 1000);
    request.on("response", (incoming) => {
      response = incoming;
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", answered);
    });
    request.on("error", reject);
    request.on("close", () => {
      clearTimeout(timer);
    });
    request.end();
  });
}

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
  entrance: Entrance,
  domain: string,
  routes: Readonly<Record<string, string>>,
  redirectHttp: boolean,
  grpc: ReadonlySet<string> = new Set(),
): Promise<Hop[]> {
  const scheme = entrance.ca === undefined ? "http" : "https";
  const first = redirectHttp ? [await attempt(`http://${domain}/`, () => redirect(entrance, domain))] : [];
  const hops = await atOnce(8, Object.entries(routes), ([place, service]) =>
    grpc.has(place)
      ? attempt(`grpc://${place}`, () => grpcRoute(entrance, place, service))
      : attempt(`${scheme}://${place}`, () => route(entrance, scheme, place, service)),
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

async function redirect(entrance: Entrance, domain: string): Promise<string> {
  const { status, headers } = await get(entrance, "http", domain, "/");
  if (status < 300 || status > 399 || !headers.location?.startsWith("https://"))
    throw new Error(`${status}, and no redirect to https`);
  return `${status} to ${headers.location}`;
}

async function route(entrance: Entrance, scheme: "http" | "https", place: string, service: string): Promise<string> {
  const slash = place.indexOf("/");
  return judge(await get(entrance, scheme, place.slice(0, slash), place.slice(slash)), scheme, place, [service]);
}

/**
 * What a route's answer shows, in a few words.
 * @param services that may have given it, the route's own first
 * @throws Error that says what is wrong with it
 */
export function judge(
  { status, body }: Pick<Answer, "status" | "body">,
  scheme: "http" | "https",
  place: string,
  services: readonly string[],
): string {
  const [service = ""] = services;
  const host = place.slice(0, place.indexOf("/"));
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
