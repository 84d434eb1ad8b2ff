/** A service for the suites `faults` and `hostileHttp`: recorded requests, uploads, downloads, websockets, and ways to overload it. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { URL } from "node:url";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const download = Buffer.alloc(64 * 1024, "0123456789abcdef");
const eaten = [];
/** The last requests, without Kubernetes' probes, and malformed ones. */
const recorded = [];
const record = (what) => {
  recorded.push(what);
  if (recorded.length > 500) recorded.shift();
};

const server = createServer(async (request, response) => {
  const { pathname: path, searchParams } = new URL(request.url, "http://echo");
  // The suite faults also sends requests below /new/, to a route whose prefix is shorter.
  const pathname = path.replace(/^\/new(?=\/)/, "");
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method, url, rawHeaders } = request;
  if (pathname !== "/recorded" && !request.headers["user-agent"]?.startsWith("kube-probe/"))
    record({ method, url, headers: rawHeaders, body: Buffer.concat(chunks).toString("latin1").slice(0, 1000) });
  switch (pathname) {
    case "/recorded": // Returns and clears the record.
      return json(response, recorded.splice(0));
    case "/download":
      return response.end(download);
    case "/upload":
      return json(response, { sha256: sha256(Buffer.concat(chunks)) });
    case "/sick":
      response.statusCode = 503;
      return json(response, {});
    case "/eat": // Exceeds the pod's memory limit.
      while (eaten.length < 4096) eaten.push(Buffer.alloc(1024 * 1024, 1));
      return json(response, { eaten: eaten.length });
    case "/burn": {
      const end = performance.now() + 1000 * Number(searchParams.get("seconds"));
      while (performance.now() < end) sha256(download);
      return json(response, {});
    }
    default:
      return json(response, { service: "echo", pod: process.env.HOSTNAME });
  }
});
server.on("clientError", (error, socket) => {
  if (error.code.startsWith("HPE_"))
    record({ malformed: error.message, bytes: String(error.rawPacket?.toString("latin1")) });
  socket.destroy();
});
const json = (response, body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));

/** Websockets (RFC 6455) with small unfragmented frames, which are all that the suite sends. */
const sockets = new Set();
const frame = (opcode, payload) => Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
server.on("upgrade", (request, socket) => {
  if (request.headers["sec-websocket-version"] !== "13") {
    record({ method: request.method, url: request.url, headers: request.rawHeaders, body: "" });
    return socket.end("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n");
  }
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => socket.destroy());
  let rest = Buffer.alloc(0);
  socket.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 6 && rest.length >= 6 + (rest[1] & 0x7f)) {
      const [opcode, length] = [rest[0] & 0x0f, rest[1] & 0x7f];
      const [mask, masked] = [rest.subarray(2, 6), rest.subarray(6, 6 + length)];
      const payload = Buffer.from(masked.map((byte, index) => byte ^ mask[index % 4]));
      rest = rest.subarray(6 + length);
      socket.write(frame(opcode, payload));
      if (opcode === 8) socket.end();
    }
  });
});

server.keepAliveTimeout = 75_000; // longer than the proxy's
server.listen(8080);
process.once("SIGTERM", async () => {
  for (const socket of sockets) socket.write(frame(8, Buffer.from([1001 >> 8, 1001 & 0xff]))); // going away
  await sleep(5000); // Proxies that have not resolved the new addresses yet still send requests.
  server.close();
  server.closeIdleConnections();
});
