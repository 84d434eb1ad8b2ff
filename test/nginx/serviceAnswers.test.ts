/** Large and odd answers of services, silence, and trailers, through a real nginx. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage, type RequestListener } from "node:http";
import { createServer, connect, type AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestSettings } from "../../nginx/model.ts";
import { addressOf, ask, proxyRoutes, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

async function withService(
  listener: RequestListener,
  use: (nginx: RunningNginx) => Promise<void>,
  settings: RequestSettings = {},
) {
  await using nameServer = await startNameServer();
  await using service = await startService("web", listener);
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  const routes = ["/", "/a"].map((path) => ({
    service: "web",
    path,
    keepPrefix: false,
    ...(path === "/a" && { settings }),
  }));
  await withProxy(proxyRoutes(nameServer, { web: service.port }, routes), use);
}

const cookies = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, index) => `c${index}=${"x".repeat(bytes)}`);

test("a header that is too large for the proxy has an error of its own, and a key raises the limit", async () => {
  const listener: RequestListener = ({ url = "" }, response) => {
    const bytes = Number(/\d+/.exec(url)?.[0] ?? 0);
    response.setHeader("set-cookie", bytes === 0 ? [] : cookies(Math.ceil(bytes / 3900), 3900)).end("ok");
  };
  await withService(
    listener,
    async ({ port }) => {
      for (const [path, status] of [
        ["/?15000", 200],
        ["/?19500", 502],
        ["/a?19500", 200],
        ["/a?58000", 200],
        ["/a?70000", 502],
      ] as const) {
        const answer = await ask(port, path);
        assert.equal(answer.status, status, path);
        if (status === 502)
          assert.partialDeepStrictEqual(JSON.parse(answer.body), {
            error: "response header invalid or too large",
            service: "web",
          });
        else assert.ok((answer.headers["set-cookie"] ?? []).length > 3);
      }
    },
    { maxResponseHeaderKb: 64 },
  );
});

test("an answer that is no valid header, or ends in it, has the same error; a service that is down another", async () => {
  await using nameServer = await startNameServer();
  const answers: Record<string, string> = {
    "/cut": "HTTP/1.1 200 OK\r\nContent-Type: te",
    "/name": "HTTP/1.1 200 OK\r\nBad Name\0: 1\r\n\r\nok",
    "/": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  };
  const server = createServer((socket) => {
    socket
      .on("error", () => undefined)
      .on("data", (data) => {
        const path = /^\w+ (\S+)/.exec(data.toString())?.[1] ?? "";
        if (path === "/reset") socket.destroy();
        else socket.end(answers[path] ?? "");
      });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  const { port: servicePort } = server.address() as AddressInfo;
  const routes = [{ service: "web", path: "/", keepPrefix: false }];
  await withProxy(proxyRoutes(nameServer, { web: servicePort }, routes), async ({ port }) => {
    for (const [path, error] of [
      ["/cut", "response header invalid or too large"],
      ["/name", "response header invalid or too large"],
      ["/reset", "service unknown or down"],
    ] as const) {
      const { status, body } = await ask(port, path, { method: "POST" });
      assert.deepEqual([status, (JSON.parse(body) as { error: string }).error], [502, error], path);
    }
  });
  server.close();
});

test("every line of the log is JSON, also if the answer was not HTTP or had an odd status", async () => {
  await using nameServer = await startNameServer();
  const answers: Record<string, string> = {
    "/not-http": "220 mail.example ESMTP\r\n",
    "/frames": "\0\0\x12\x04\0\0\0\0\0",
    "/102": "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "/odd": "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
    "/999": "HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n",
    "/": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  };
  const server = createServer((socket) => {
    socket
      .on("error", () => undefined)
      .on("data", (data) => socket.end(answers[/^\w+ (\S+)/.exec(data.toString())?.[1] ?? ""] ?? ""));
  })
    .listen(0, "127.0.0.1")
    .unref();
  await once(server, "listening");
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  const { port: servicePort } = server.address() as AddressInfo;
  const routes = [{ service: "web", path: "/", keepPrefix: false }];
  await withProxy(proxyRoutes(nameServer, { web: servicePort }, routes), async ({ port, log }) => {
    for (const path of Object.keys(answers)) {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      // nginx leaves the connection open after an answer that is not HTTP.
      await Promise.race([once(socket.resume(), "close"), sleep(300)]);
      socket.destroy();
    }
    const seen = (await log())
      .map((line) => JSON.parse(line) as { message: string; severity: string; httpRequest: { status: number } })
      .map(({ message, severity, httpRequest }) => [message.split(" ")[1], severity, httpRequest.status]);
    for (const line of [
      ["/not-http", "ERROR", 9],
      ["/frames", "ERROR", 9],
      ["/102", "ERROR", 102],
      ["/odd", "ERROR", 99],
      ["/999", "INFO", 999],
    ])
      assert.ok(
        seen.some((each) => each.join() === line.join()),
        JSON.stringify(seen),
      );
  });
  server.close();
});

test("a websocket and a stream with a heartbeat of 30 s live", async () => {
  await withService(
    (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 0\n\n");
      setTimeout(() => response.write("data: 1\n\n"), 30_000);
      setTimeout(() => response.end("data: 2\n\n"), 31_000);
    },
    async ({ port }) => {
      const socket = connect(port, "127.0.0.1").setEncoding("latin1");
      let heard = "";
      socket.on("data", (data: string) => (heard += data));
      socket.write(
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      const stream = ask(port, "/events");
      await sleep(30_000);
      socket.write("ping");
      await sleep(500);
      assert.match(heard, /^HTTP\/1\.1 101 [^]*\r\n\r\nping$/);
      socket.destroy();
      assert.equal((await stream).body, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    },
  );
});

test("trailers of an answer reach the client", async () => {
  const seen: unknown[] = [];
  await withService(
    ({ headers }, response) => {
      seen.push(headers.te);
      response.writeHead(200, { trailer: "X-Checksum, Server-Timing" });
      response.write("some text");
      response.addTrailers({ "X-Checksum": "5d41", "Server-Timing": "db;dur=53" });
      response.end();
    },
    async ({ port }) => {
      for (const te of ["trailers", "gzip;q=0.5, trailers", undefined]) {
        const asking = request({ host: "127.0.0.1", port, path: "/a", agent: false, headers: te === undefined ? {} : { te, connection: "TE" } }).end(); // prettier-ignore
        const [answer] = (await once(asking, "response")) as [IncomingMessage];
        answer.resume();
        await once(answer, "end");
        assert.equal(answer.headers.trailer, "X-Checksum, Server-Timing");
        assert.deepEqual({ ...answer.trailers }, { "x-checksum": "5d41", "server-timing": "db;dur=53" });
      }
      assert.deepEqual(seen.slice(-3), ["trailers", "trailers", undefined]);
    },
  );
});

test("the scheme is https for wss, in any case, and http for ws", () =>
  withService(
    (asking, response) => response.end(String(asking.headers["x-forwarded-proto"])),
    async ({ port }) => {
      for (const [given, scheme] of [
        ["wss", "https"],
        ["WSS", "https"],
        ["HTTPS", "https"],
        ["ws", "http"],
        ["https, http", "http"],
        ["wsss", "http"],
      ] as const)
        assert.equal((await ask(port, "/", { headers: { "x-forwarded-proto": given } })).body, scheme, given);
    },
  ));
