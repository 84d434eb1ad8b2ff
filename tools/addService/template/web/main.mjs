/** A minimal service behind the proxy. Replace `answer`; the rest is what Kubernetes needs: health check and graceful shutdown. */
import { createServer } from "node:http";
import process from "node:process";

const port = 8080;
const { VERSION = "dev", HOSTNAME = "" } = process.env;
let ending = false;

/** The response body. The path comes without the route's prefix. */
function answer(request) {
  const [path] = request.url.split("?");
  return { service: "new-service", version: VERSION, pod: HOSTNAME, method: request.method, path };
}

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    const health = request.url === "/healthz"; // Kubernetes' probes: answer 200 if this pod can take requests.
    response.writeHead(200, {
      "Content-Type": health ? "text/plain" : "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      ...(ending && { Connection: "close" }),
    });
    response.end(health ? "ok\n" : `${JSON.stringify(answer(request), null, 2)}\n`);
  });
});

// Let the proxy close idle connections first: otherwise its next request can meet a closed one. nginx closes them after
// 60 s (https://nginx.org/r/upstream/keepalive_timeout), Node by default after 5 s.
server.keepAliveTimeout = 75_000;
server.listen(port);

// Finish the requests in progress. No new ones arrive by the time of SIGTERM, because the pod's preStop hook has waited.
process.once("SIGTERM", () => {
  ending = true;
  server.close();
});
