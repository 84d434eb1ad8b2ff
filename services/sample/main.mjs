/**
 * A sample service behind the proxy. It answers browsers in HTML and programs in JSON, and reports its health to
 * kubelet. It logs one JSON line per request, and shuts down without losing a request.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const { env } = process;
/** Name in answers: one server may run as several services. */
const name = env.NAME ?? "sample";
const port = Number(env.PORT ?? 8080);
/** Seconds between SIGTERM and exit: long enough for every proxy to drop this pod. */
const drainSeconds = Number(env.DRAIN_SECONDS ?? 5);
/** Headers about the client and the request that a proxy sets. The page never shows cookies or credentials. */
const proxyHeaders =
  /^(host|referer|forwarded|via|traceparent|x-forwarded-.+|x-real-ip|x-request-id|x-cloud-trace-context)$/;

let draining = false;

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy()); // the client hung up
});
// The proxy must close idle connections first: otherwise its next request may reach a closed connection. nginx closes
// after 60 s (https://nginx.org/r/upstream/keepalive_timeout), Node.js by default after 5 s.
server.keepAliveTimeout = 75_000;
server.listen(port, () => log({ message: "listening", port: server.address().port }));
process.once("SIGTERM", drain);
process.once("SIGINT", () => process.exit(130));

/**
 * Requests still arrive after SIGTERM until every proxy has dropped the pod. `Connection: close` closes kept-alive
 * connections.
 */
async function drain() {
  draining = true;
  log({ message: "draining", seconds: drainSeconds });
  await sleep(drainSeconds * 1000);
  server.close(() => log({ message: "stopped" })); // closes idle connections, waits for active requests
}

async function answer(request, response) {
  const started = performance.now();
  const [path, ...query] = request.url.split("?");

  if (path === "/healthz") return send(response, 200, "text/plain", "ok\n");
  if (path === "/readyz") return send(response, draining ? 503 : 200, "text/plain", draining ? "draining\n" : "ok\n");

  let bodyBytes = 0;
  for await (const chunk of request) bodyBytes += chunk.length;

  const headers = Object.fromEntries(Object.entries(request.headers).filter(([header]) => proxyHeaders.test(header)));
  const received = {
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
    const { method, host, client } = received;
    const requestId = request.headers["x-request-id"];
    const milliseconds = Math.round((performance.now() - started) * 10) / 10;
    // Without the query, which may contain secrets.
    log({ method, path, status: response.statusCode, host, client, bodyBytes, requestId, milliseconds });
  });
  const inPod = performance.now() - started;
  if (request.headers.accept?.includes("text/html"))
    send(response, 200, "text/html", page(received, inPod), `; script-src '${scriptHash}'`);
  else send(response, 200, "application/json", JSON.stringify(received, null, 2) + "\n");
}

function send(response, status, type, body, policy = "") {
  response.writeHead(status, {
    "Content-Type": `${type}; charset=utf-8`,
    "Content-Length": Buffer.byteLength(body),
    "Content-Security-Policy": `default-src 'none'; style-src 'unsafe-inline'${policy}`,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    ...(draining && { Connection: "close" }), // checked late: draining may start during a request
  });
  response.end(body); // Node.js omits the body for HEAD
}

const log = (entry) => process.stdout.write(JSON.stringify({ time: new Date().toISOString(), ...entry }) + "\n");

const escape = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Only the browser knows how long DNS, TCP and TLS took: https://www.w3.org/TR/navigation-timing-2/#processing-model */
const script = `
  const t = performance.getEntriesByType("navigation")[0];
  const inPod = Number(document.querySelector("#pod .time").dataset.ms);
  const ms = (value) => Math.max(0, value).toFixed(1) + " ms";
  const show = (hop, text, value) => {
    if (!document.getElementById(hop)) return;
    document.querySelector("#" + hop + " .time").textContent = text;
    if (value > 0) document.querySelector("#" + hop + " .bar").style.width = Math.min(100, (100 * value) / total) + "%";
  };
  const total = t ? t.responseStart - t.startTime : 0;
  if (total > 0) {
    const dns = t.domainLookupEnd - t.domainLookupStart;
    const connect = t.connectEnd - t.connectStart;
    const tls = t.secureConnectionStart > 0 ? t.connectEnd - t.secureConnectionStart : 0;
    const rest = t.responseStart - t.requestStart - inPod;
    show("browser", ms(total) + " to the first byte", total);
    show("dns", dns > 0 ? ms(dns) : "no lookup measured", dns);
    show("edge", connect > 0 ? "TCP " + ms(connect - tls) + (tls > 0 ? ", TLS " + ms(tls) : "") : "connection reused", connect);
    show("proxy", ms(rest) + " with edge and network", rest);
    show("pod", ms(inPod), inPod);
  }
`;
const scriptHash = `sha256-${createHash("sha256").update(script).digest("base64")}`;

const style = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; color: light-dark(#1f2328, #e6edf3); background: light-dark(#fff, #0d1117);
    --quiet: light-dark(#59636e, #9198a1); --line: light-dark(#d1d9e0, #3d444d); --accent: light-dark(#0969da, #58a6ff); --ground: light-dark(#f6f8fa, #161b22) }
  body { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem; overflow-wrap: anywhere }
  h1 { margin: 0; line-height: 1.2 }
  h2 { margin: 0 0 .75rem; font-size: 1.1rem }
  p { margin: .25rem 0 0 }
  a { color: var(--accent) }
  nav { margin: .75rem 0 1.5rem }
  code { padding: .1em .35em; border-radius: .25rem; background: light-dark(#eaeef2, #262c36); font: .875em ui-monospace, monospace }
  main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem }
  section { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--ground) }
  ol { margin: 0; padding: 0; list-style: none }
  #path li { position: relative; padding: 0 0 1rem 1.5rem }
  #path li:last-child { padding-bottom: 0 }
  #path li::before { content: ""; position: absolute; left: 0; top: .4rem; width: .6rem; height: .6rem; border: 2px solid var(--accent); border-radius: 50% }
  #path li:not(:last-child)::after { content: ""; position: absolute; left: .37rem; top: 1.3rem; bottom: -.3rem; border-left: 2px solid var(--line) }
  #path div { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem }
  .time { font-variant-numeric: tabular-nums }
  .what, .note { color: var(--quiet); font-size: .9rem }
  .bar { display: block; width: 0; height: .25rem; margin-top: .25rem; border-radius: .25rem; background: var(--accent) }
  #next li + li { margin-top: 1.25rem }
  .command { display: block; margin: .35rem 0; padding: .35rem .6rem; user-select: all }
  dl { display: grid; grid-template-columns: minmax(5rem, max-content) minmax(0, 1fr); gap: .25rem 1rem; margin: 0 }
  dt { color: var(--quiet) }
  dd { margin: 0; font-family: ui-monospace, monospace; font-size: .9rem }
  @media (max-width: 30rem) { section { padding: 1rem } dl { gap: .25rem .75rem; font-size: .9rem } }
`;

/** A step of the way here; without JavaScript the browser's times are missing, the rest is as true. */
const hop = (id, title, what, time) =>
  `<li id="${id}"><div><b>${title}</b> <span class="time"${time}</span></div><span class="what">${what}</span><span class="bar"></span></li>`;

function path({ host, client, headers, pod, version }, inPod) {
  const id = headers["x-request-id"];
  const tls = headers["x-forwarded-proto"] === "https" ? ", where TLS ends" : "";
  const between =
    id === undefined // as with kubectl port-forward
      ? [hop("edge", "Connection", "without X-Request-ID, the request passed no proxy", ">")]
      : [
          hop("edge", "Edge", `the load balancer or ingress controller${tls}`, ">"),
          hop("proxy", "nginx proxy", `chose the service by its routes; request ${escape(id)}`, ">"),
        ];
  return [
    hop("browser", "Your browser", `client address ${escape(client)}`, ">"),
    hop("dns", "DNS", `which address ${escape(host)} has`, ">"),
    ...between,
    hop(
      "pod",
      `A pod of ${escape(name)}`,
      `${escape(pod)}, version ${escape(version)}`,
      ` data-ms="${inPod.toFixed(2)}">${inPod.toFixed(1)} ms`,
    ),
  ].join("\n");
}

function next({ host }) {
  // The domain of the stack that `npm start` applies; the name of any other is not known here.
  const local = /(^|\.)localhost(:\d+)?$/.test(host);
  const stack = local ? "local" : "STACK";
  const step = (title, what, command, guide) =>
    `<li><b>${title}</b> ${what}<code class="command">${command}</code><span class="note">Guide: <code>${guide}</code></span></li>`;
  return [
    step(
      "Change a route.",
      `Add <code>{ path: /changed/ }</code> to the routes of <code>${escape(name)}</code> in <code>Pulumi.${stack}.yaml</code>, then:`,
      local ? "npm start" : `npx pulumi up -s ${stack} --policy-pack policy`,
      "docs/routing.md",
    ),
    step(
      "Add a service.",
      "Its config, and a folder to build:",
      "npm run add-service -- NAME",
      "docs/add-a-service.md",
    ),
    step(
      "Check each hop.",
      "The first that fails comes with its fix:",
      `npm run doctor -- ${stack}`,
      "docs/troubleshooting.md",
    ),
    step("See the whole stack.", "As a picture:", `npm run diagram -- ${stack} --out stack.svg`, "README.md"),
  ].join("\n");
}

function page(received, inPod) {
  const { headers, ...rest } = received;
  // A relative link to the service's root works with any prefix that a proxy has stripped.
  const root = "../".repeat(received.path.split("/").length - 2) || "./";
  const list = (entries) =>
    Object.entries(entries)
      .filter(([, value]) => value !== "")
      .map(([key, value]) => `<dt>${escape(key)}</dt><dd>${escape(value)}</dd>`)
      .join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)}</title>
<style>${style}</style>
<h1>${escape(name)}</h1>
<p>A sample service. It shows how your request came here; programs get the request as JSON.</p>
<nav><a href="/">Front page</a> · <a href="${root}some/path?with=query">A path below</a></nav>
<main>
<section id="path"><h2>How this request came</h2><ol>
${path(received, inPod)}
</ol>
<noscript><p class="note">Without JavaScript the times that only the browser knows are missing.</p></noscript></section>
<section id="next"><h2>Next</h2><ol>${next(received)}</ol></section>
<section><h2>This request</h2><dl>${list(rest)}</dl></section>
<section><h2>Headers that the proxy passed on</h2><dl>${list(headers)}</dl></section>
</main>
<script>${script}</script>
</html>
`;
}
