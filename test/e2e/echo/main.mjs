/** A service for the suite `faults`: uploads, downloads, websockets that are told when it leaves, and ways to make it suffer. */
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

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://echo");
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  switch (pathname) {
    case "/download":
      return response.end(download);
    case "/upload":
      return json(response, { sha256: sha256(Buffer.concat(chunks)) });
    case "/sick":
      response.statusCode = 503;
      return json(response, {});
    case "/eat": // more memory than the pod may have
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
const json = (response, body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));

/** Small unfragmented frames of websockets (RFC 6455), which is all that the suite sends. */
const sockets = new Set();
const frame = (opcode, payload) => Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
server.on("upgrade", (request, socket) => {
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
  await sleep(5000); // requests still come, from proxies that have not heard yet
  server.close();
  server.closeIdleConnections();
});
