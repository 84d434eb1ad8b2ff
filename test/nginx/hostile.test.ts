/** Malicious requests: nginx refuses everything ambiguous. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  addressOf,
  ask,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Seen,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

let nameServer: NameServer;
let web: Service;
before(async () => {
  nameServer = await startNameServer();
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  web = await startService("web");
});
after(async () => {
  await web[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

const withWeb = (use: (nginx: RunningNginx) => Promise<void>) =>
  withProxy(proxyRoutes(nameServer, { web: web.port }, [{ service: "web", path: "/", keepPrefix: false }]), use);

/** Sends raw bytes. @returns all bytes received until nginx closes, or for `waitMs` milliseconds */
async function send(port: number, bytes: string, waitMs = 2000): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  socket.on("error", () => undefined);
  socket.write(bytes, "latin1");
  await closed(socket, waitMs);
  return answer;
}

/** Waits until the peer closes, or for `waitMs` milliseconds; a reset also counts as closed. */
async function closed(socket: Socket, waitMs: number): Promise<void> {
  await Promise.race([
    new Promise((resolve) => socket.once("close", resolve)),
    sleep(waitMs, undefined, { ref: false }),
  ]);
  socket.destroy();
}

const post = (...headers: string[]) =>
  `POST / HTTP/1.1\r\nHost: a.example\r\n${headers.map((h) => `${h}\r\n`).join("")}\r\n`;
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";

const refused: [what: string, request: string, status: number][] = [
  [
    "both lengths, which two servers may believe differently",
    `${post("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
    400,
  ],
  ["two lengths", `${post("Content-Length: 0", `Content-Length: ${smuggled.length}`)}${smuggled}`, 400],
  ["a length that is not a number", `${post("Content-Length: +5")}hello`, 400],
  ["a negative length", post("Content-Length: -1"), 400],
  ["an unknown coding", `${post("Transfer-Encoding: xchunked")}0\r\n\r\n${smuggled}`, 501],
  ["a coding twice", `${post("Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n${smuggled}`, 400],
  ["a chunk with an invalid size", `${post("Transfer-Encoding: chunked")}zz\r\nhello\r\n0\r\n\r\n`, 400],
  ["a blank before the colon", `${post("Content-Length : 5")}hello`, 400],
  ["a folded header line", `${post("X-A: a\r\n Content-Length: 5")}hello`, 400],
  ["a zero byte in a header", post("X-A: a\0b"), 400],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["no host, in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 400],
  ["an empty host", "GET / HTTP/1.0\r\nHost:\r\n\r\n", 400],
  ["no host, and a body that is too large", "POST / HTTP/1.0\r\nContent-Length: 20000000\r\n\r\n", 413],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 400],
  ["a host with a path in it", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
  ["an invalid method", "GE\x01T / HTTP/1.1\r\nHost: a.example\r\n\r\n", 400],
  ["CONNECT", "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", 405],
  ["an unknown HTTP version", "GET / HTTP/9.1\r\nHost: a.example\r\n\r\n", 505],
  ["a path above the root", "GET /../../etc/passwd HTTP/1.1\r\nHost: a.example\r\n\r\n", 400],
  ["the same, encoded", "GET /a/%2e%2e/%2e%2E/b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400],
  ["a path with a zero byte", "GET /a%00b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400],
  ["a path that is too long", `GET /${"a".repeat(40_000)} HTTP/1.1\r\nHost: a.example\r\n\r\n`, 414],
  ["a header that is too long", post(`X-A: ${"a".repeat(40_000)}`), 400],
];

test("an ambiguous request is refused, and nothing after it reaches a service", () =>
  withWeb(async ({ port }) => {
    for (const [what, request, status] of refused) {
      const before = web.count();
      const answer = await send(port, request);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
      assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, `${what}: one answer`);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      assert.match(head, /^Content-Type: application\/json$/m, what);
      const { error, requestId } = JSON.parse(body) as Record<string, string>;
      assert.ok(error !== undefined && error !== "refused", `${what}: ${error}`);
      assert.match(requestId ?? "", /^[0-9a-f]{32}$/, what);
      assert.equal(web.count(), before, `${what}: reached the service`);
    }
    // No connection to the service was affected.
    assert.equal((await ask(port, "/")).status, 200);
  }));

test("HTTP/0.9, which has no host, reaches no service, and health checks need none", () =>
  withWeb(async ({ port, healthPort }) => {
    const before = web.count();
    assert.match(await send(port, "GET /\r\n"), /^\{"error":"bad request","requestId":"[0-9a-f]{32}"\}\n$/);
    assert.equal(web.count(), before);
    assert.match(await send(healthPort, "GET /healthz HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 [^]*\{"status":"ok"\}\n$/);
  }));

test("HTTP/1.0 with a host, or with a URL, reaches the service of that host", () =>
  withWeb(async ({ port }) => {
    for (const request of [
      "GET / HTTP/1.0\r\nHost: a.example:81\r\n\r\n",
      "GET http://a.example:81/ HTTP/1.0\r\n\r\n",
    ]) {
      const { headers } = JSON.parse((await send(port, request)).split("\r\n\r\n")[1] ?? "") as Seen;
      assert.deepEqual(
        ["host", "x-forwarded-host", "x-forwarded-server"].map((name) => headers[name]),
        ["a.example:81", "a.example:81", "a.example"],
      );
    }
  }));

test("a cookie of 12,000 bytes reaches the service, one of 30,000 does not", () =>
  withWeb(async ({ port }) => {
    const before = web.count();
    assert.equal((await ask(port, "/", { headers: { cookie: `a=${"b".repeat(12_000)}` } })).status, 200);
    assert.equal(web.count(), before + 1);
    assert.equal((await ask(port, "/", { headers: { cookie: `a=${"b".repeat(30_000)}` } })).status, 400);
    assert.equal(web.count(), before + 1);
  }));

test("pipelined requests stay separate", () =>
  withWeb(async ({ port }) => {
    const answer = await send(
      port,
      `${post("Content-Length: 3")}abc${smuggled}GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`,
    );
    const urls = [...answer.matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url);
    assert.deepEqual(urls, ["/", "/smuggled", "/last"]);
  }));

test("a client that sends byte by byte is cut off, and others are served meanwhile", () =>
  withWeb(async ({ port }) => {
    const began = performance.now();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nHost: a.example\r\n");
    // Single bytes do not extend the header timeout.
    const dripping = setInterval(() => socket.writable && socket.write("X"), 500);
    assert.equal((await ask(port, "/")).status, 200);
    await closed(socket, 20_000);
    clearInterval(dripping);
    const seconds = (performance.now() - began) / 1000;
    assert.ok(seconds > 8 && seconds < 15, `${seconds} s`);
  }));
