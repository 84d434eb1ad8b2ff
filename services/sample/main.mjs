/**
 * How a service behaves behind the proxy: it answers people in HTML and programs in JSON, tells the kubelet how it is,
 * logs one JSON line a request, and leaves without losing a request.
 */
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const { env } = process;
/** What the service calls itself: one server stands for several services, and their answers must be told apart. */
const name = env.NAME ?? "sample";
const port = Number(env.PORT ?? 8080);
/** Seconds between SIGTERM and the end: long enough for every proxy to hear that this pod is leaving. */
const drainSeconds = Number(env.DRAIN_SECONDS ?? 5);
/** What a proxy tells about the client and the request. Cookies and credentials are never shown. */
const told = /^(host|referer|forwarded|via|traceparent|x-forwarded-.+|x-real-ip|x-request-id|x-cloud-trace-context)$/;

let draining = false;

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy()); // the client hung up: nobody is left to tell
});
// The proxy must be the one that closes an idle connection, or its next request meets a closed one. nginx closes after
// 60 s (https://nginx.org/r/upstream/keepalive_timeout), Node after 5 s unless told otherwise.
server.keepAliveTimeout = 75_000;
server.listen(port, () => log({ message: "listening", port: server.address().port }));
process.once("SIGTERM", drain);
process.once("SIGINT", () => process.exit(130));

/** Requests still arrive after SIGTERM, until every proxy has heard; `Connection: close` empties the kept-alive connections. */
async function drain() {
  draining = true;
  log({ message: "draining", seconds: drainSeconds });
  await sleep(drainSeconds * 1000);
  server.close(() => log({ message: "stopped" })); // ends idle connections, waits for requests under way
}

async function answer(request, response) {
  const started = performance.now();
  const [path, ...query] = request.url.split("?");

  if (path === "/healthz") return send(response, 200, "text/plain", "ok\n");
  if (path === "/readyz") return send(response, draining ? 503 : 200, "text/plain", draining ? "draining\n" : "ok\n");

  let bodyBytes = 0;
  for await (const chunk of request) bodyBytes += chunk.length;

  const headers = Object.fromEntries(Object.entries(request.headers).filter(([header]) => told.test(header)));
  const seen = {
    service: name,
    version: env.VERSION ?? "dev",
    pod: env.HOSTNAME ?? hostname(),
    method: request.method,
    path,
    query: query.join("?"),
    host: request.headers.host ?? "",
    client: request.headers["x-real-ip"] ?? request.socket.remoteAddress,
    bodyBytes,
    headers,
  };
  response.setHeader("Vary", "Accept");
  response.on("close", () => {
    const { method, host, client } = seen;
    const requestId = request.headers["x-request-id"];
    const milliseconds = Math.round((performance.now() - started) * 10) / 10;
    // Without the query: it is where secrets end up.
    log({ method, path, status: response.statusCode, host, client, bodyBytes, requestId, milliseconds });
  });
  if (request.headers.accept?.includes("text/html")) send(response, 200, "text/html", page(seen));
  else send(response, 200, "application/json", JSON.stringify(seen, null, 2) + "\n");
}

function send(response, status, type, body) {
  response.writeHead(status, {
    "Content-Type": `${type}; charset=utf-8`,
    "Content-Length": Buffer.byteLength(body),
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    ...(draining && { Connection: "close" }), // asked last: a request can outlast the moment when draining began
  });
  response.end(body); // Node leaves the body out for HEAD
}

const log = (entry) => process.stdout.write(JSON.stringify({ time: new Date().toISOString(), ...entry }) + "\n");

const escape = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function page({ headers, ...seen }) {
  // A link relative to the service's own root is right at any prefix that a proxy may have stripped.
  const root = "../".repeat(seen.path.split("/").length - 2) || "./";
  const list = (entries) =>
    Object.entries(entries)
      .map(([key, value]) => `<dt>${escape(key)}</dt><dd>${escape(value)}</dd>`)
      .join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)}</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
  h1 { margin-bottom: 0 }
  dl { display: grid; grid-template-columns: minmax(5rem, 11rem) minmax(0, 1fr); gap: .25rem 1rem }
  dt { opacity: .7 }
  dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere }
</style>
<h1>${escape(name)}</h1>
<p>A sample service. It shows the request as the proxy passed it on.</p>
<nav><a href="/">Front page</a> · <a href="${root}some/path?with=query">A path below</a></nav>
<h2>This request</h2>
<dl>${list(seen)}</dl>
<h2>What the proxy told</h2>
<dl>${list(headers)}</dl>
</html>
`;
}
