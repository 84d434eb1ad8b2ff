/** A service behind the proxy, small enough to be replaced: what it answers is in `answer`, what it owes Kubernetes around it. */
import { createServer } from "node:http";
import process from "node:process";

const port = 8080;
const { VERSION = "dev", HOSTNAME = "" } = process.env;
let ending = false;

/** What the service says; the path is without the route's prefix. */
function answer(request) {
  const [path] = request.url.split("?");
  return { service: "new-service", version: VERSION, pod: HOSTNAME, method: request.method, path };
}

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    const health = request.url === "/healthz"; // Kubernetes asks for it: 200 when this pod can take requests
    response.writeHead(200, {
      "Content-Type": health ? "text/plain" : "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      ...(ending && { Connection: "close" }),
    });
    response.end(health ? "ok\n" : `${JSON.stringify(answer(request), null, 2)}\n`);
  });
});

// The proxy must be the one that closes an idle connection, or its next request meets a closed one: nginx closes after
// 60 s (https://nginx.org/r/upstream/keepalive_timeout), Node after 5 s unless told otherwise.
server.keepAliveTimeout = 75_000;
server.listen(port);

// By the time of SIGTERM nobody sends new requests (the pod's preStop has waited for that); those under way are finished.
process.once("SIGTERM", () => {
  ending = true;
  server.close();
});
