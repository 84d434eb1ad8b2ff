/** A minimal service behind the proxy. Replace `answer`; the rest is what Kubernetes needs: health check and graceful shutdown. */
import console from "node:console";
import { createServer } from "node:http";
import { performance } from "node:perf_hooks";
import process from "node:process";

const { PORT = "8080", VERSION = "dev", HOSTNAME = "" } = process.env;
let ending = false;

/** The response body. The path comes without the route's prefix. */
function answer(method, path) {
  return { service: "new-service", version: VERSION, pod: HOSTNAME, method, path };
}

const server = createServer((request, response) => {
  const began = performance.now();
  request.resume().once("end", () => {
    const { method, url } = request;
    const [path] = url.split("?");
    const health = url === "/healthz"; // Kubernetes' probes: answer 200 if this pod can take requests.
    response.writeHead(200, {
      "Content-Type": health ? "text/plain" : "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      ...(ending && { Connection: "close" }),
    });
    response.end(health ? "ok\n" : `${JSON.stringify(answer(method, path), null, 2)}\n`);
    if (health) return;
    const milliseconds = Math.round((performance.now() - began) * 10) / 10;
    // Without the query, which may contain secrets.
    console.log(JSON.stringify({ method, path, status: 200, milliseconds }));
  });
});

// Let the proxy close idle connections first: otherwise its next request can meet a closed one. nginx closes them after
// 60 s (https://nginx.org/r/upstream/keepalive_timeout), Node by default after 5 s.
server.keepAliveTimeout = 75_000;
server.listen(Number(PORT));

// Finish the requests in progress. No new ones arrive by the time of SIGTERM, because the pod's preStop hook has waited.
process.once("SIGTERM", () => {
  ending = true;
  server.close();
});
