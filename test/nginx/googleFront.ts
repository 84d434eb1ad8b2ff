/**
 * A stand-in for Google's external Application Load Balancer in front of the proxy. It imitates the added headers, the
 * connections to the proxy, and its own answers. Their wording is ours, but status, type and shape are Google's.
 * https://docs.cloud.google.com/load-balancing/docs/https
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

/** State of the load balancer: it serves, has no backend yet, lost its backend, or has no healthy backend. */
export type Condition = "serving" | "unconnected" | "backend-not-found" | "unhealthy";

export interface GoogleFrontOptions {
  readonly proxyPort: number;
  /**
   * An Ingress creates a classic load balancer. A Gateway creates one based on Envoy, with Envoy's error texts.
   * @default "ingress"
   */
  readonly edge?: "ingress" | "gateway";
  /** Timeout of a whole request. @default 30 */
  readonly timeoutSeconds?: number;
  /** PEM texts for HTTPS. @default - HTTP */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export interface GoogleFront extends AsyncDisposable {
  readonly port: number;
  /** Can change at any time. @default "serving" */
  condition: Condition;
  /** Number of connections to the proxy so far. */
  readonly connections: () => number;
}

/** Source address of connections to the proxy, which must trust only this address. */
export const frontAddress = "127.0.0.9";
/** The load balancer's public address, which it appends to X-Forwarded-For. */
const publicAddress = "198.51.100.1";
/** Idle timeout of connections to a backend. */
const idleSeconds = 600;

interface OwnAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}
const plain = (status: number, body: string): OwnAnswer => ({ status, type: "text/plain; charset=utf-8", body });
const page = (status: number): OwnAnswer => ({
  status,
  type: "text/html; charset=UTF-8",
  body: `\n<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n<title>${status} Server Error</title>\n</head>\n<body>\n<h1>Error: Server Error</h1>\n<h2>A temporary error; try again in 30 seconds.</h2>\n</body></html>\n`,
});

const ownAnswers = {
  ingress: {
    unconnected: plain(404, "default backend - 404"),
    "backend-not-found": plain(404, "response 404 (backend NotFound), service rules for the path non-existent \n"),
    unhealthy: page(502),
    unreachable: page(502),
    slow: page(502),
  },
  gateway: {
    unconnected: plain(404, "fault filter abort"),
    "backend-not-found": plain(500, "fault filter abort"),
    unhealthy: plain(503, "no healthy upstream"),
    unreachable: plain(503, "upstream connect error or disconnect/reset before headers"),
    slow: plain(504, "upstream request timeout"),
  },
};

/** Hop-by-hop headers (RFC 9110, 7.6.1). */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"]);

export async function startGoogleFront(options: GoogleFrontOptions): Promise<GoogleFront> {
  const { proxyPort, edge = "ingress", timeoutSeconds = 30, tls } = options;
  const own = ownAnswers[edge];
  const agent = new Agent({ keepAlive: true, localAddress: frontAddress, timeout: idleSeconds * 1000 });
  const sockets = new Set<unknown>();

  const listener: RequestListener = (incoming, answer) => {
    if (front.condition !== "serving") {
      incoming.resume();
      give(answer, own[front.condition]);
      return;
    }
    pass(incoming, answer, isRepeatable(incoming) ? 2 : 1);
  };

  function pass(incoming: IncomingMessage, answer: ServerResponse, attempts: number): void {
    const headers = headersFor(incoming, tls === undefined ? "http" : "https");
    const { method, url } = incoming;
    const asking = request({ host: "127.0.0.1", port: proxyPort, method, path: url, headers, agent });
    const timer = setTimeout(() => asking.destroy(new Error("slow")), timeoutSeconds * 1000);
    answer.on("close", () => {
      clearTimeout(timer);
      asking.destroy();
    });
    asking.on("socket", (socket) => sockets.add(socket));
    asking.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, [...endToEnd(response), "via", "1.1 google"]);
      pipeline(response, answer, () => undefined);
    });
    asking.on("error", ({ message }) => {
      if (answer.headersSent) answer.destroy();
      else if (message === "slow") give(answer, own.slow);
      else if (attempts > 1) pass(incoming, answer, attempts - 1);
      else give(answer, own.unreachable);
    });
    pipeline(incoming, asking, () => undefined);
  }

  const server =
    tls === undefined ? createServer(listener) : createSecureServer({ cert: tls.certificate, key: tls.key }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const front: GoogleFront = {
    port: (server.address() as AddressInfo).port,
    condition: "serving",
    connections: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return front;
}

/** Never repeat a request with a body, or with an unsafe method. */
const isRepeatable = ({ method, headers }: IncomingMessage): boolean =>
  ["GET", "HEAD"].includes(method ?? "") &&
  headers["content-length"] === undefined &&
  headers["transfer-encoding"] === undefined;

/** Alternating names and values, the names in lower case. */
const endToEnd = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.flatMap((name, index) => {
    const lower = name.toLowerCase();
    return index % 2 === 1 || hopByHop.has(lower) ? [] : [lower, rawHeaders[index + 1] ?? ""];
  });

/** The client's headers, with those that the load balancer adds or replaces. */
function headersFor(incoming: IncomingMessage, scheme: string): string[] {
  const forwarded = incoming.headers["x-forwarded-for"];
  const client = incoming.socket.remoteAddress ?? "";
  const ours: Record<string, string> = {
    "x-forwarded-for": `${forwarded === undefined ? "" : `${String(forwarded)}, `}${client},${publicAddress}`,
    "x-forwarded-proto": scheme,
    via: "1.1 google",
    "x-cloud-trace-context":
      incoming.headers["x-cloud-trace-context"]?.toString() ?? `${randomBytes(16).toString("hex")}/1`,
  };
  const sent = endToEnd(incoming);
  const kept = sent.filter((_, index) => !((sent[index - (index % 2)] ?? "") in ours));
  return [...kept, ...Object.entries(ours).flat()];
}

function give(answer: ServerResponse, { status, type, body }: OwnAnswer): void {
  answer.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body), via: "1.1 google" });
  answer.end(body);
}
