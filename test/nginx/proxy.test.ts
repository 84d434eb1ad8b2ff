/** The rendered configuration in a real nginx: which service gets a request, with which path. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, seenAt } from "../../tools/testing/loopback.ts";
import { hogeHost, startSystem, type System } from "./system.ts";

let system: System;
before(async () => {
  system = await startSystem();
});
after(() => system[Symbol.asyncDispose]());

test("requests reach their service with path and query unchanged", async () => {
  await system.withProxy(async ({ port }) => {
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
      ["/hoge/..a;/b..\\c;d", "hoge", "/..a;/b..\\c;d"],
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

test("a path without its slash is redirected for every method, on the client's own host", async () => {
  await system.withProxy(async ({ port }) => {
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

test("a websocket upgrade is forwarded; any other upgrade is not", async () => {
  await system.withProxy(async ({ port }) => {
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

test("the access log has Cloud Logging's format, without queries", async () => {
  await system.withProxy(async ({ port, log }) => {
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
        upstream: { status: "200", address: `127.0.0.1:${system.services.hoge.port}` },
      },
    );
    assert.partialDeepStrictEqual(
      entries.find(({ service }) => service === "dead"),
      { severity: "ERROR", httpRequest: { status: 502 } },
    );
  });
});
