/** Upgrades through a real nginx: services are asked for a websocket exactly if the client asked by the rules of HTTP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { after, before, test } from "node:test";
import { addressOf, proxyRoutes, startNameServer, type NameServer } from "../../tools/testing/loopback.ts";
import { withProxy } from "./realNginx.ts";

/** Requests as they reached the service. */
const seen: string[] = [];
let nameServer: NameServer;
let server: Server;
before(async () => {
  nameServer = await startNameServer();
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  server = createServer((socket) => {
    socket.on("error", () => undefined).setEncoding("latin1");
    let received = "";
    const read = (data: string) => {
      received += data;
      const length = Number(/^content-length: (\d+)\r$/im.exec(received)?.[1] ?? 0);
      const end = received.indexOf("\r\n\r\n") + 4;
      if (end < 4 || received.length < end + length) return;
      const request = received.slice(0, end + length);
      received = "";
      seen.push(request);
      if (/^upgrade: /im.test(request) && !request.startsWith("GET /declined ")) {
        socket
          .off("data", read)
          .write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
        socket.on("data", (words) => socket.write(`echo of ${words.toString()}`));
      } else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
    socket.on("data", read);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
});
after(async () => {
  server.close();
  await nameServer[Symbol.asyncDispose]();
});

/** Whether a service is asked, by the first line and the headers of a request. */
const requests: [isAsked: boolean, first: string, ...headers: string[]][] = [
  [true, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"],
  [true, "GET / HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket"],
  [true, "GET / HTTP/1.1", "Connection: keep-alive", "Connection: upgrade", "Upgrade: websocket"],
  [true, "GET / HTTP/1.1", "Connection: TE,upgrade", "TE: trailers", "Upgrade: websocket"],
  // Of several protocols the proxy offers the one that it lets through.
  [true, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket, h2c"],
  [true, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c,\twebsocket"],
  [true, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"],
  // An upgrade without the connection option is that of another connection, and HTTP/1.0 has none.
  [false, "GET / HTTP/1.1", "Upgrade: websocket"],
  [false, "GET / HTTP/1.1", "Connection: keep-alive", "Upgrade: websocket"],
  [false, "GET / HTTP/1.1", "Connection: upgraded, not-upgrade", "Upgrade: websocket"],
  [false, "GET / HTTP/1.1", "Connection: Upgrade"],
  [false, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade:"],
  [false, "GET / HTTP/1.0", "Connection: keep-alive, Upgrade", "Upgrade: websocket"],
  // Other protocols.
  [false, "GET / HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk", "Upgrade: h2c"],
  [false, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket/13"],
  [false, "GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: not-websocket, websockets"],
];

const next = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/**
 * Sends a request, and after the first answer another one on the same connection: to the service itself if the protocol
 * was changed. @returns the answers, and what the service took for requests
 */
async function send(port: number, lines: readonly string[], body = ""): Promise<[answers: string, requests: string[]]> {
  const before = seen.length;
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  const closed = once(socket, "close", { signal: AbortSignal.timeout(5000) });
  let answers = "";
  socket
    .once("data", () => socket.write(next))
    .on("data", (data) => {
      answers += data.toString();
      if (answers.endsWith(`echo of ${next}`)) socket.destroy();
    });
  socket.write(`${[...lines, "Host: a"].join("\r\n")}\r\n\r\n${body}`);
  await closed;
  return [answers, seen.slice(before)];
}

const routes = [{ service: "web", path: "/", keepPrefix: false }];
const withWeb = (use: (port: number) => Promise<void>) =>
  withProxy(proxyRoutes(nameServer, { web: (server.address() as AddressInfo).port }, routes), ({ port }) => use(port));

const asked = /^Upgrade: websocket\r\nConnection: upgrade\r$/m;

test("a websocket is asked for by both headers in HTTP/1.1; any other upgrade is ignored", () =>
  withWeb(async (port) => {
    for (const [isAsked, ...lines] of requests) {
      const what = lines.join(" | ");
      const [answers, [first = "", ...others]] = await send(port, lines);
      if (isAsked) {
        assert.match(first, asked, what);
        assert.match(answers, /^HTTP\/1\.1 101 /, what);
        assert.ok(answers.endsWith(`\r\n\r\necho of ${next}`), what);
      } else {
        assert.doesNotMatch(first, /^(?:upgrade|connection):/im, what);
        assert.match(answers, /^HTTP\/1\.1 200 /, what);
        assert.match(others.join(), /^GET \/next HTTP\/1\.1\r\n/, `${what}: the connection goes on`);
      }
    }
  }));

test("the body of a request with an upgrade arrives before the protocol changes, or stays a body if it does not", () =>
  withWeb(async (port) => {
    for (const [header, body] of [
      ["Content-Length: 5", "hello"],
      ["Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"],
    ] as const)
      for (const path of ["/", "/declined"]) {
        const lines = [`GET ${path} HTTP/1.1`, "Connection: Upgrade", "Upgrade: websocket", header];
        const [answers, [first = "", ...others]] = await send(port, lines, body);
        assert.match(first, asked, header);
        assert.match(first, /\r\nContent-Length: 5\r\n(?:.+\r\n)*\r\nhello$/, header);
        if (path === "/") assert.ok(answers.endsWith(`\r\n\r\necho of ${next}`), answers);
        else assert.match(others.join(), /^GET \/next HTTP\/1\.1\r\n/, header);
      }
  }));
