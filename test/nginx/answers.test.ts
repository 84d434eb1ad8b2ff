/** The rendered configuration in a real nginx: its own answers, and its behaviour when a service fails. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { renderRoutes } from "../../nginx/routes.ts";
import type { ProxyRoutes } from "../../nginx/model.ts";
import { addressOf, ask, proxyRoutes, seenAt, startService } from "../../tools/testing/loopback.ts";
import { withNginx, withProxy } from "./realNginx.ts";
import { startSystem, type System } from "./system.ts";

let system: System;
before(async () => {
  system = await startSystem();
});
after(() => system[Symbol.asyncDispose]());

test("404 without a matching route, 400 for an ambiguous path", async () => {
  await system.withProxy(async ({ port }) => {
    const host = "part.shop.localhost";
    for (const [path, headers, status, error] of [
      ["/", { host }, 404, "no such route"],
      ["/hoge/", { host }, 404, "no such route"],
      ["/hoge%2Fx", {}, 404, "no such route"],
      ["/kept%2Fx", {}, 404, "no such route"],
      ["/h%6Fge/x", {}, 404, "no such route"],
      ["/k%65pt/x", {}, 404, "no such route"],
      ["/hoge/../kept/", {}, 400, "path with dot segments"],
      ["/hoge/%2E%2e/kept/", {}, 400, "path with dot segments"],
      ["/hoge/..%2Fkept/", {}, 400, "path with dot segments"],
      ["/hoge/x/..", {}, 400, "path with dot segments"],
      ["/hoge/..;/kept/", {}, 400, "path with dot segments"],
      ["/hoge/..;x=1/kept/", {}, 400, "path with dot segments"],
      ["/hoge/%2e%2E%3b/kept/", {}, 400, "path with dot segments"],
      ["/hoge/..\\kept/", {}, 400, "path with dot segments"],
      ["/hoge/..%5Ckept/", {}, 400, "path with dot segments"],
      ["/hoge\\..%5ckept/", {}, 400, "path with dot segments"],
      // The path ends before `#` for nginx, but not for every service.
      ["/kept/#/../hoge/", {}, 400, "path with dot segments"],
      ["/kept/x#/%2e%2E/", {}, 400, "path with dot segments"],
      ["/exact#/..", {}, 400, "path with dot segments"],
    ] as const) {
      const answer = await ask(port, path, { headers: { ...headers, "x-request-id": "id-1" } });
      assert.equal(answer.status, status, path);
      assert.equal(answer.headers["content-type"], "application/json");
      assert.deepEqual(JSON.parse(answer.body), { error, requestId: "id-1" });
    }
  });
});

test("502 names the service that is down or unknown; others keep working; a later one is found", async () => {
  await system.withProxy(async ({ port }) => {
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
      assert.match(requestId ?? "", /^[0-9a-f]{32}$/, "an ID that is invalid in JSON is replaced");
    }
    assert.equal((await seenAt(port, "/hoge/")).service, "hoge");

    const appeared = Date.now();
    system.nameServer.names.set(addressOf("later"), "127.0.0.1");
    try {
      while ((await ask(port, "/later/")).status === 502 && Date.now() - appeared < 9_000) await sleep(200);
      assert.equal((await seenAt(port, "/later/x")).url, "/x");
      // The resolver's cache is valid for 5 s; the rest allows for this test's polling and a busy machine.
      assert.ok(Date.now() - appeared < 7_000, `found after ${Date.now() - appeared} ms`);
    } finally {
      system.nameServer.names.delete(addressOf("later"));
    }
  });
});

test("504 if the service is too slow, 413 if the body is too large", async () => {
  await using slow = await startService("slow", () => undefined);
  system.nameServer.names.set(addressOf("slow"), "127.0.0.1");
  const text = renderRoutes(
    proxyRoutes(system.nameServer, { slow: slow.port }, [{ service: "slow", path: "/", keepPrefix: false }]),
  );
  // The same text with a shorter timeout: 25 s are too long for a test.
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

test("a service's own errors are forwarded unchanged", async () => {
  await system.withProxy(async ({ port }) => {
    for (const status of [404, 500, 502, 503, 504]) {
      const answer = await ask(port, `/failing/${status}`);
      assert.deepEqual([answer.status, answer.body], [status, "the service's own words"]);
    }
  });
});

test("a failed request is retried on another pod, unless it is not idempotent", async () => {
  const failing: RequestListener = (request) => request.socket.destroy();
  await using one = await startService("pods", failing);
  await using other = await startService("pods", failing, "127.0.0.3", one.port);
  system.nameServer.names.set(addressOf("pods"), "127.0.0.1 127.0.0.3");
  const text = renderRoutes(
    proxyRoutes(system.nameServer, { pods: one.port }, [{ service: "pods", path: "/", keepPrefix: false }]),
  );
  for (const [method, count] of [
    ["POST", 1],
    ["PATCH", 1],
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

test("nginx hides its version, and the health check has a separate port", async () => {
  await system.withProxy(async ({ port, healthPort }) => {
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

test("HSTS is sent only over HTTPS, and the service's own header wins", async () => {
  await using own = await startService("own", (_request, response) => {
    response.setHeader("strict-transport-security", "max-age=1").end();
  });
  await using silent = await startService("silent");
  for (const service of ["own", "silent"]) system.nameServer.names.set(addressOf(service), "127.0.0.1");
  const proxy: ProxyRoutes = {
    ...proxyRoutes(system.nameServer, { own: own.port, silent: silent.port }, [
      { service: "silent", path: "/", keepPrefix: false, settings: { responseHeaders: { "X-Own": "1" } } },
      { service: "own", path: "/own/", keepPrefix: false },
      { service: "own", host: "else.example", path: "/only", keepPrefix: false },
    ]),
    hsts: { seconds: 3600, includeSubdomains: true },
  };
  await withProxy(proxy, async ({ port }) => {
    const hstsOf = async (path: string, scheme: string, more: Record<string, string> = {}) => {
      const headers = { "x-forwarded-for": "203.0.113.7, 198.51.100.1", "x-forwarded-proto": scheme, ...more };
      return (await ask(port, path, { headers })).headers["strict-transport-security"];
    };
    const ours = "max-age=3600; includeSubDomains";
    assert.equal(await hstsOf("/", "https"), ours);
    assert.equal(await hstsOf("/", "http"), undefined);
    assert.equal(await hstsOf("/own/", "https"), "max-age=1");
    assert.equal(await hstsOf("/nowhere", "https", { host: "else.example" }), ours, "nginx's own answers too");
  });
});

test("headers for nginx from a service are neither obeyed nor forwarded", async () => {
  await using sly = await startService("sly", (_request, response) => {
    response.setHeader("x-accel-redirect", "/hoge/").setHeader("x-accel-limit-rate", "1");
    response.end("its own words, and more of them than a byte a second would bring in time");
  });
  system.nameServer.names.set(addressOf("sly"), "127.0.0.1");
  const routes = ["/", "/hoge/"].map((path) => ({ service: "sly", path, keepPrefix: false }));
  await withProxy(proxyRoutes(system.nameServer, { sly: sly.port }, routes), async ({ port }) => {
    const { body, headers } = await ask(port, "/x");
    assert.match(body, /^its own words/);
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith("x-accel")),
      [],
    );
  });
});
