/** gRPC through a real nginx: a real client and server, and requests in the form of Google's load balancer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { renderRoutes } from "../../nginx/routes.ts";
import type { ProxyRoutes, RequestSettings, Route } from "../../nginx/model.ts";
import { askGrpc, call, startGrpcService, withClient, type GrpcService, type RawAnswer } from "./grpcPeers.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  seenAt,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

const host = "grpc.shop.localhost";
const slowHost = "slow.shop.localhost";
let nameServer: NameServer;
let services: { orders: GrpcService; next: GrpcService; web: Service };
let proxy: ProxyRoutes;
const route = (service: string, path: string, more: Partial<Route> = {}): Route => ({
  service,
  path,
  protocol: "grpc",
  keepPrefix: false,
  ...more,
});

before(async () => {
  nameServer = await startNameServer();
  services = {
    orders: await startGrpcService("orders"),
    next: await startGrpcService("next"),
    web: await startService("web"),
  };
  for (const service of ["orders", "next", "web", "dead"]) nameServer.names.set(addressOf(service), "127.0.0.1");
  const { orders, next, web } = services;
  const limited = (name: string, settings: RequestSettings) =>
    route("orders", "/", { host: `${name}.shop.localhost`, settings });
  proxy = proxyRoutes(nameServer, { orders: orders.port, next: next.port, web: web.port, dead: 1 }, [
    { service: "web", path: "/", keepPrefix: false },
    { service: "web", path: "/shop.v1.Orders/List/", host: "mixed.shop.localhost", keepPrefix: true },
    route("orders", "/shop.v1.Orders/"),
    route("dead", "/shop.v1.Dead/"),
    route("orders", "/", { host }),
    route("orders", "/shop.v1.Orders/Get", { host: "mixed.shop.localhost" }),
    route("orders", "/", {
      host: "chosen.shop.localhost",
      versions: [{ header: "x-version", value: "next", service: "next" }],
      canary: { service: "next", percent: 50 },
    }),
    route("orders", "/", { host: "closed.shop.localhost", maintenance: true }),
    limited("slow", { timeoutSeconds: 1 }),
    limited("small", { maxBodyMb: 1 }),
    limited("few", { limit: { requestsPerSecond: 1 } }),
    limited("named", { responseHeaders: { "X-Shop": "open" } }),
  ]);
});
after(async () => {
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

const run = (use: (nginx: RunningNginx) => Promise<void>) => withProxy(proxy, use);

/** The error of a failed call. */
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => assert.fail("the call succeeded"),
    (error: unknown) => error as grpc.ServiceError,
  );

/** The proxy's own answer is trailers only, with HTTP status 200: otherwise clients would ignore the rest. */
function assertOwnAnswer({ headers, headersAlone }: RawAnswer, status: grpc.status, message: RegExp): void {
  assert.deepEqual(
    [headers[":status"], headers["content-type"], headersAlone, Number(headers["grpc-status"])],
    [200, "application/grpc", true, status],
  );
  assert.match(String(headers["grpc-message"]), message);
}

test("calls of every kind reach the service, and its answers reach the client", async () => {
  await run(async ({ grpcPort }) => {
    await withClient(grpcPort, host, async (client) => {
      const payload = "x".repeat(3_000_000);
      const answer = await call(client, "get", { message: { payload }, headers: { "x-tenant": "7" } });
      assert.equal(answer["service"], "orders");
      assert.equal(answer["payload"], payload);
      assert.equal((answer["headers"] as Record<string, string>)["x-tenant"], "7");

      const list = client.list({ count: 1000 });
      const indices = (await list.toArray()).map(({ index }: { index: number }) => index);
      assert.deepEqual(
        indices,
        Array.from({ length: 1000 }, (_, index) => index),
      );

      const sum = await new Promise((resolve, reject) => {
        const stream = client.add((error, message) => {
          if (error === null) resolve(message?.["sum"]);
          else reject(error);
        });
        for (let value = 1; value <= 100; value += 1) stream.write({ value });
        stream.end();
      });
      assert.equal(sum, 5050);

      // Each message is answered before the next is sent: nothing is buffered.
      const chat = client.chat();
      for (const say of ["one", "two", "three"]) {
        chat.write({ say });
        const [message] = (await once(chat, "data")) as [unknown];
        assert.deepEqual(message, { echo: say });
      }
      chat.end();
      await once(chat.resume(), "end");

      const error = await failure(call(client, "fail"));
      assert.deepEqual(
        [error.code, error.details, error.metadata.get("x-reason")],
        [grpc.status.FAILED_PRECONDITION, "not now: 100% sold", ["sold out"]],
      );
    });
  });
});

test("a stream may exceed the body limit of other routes", async () => {
  await run(async ({ grpcPort }) => {
    await withClient(grpcPort, host, async (client) => {
      const chat = client.chat();
      const say = "x".repeat(1_000_000);
      for (let index = 0; index < 15; index += 1) {
        chat.write({ say });
        const [message] = (await once(chat, "data")) as [{ echo: string }];
        assert.equal(message.echo.length, say.length);
      }
      chat.end();
      await once(chat.resume(), "end");
    });
  });
});

test("a call that its client cancels is cancelled at the service", async () => {
  await run(async ({ grpcPort }) => {
    await withClient(grpcPort, host, async (client) => {
      const error = await failure(call(client, "wait", { deadline: 300 }));
      assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
      await services.orders.cancelled;
    });
  });
});

test("services get the client's real address and scheme, whatever it claims", async () => {
  await run(async ({ grpcPort }) => {
    await withClient(grpcPort, host, async (client) => {
      const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      const claimed = {
        "x-forwarded-for": "10.9.9.9, 203.0.113.7, 198.51.100.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.example",
        "x-forwarded-port": "1",
        "x-forwarded-prefix": "/evil",
        "x-forwarded-server": "evil",
        "x-forwarded-ssl": "off",
        "x-real-ip": "10.9.9.9",
        forwarded: "for=10.9.9.9",
        proxy: "http://evil.example",
        "x-request-id": "given-1",
        traceparent: trace,
      };
      const answer = await call(client, "get", { headers: claimed });
      const {
        "user-agent": _,
        "accept-encoding": __,
        "grpc-accept-encoding": ___,
        ...seen
      } = answer["headers"] as Record<string, string>;
      assert.ok(Math.abs(Number(answer["deadline"]) - Date.now() - 10_000) < 1000, "the client's deadline");
      assert.deepEqual(seen, {
        host,
        "x-forwarded-for": "203.0.113.7",
        "x-real-ip": "203.0.113.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": host,
        "x-forwarded-server": host,
        "x-forwarded-ssl": "on",
        "x-request-id": "given-1",
        traceparent: trace,
      });
      assert.equal(answer["host"], host);
    });
  });
});

test("gRPC clients understand the proxy's own answers", async () => {
  await run(async ({ grpcPort }) => {
    const of = (name: string) => ({ host: `${name}.shop.localhost` });
    const get = "/shop.v1.Orders/Get";
    const request = "; request [0-9a-f]{32}$";
    const { UNIMPLEMENTED, UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INVALID_ARGUMENT } = grpc.status;
    const answers: [path: string, asking: Parameters<typeof askGrpc>[2], status: grpc.status, message: string][] = [
      ["/shop.v1.Carts/Get", {}, UNIMPLEMENTED, "no such route"],
      ["/shop.v1.Orders/List", of("mixed"), UNIMPLEMENTED, "no such route"],
      ["/", {}, UNIMPLEMENTED, "no such route"],
      ["/shop.v1.Dead/Get", {}, UNAVAILABLE, "service unknown or down: dead"],
      [get, of("closed"), UNAVAILABLE, "maintenance: orders"],
      ["/shop.v1.Orders/Wait", of("slow"), DEADLINE_EXCEEDED, "too slow: orders"],
      [get, { ...of("small"), bytes: 1_500_000 }, RESOURCE_EXHAUSTED, "body too large"],
      ["/shop.v1.Orders/../shop.v1.Dead/Get", {}, INVALID_ARGUMENT, "path with dot segments"],
      ["/shop.v1.Orders/%2e%2e/Get", {}, INVALID_ARGUMENT, "path with dot segments"],
    ];
    for (const [path, asking, status, message] of answers)
      assertOwnAnswer(await askGrpc(grpcPort, path, asking), status, new RegExp(`^${message}${request}`));

    assert.equal((await askGrpc(grpcPort, get, of("few"))).trailers["grpc-status"], "0");
    assertOwnAnswer(await askGrpc(grpcPort, get, of("few")), RESOURCE_EXHAUSTED, /^too many requests: orders/);

    await withClient(grpcPort, "shop.localhost", async (client) => {
      assert.equal((await call(client, "get"))["service"], "orders");
    });
    await withClient(grpcPort, slowHost, async (client) => {
      const error = await failure(call(client, "wait"));
      assert.equal(error.code, DEADLINE_EXCEEDED);
      assert.match(error.details, /^too slow: orders; request /);
    });
  });
});

test("a service that was reached without a valid response is not called unknown or down", async () => {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    if (headers[":path"] === "/shop.v1.Odd/End") stream.session?.destroy();
    else if (headers[":path"] === "/shop.v1.Odd/Reset") stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else stream.respond({ ":status": 200, "content-type": "application/grpc", "x-large": "x".repeat(20_000) });
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  nameServer.names.set(addressOf("odd"), "127.0.0.1");
  const { port } = server.address() as AddressInfo;
  const ports = { web: services.web.port, odd: port, dead: 1 };
  const routes = [
    { service: "web", path: "/", keepPrefix: false },
    route("odd", "/shop.v1.Odd/"),
    route("dead", "/shop.v1.Dead/"),
  ];
  await withProxy(proxyRoutes(nameServer, ports, routes), async ({ grpcPort }) => {
    for (const method of ["Large", "End", "Reset"])
      assertOwnAnswer(
        await askGrpc(grpcPort, `/shop.v1.Odd/${method}`),
        grpc.status.UNAVAILABLE,
        /^no valid response: odd; request /,
      );
    assertOwnAnswer(
      await askGrpc(grpcPort, "/shop.v1.Dead/Get"),
      grpc.status.UNAVAILABLE,
      /^service unknown or down: dead; /,
    );
  });
});

test("a host with routes of its own does not fall through to the routes without host, in either protocol", async () => {
  await run(async ({ port, grpcPort }) => {
    assert.equal(
      (await askGrpc(grpcPort, "/shop.v1.Orders/Get", { host: "any.example" })).trailers["grpc-status"],
      "0",
    );
    const own = await askGrpc(grpcPort, "/shop.v1.Orders/Add", { host: "mixed.shop.localhost" });
    assertOwnAnswer(own, grpc.status.UNIMPLEMENTED, /^no such route/);
    const http = await ask(port, "/", { headers: { host } });
    assert.deepEqual([http.status, (JSON.parse(http.body) as { error: string }).error], [404, "no such route"]);
  });
});

test("a request without a host reaches no service: it would get one that nginx made up", async () => {
  await run(async ({ grpcPort }) => {
    const socket = connect({ port: grpcPort, host: "127.0.0.1", rejectUnauthorized: false });
    socket.write("POST /shop.v1.Orders/Get HTTP/1.0\r\nContent-Type: application/grpc\r\nTE: trailers\r\n\r\n");
    assert.match(await text(socket), /\r\ngrpc-status: 12\r\ngrpc-message: no such route; /);
  });
});

test("conversely: a host with only HTTP routes has no gRPC routes", async () => {
  const routes = [...proxy.routes, { service: "web", host: "www.shop.localhost", path: "/", keepPrefix: false }];
  await withProxy({ ...proxy, routes }, async ({ grpcPort }) => {
    const answer = await askGrpc(grpcPort, "/shop.v1.Orders/Get", { host: "www.shop.localhost" });
    assertOwnAnswer(answer, grpc.status.UNIMPLEMENTED, /^no such route/);
  });
});

test("versions, canaries and response headers work as on other routes", async () => {
  await run(async ({ grpcPort }) => {
    await withClient(grpcPort, "chosen.shop.localhost", async (client) => {
      const chosen = async (headers: Record<string, string>) => (await call(client, "get", { headers }))["service"];
      assert.equal(await chosen({ "x-version": "next" }), "next");
      const seen = new Set<unknown>();
      for (let last = 1; last <= 30; last += 1)
        seen.add(await chosen({ "x-forwarded-for": `203.0.113.${last}, 1.1.1.1` }));
      assert.deepEqual([...seen].sort(), ["next", "orders"]);
    });
    const { headers } = await askGrpc(grpcPort, "/shop.v1.Orders/Get", { host: "named.shop.localhost" });
    assert.equal(headers["x-shop"], "open");
    assert.equal(headers["x-frame-options"], undefined);
  });
});

test("connections to a service are reused, and never mixed with those of HTTP/1.1", async () => {
  await run(async ({ grpcPort, port }) => {
    for (let round = 0; round < 5; round += 1) {
      assert.equal((await askGrpc(grpcPort, "/shop.v1.Orders/Get")).trailers["grpc-status"], "0");
      assert.equal((await seenAt(port, "/")).service, "web");
    }
  });
  const both = [{ service: "orders", path: "/", keepPrefix: false }, route("orders", "/shop.v1.Orders/")];
  const text = renderRoutes({ ...proxy, routes: both });
  assert.match(text, /^upstream grpc_orders \{/m);
  assert.match(text, /^upstream orders \{/m);
  assert.match(text, /^ {8}grpc_pass grpc:\/\/grpc_orders;$/m);
  assert.match(text, /^ {8}proxy_pass http:\/\/orders;$/m);
});

test("HTTP/1.1 and websockets still work beside gRPC", async () => {
  await run(async ({ port }) => {
    assert.equal((await seenAt(port, "/shop.v1.Orders/Get", { method: "POST" })).service, "web");
    const handshake = request({
      host: "127.0.0.1",
      port,
      path: "/",
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "x", "sec-websocket-version": "13" },
    }).end();
    const [response, socket] = (await once(handshake, "upgrade")) as [
      { statusCode: number },
      NodeJS.ReadWriteStream & { destroy(): void },
    ];
    assert.equal(response.statusCode, 101);
    socket.write("ping");
    assert.equal(String(((await once(socket, "data")) as [Buffer])[0]), "ping");
    socket.destroy();
  });
});

test("the access log distinguishes a failed gRPC call from a successful one", async () => {
  await run(async ({ grpcPort, log }) => {
    await withClient(grpcPort, host, async (client) => {
      await call(client, "get");
      await failure(call(client, "fail"));
    });
    await askGrpc(grpcPort, "/shop.v1.Dead/Get");
    await sleep(100);
    const entries = (await log()).map((line) => JSON.parse(line) as Record<string, unknown>);
    const seen = entries
      .filter(({ message }) => String(message).startsWith("POST"))
      .map(({ message, severity, service, grpcStatus }) => [message, severity, service, grpcStatus]);
    // Each worker writes its lines in batches, so those of two connections may be in either order.
    assert.deepEqual(seen.sort(), [
      ["POST /shop.v1.Dead/Get 200", "ERROR", "dead", "14"],
      ["POST /shop.v1.Orders/Fail 200", "WARNING", "orders", "9"],
      ["POST /shop.v1.Orders/Get 200", "INFO", "orders", "0"],
    ]);
  });
});

test("without gRPC routes there is no gRPC port", () => {
  const text = renderRoutes({ ...proxy, routes: proxy.routes.filter(({ protocol }) => protocol === undefined) });
  assert.doesNotMatch(text, /8443|grpc|ssl/);
});
