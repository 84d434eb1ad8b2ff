/** The rendered configuration, run by a real nginx between a client, services and a DNS server. */
import assert from "node:assert/strict";
import { request, type RequestListener } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { renderRoutes, type ProxyRoutes } from "../../nginx/routes.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  seenAt,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "./loopback.ts";
import { withNginx, type RunningNginx } from "./realNginx.ts";

const hogeHost = "hoge.shop.localhost";
const routes: ProxyRoutes["routes"] = [
  { service: "web", path: "/", keepPrefix: false },
  { service: "hoge", path: "/hoge/", keepPrefix: false },
  { service: "hoge", path: "/v1.0/api/", keepPrefix: false },
  { service: "hoge", path: "/kept/", keepPrefix: true },
  { service: "hoge", path: "/exact", keepPrefix: false },
  { service: "hoge", host: hogeHost, path: "/", keepPrefix: false },
  { service: "hoge", host: "part.shop.localhost", path: "/only/", keepPrefix: false },
  { service: "later", path: "/later/", keepPrefix: false },
  { service: "dead", path: "/dead/", keepPrefix: false },
  { service: "failing", path: "/failing/", keepPrefix: false },
];

let nameServer: NameServer;
let services: Record<"web" | "hoge" | "failing", Service>;

before(async () => {
  nameServer = await startNameServer();
  services = {
    web: await startService("web"),
    hoge: await startService("hoge"),
    failing: await startService("failing", (request, response) => {
      request.resume();
      if (request.url === "/reset") request.socket.destroy();
      else response.writeHead(Number(request.url?.slice(1))).end("the service's own words");
    }),
  };
  for (const service of ["web", "hoge", "failing", "dead"]) nameServer.names.set(addressOf(service), "127.0.0.1");
});

after(async () => {
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

/** Port 1 of loopback: nobody listens there. */
const proxy = (entry?: ProxyRoutes["client"]["entry"]): ProxyRoutes =>
  proxyRoutes(
    nameServer,
    {
      web: services.web.port,
      hoge: services.hoge.port,
      failing: services.failing.port,
      later: services.hoge.port,
      dead: 1,
    },
    routes,
    entry,
  );

/** Runs nginx and waits until it has asked for names, which it does right after its start. */
async function withProxy(
  use: (nginx: RunningNginx) => Promise<void>,
  entry?: ProxyRoutes["client"]["entry"],
): Promise<void> {
  await withNginx(renderRoutes(proxy(entry)), async (nginx) => {
    for (let attempt = 0; attempt < 100 && (await ask(nginx.port, "/")).status !== 200; attempt += 1) await sleep(50);
    await use(nginx);
  });
}

test("requests reach their service with path and query as they were sent", async () => {
  await withProxy(async ({ port }) => {
    const cases: [path: string, service: string, url: string, host?: string][] = [
      ["/", "web", "/"],
      ["/page/a%2Fb//c?x=%2F&y=1//2", "web", "/page/a%2Fb//c?x=%2F&y=1//2"],
      ["//hoge/x", "web", "//hoge/x"],
      ["/hogehoge/", "web", "/hogehoge/"],
      ["/hoge/", "hoge", "/"],
      ["/hoge/?", "hoge", "/?"],
      ["/hoge/a%2Fb//c%20d;e=%C3%A9?x=%2Fhoge%2F&y=//&z=a?b", "hoge", "/a%2Fb//c%20d;e=%C3%A9?x=%2Fhoge%2F&y=//&z=a?b"],
      ["/hoge//hoge/", "hoge", "//hoge/"],
      ["/hoge/...", "hoge", "/..."],
      ["/v1.0/api/x", "hoge", "/x"],
      ["/v1x0/api/x", "web", "/v1x0/api/x"],
      ["/kept/a%2Fb//?q", "hoge", "/kept/a%2Fb//?q"],
      ["/exact?q=1", "hoge", "/exact?q=1"],
      ["/exact/", "web", "/exact/"],
      ["/hoge/x", "hoge", "/hoge/x", hogeHost],
      ["/hoge/x", "hoge", "/hoge/x", `${hogeHost.toUpperCase()}:8443`],
      ["/only/x", "hoge", "/x", "part.shop.localhost"],
      ["/hoge/x", "hoge", "/x", "any.other.example"],
      ["/healthz", "web", "/healthz"],
    ];
    for (const [path, service, url, host] of cases) {
      const seen = await seenAt(port, path, { headers: { host: host ?? "shop.localhost" } });
      assert.deepEqual([seen.service, seen.url], [service, url], `${host ?? ""}${path}`);
    }
  });
});

test("the path without its slash is redirected, whatever the method, to where the client is", async () => {
  await withProxy(async ({ port }) => {
    for (const [path, location] of [
      ["/hoge", "/hoge/"],
      ["/hoge?a=%2F&b", "/hoge/?a=%2F&b"],
      ["/kept", "/kept/"],
      ["/v1.0/api", "/v1.0/api/"],
    ] as const) {
      const answer = await ask(port, path, { method: "POST", headers: { host: "shop.localhost:8443" } });
      assert.deepEqual([answer.status, answer.headers.location], [308, location]);
    }
  });
});

describe("what nginx answers itself", () => {
  test("404 where no route is meant, 400 where the path could mean two things", async () => {
    await withProxy(async ({ port }) => {
      const host = "part.shop.localhost";
      for (const [path, headers, status, error] of [
        ["/", { host }, 404, "no such route"],
        ["/hoge/", { host }, 404, "no such route"],
        ["/hoge%2Fx", {}, 404, "no such route"],
        ["/hoge/../kept/", {}, 400, "path with dot segments"],
        ["/hoge/%2E%2e/kept/", {}, 400, "path with dot segments"],
        ["/hoge/..%2Fkept/", {}, 400, "path with dot segments"],
        ["/hoge/x/..", {}, 400, "path with dot segments"],
      ] as const) {
        const answer = await ask(port, path, { headers: { ...headers, "x-request-id": "id-1" } });
        assert.equal(answer.status, status, path);
        assert.equal(answer.headers["content-type"], "application/json");
        assert.deepEqual(JSON.parse(answer.body), { error, requestId: "id-1" });
      }
    });
  });

  test("502 names the service that is down or unknown; the others go on; a later one is found", async () => {
    await withProxy(async ({ port }) => {
      for (const [path, service] of [
        ["/dead/", "dead"],
        ["/later/", "later"],
        ["/failing/reset", "failing"],
      ] as const) {
        const answer = await ask(port, path, { headers: { "x-request-id": '"><script>' } });
        assert.equal(answer.status, 502, path);
        assert.equal(answer.headers["content-type"], "application/json");
        const { error, service: named, requestId } = JSON.parse(answer.body) as Record<string, string>;
        assert.deepEqual([error, named], ["service unknown or down", service]);
        assert.match(requestId ?? "", /^[0-9a-f]{32}$/, "an id that is not fit for JSON is not taken over");
      }
      assert.equal((await seenAt(port, "/hoge/")).service, "hoge");

      const appeared = Date.now();
      nameServer.names.set(addressOf("later"), "127.0.0.1");
      try {
        while ((await ask(port, "/later/")).status === 502 && Date.now() - appeared < 9_000) await sleep(200);
        assert.equal((await seenAt(port, "/later/x")).url, "/x");
        // The resolver's validity is 5 s; the rest is this test's own step and a busy machine.
        assert.ok(Date.now() - appeared < 7_000, `found after ${Date.now() - appeared} ms`);
      } finally {
        nameServer.names.delete(addressOf("later"));
      }
    });
  });

  test("504 where the service is too slow, 413 where the body is too large", async () => {
    await using slow = await startService("slow", () => undefined);
    nameServer.names.set(addressOf("slow"), "127.0.0.1");
    const text = renderRoutes(
      proxyRoutes(nameServer, { slow: slow.port }, [{ service: "slow", path: "/", keepPrefix: false }]),
    );
    // The same text with less patience: 25 s are too long for a test.
    await withNginx(text.replace("set $service slow;", "$& proxy_read_timeout 1s;"), async ({ port }) => {
      await sleep(200);
      const late = await ask(port, "/x");
      assert.equal(late.status, 504);
      assert.partialDeepStrictEqual(JSON.parse(late.body), { error: "too slow", service: "slow" });
      assert.equal(slow.count(), 1);
      const large = await ask(port, "/x", { method: "POST", headers: { "content-length": String(11 * 1024 * 1024) } });
      assert.equal(large.status, 413);
      assert.partialDeepStrictEqual(JSON.parse(large.body), { error: "body too large" });
    });
  });

  test("a service's own errors are passed on untouched", async () => {
    await withProxy(async ({ port }) => {
      for (const status of [404, 500, 502, 503, 504]) {
        const answer = await ask(port, `/failing/${status}`);
        assert.deepEqual([answer.status, answer.body], [status, "the service's own words"]);
      }
    });
  });

  test("what fails under way is tried at another pod, unless it may not happen twice", async () => {
    const failing: RequestListener = (request) => request.socket.destroy();
    await using one = await startService("pods", failing);
    await using other = await startService("pods", failing, "127.0.0.3", one.port);
    nameServer.names.set(addressOf("pods"), "127.0.0.1 127.0.0.3");
    const text = renderRoutes(
      proxyRoutes(nameServer, { pods: one.port }, [{ service: "pods", path: "/", keepPrefix: false }]),
    );
    for (const [method, count] of [
      ["POST", 1],
      ["GET", 2],
    ] as const) {
      await withNginx(text, async ({ port }) => {
        await sleep(200);
        const before = one.count() + other.count();
        assert.equal((await ask(port, "/", { method })).status, 502);
        assert.equal(one.count() + other.count() - before, count, method);
      });
    }
  });

  test("no version is told, and health has a port of its own", async () => {
    await withProxy(async ({ port, healthPort }) => {
      const healthy = await ask(healthPort, "/healthz", { headers: { host: "10.0.0.7" } });
      assert.deepEqual([healthy.status, healthy.body], [200, '{"status":"ok"}\n']);
      assert.equal((await ask(healthPort, "/hoge/")).status, 404);
      for (const path of ["/", "/hoge", "/dead/", "/x/.."]) {
        const { headers, body } = await ask(port, path);
        assert.equal(headers.server, "nginx");
        assert.doesNotMatch(body, /nginx\//);
      }
    });
  });
});

test("a websocket passes; another protocol's upgrade does not", async () => {
  await withProxy(async ({ port }) => {
    const handshake = request({
      host: "127.0.0.1",
      port,
      path: "/hoge/socket",
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    const echoed = new Promise<string>((resolve, reject) => {
      handshake.on("error", reject).on("response", ({ statusCode }) => {
        reject(new Error(`answered with ${statusCode ?? 0}`));
      });
      handshake.on("upgrade", (_response, socket) => {
        socket.on("data", (data: Buffer) => {
          resolve(data.toString());
          socket.destroy();
        });
        socket.write("ping");
      });
    });
    handshake.end();
    assert.equal(await echoed, "ping");

    const seen = await seenAt(port, "/hoge/", {
      headers: { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "" },
    });
    assert.equal(seen.headers.upgrade, undefined);
  });
});

test("the access log is what Cloud Logging parses, without queries", async () => {
  await withProxy(async ({ port, log }) => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const headers = {
      host: "shop.localhost",
      "user-agent": 'a "quoted" one',
      referer: "https://shop.localhost/login?token=secret",
      "x-forwarded-for": "203.0.113.7, 198.51.100.1",
      "x-forwarded-proto": "https",
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    };
    await seenAt(port, "/hoge/a?token=secret", { headers });
    await ask(port, "/dead/");
    await sleep(100);
    const lines = await log();
    assert.doesNotMatch(lines.join("\n"), /secret/);
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.partialDeepStrictEqual(
      entries.find(({ service }) => service === "hoge"),
      {
        severity: "INFO",
        "logging.googleapis.com/trace": trace,
        httpRequest: {
          requestMethod: "GET",
          requestUrl: "https://shop.localhost/hoge/a",
          status: 200,
          userAgent: 'a "quoted" one',
          remoteIp: "203.0.113.7",
          referer: "https://shop.localhost/login",
          protocol: "HTTP/1.1",
        },
        upstream: { status: "200", address: `127.0.0.1:${services.hoge.port}` },
      },
    );
    assert.partialDeepStrictEqual(
      entries.find(({ service }) => service === "dead"),
      { severity: "ERROR", httpRequest: { status: 502 } },
    );
  });
});
