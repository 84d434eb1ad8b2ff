/** Headers about the client, through a real nginx: services get the right ones, and clients cannot forge them. */
import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, test } from "node:test";
import { renderRoutes } from "../../nginx/routes.ts";
import type { ProxyRoutes } from "../../nginx/model.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  seenAt,
  startNameServer,
  startService,
  type Asking,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withNginx, withProxy } from "./realNginx.ts";

const routes: ProxyRoutes["routes"] = [
  { service: "web", path: "/", keepPrefix: false },
  { service: "web", path: "/hoge/", keepPrefix: false },
];

let nameServer: NameServer;
let web: Service;
before(async () => {
  [nameServer, web] = [await startNameServer(), await startService("web")];
  nameServer.names.set(addressOf("web"), "127.0.0.1");
});
after(async () => {
  await web[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

type Ask = (path: string, asking?: Asking) => Promise<IncomingHttpHeaders>;

async function withEntry(entry: ProxyRoutes["client"]["entry"], use: (seen: Ask) => Promise<void>): Promise<void> {
  await withProxy(proxyRoutes(nameServer, { web: web.port }, routes, entry), ({ port }) =>
    use(async (path, asking) => (await seenAt(port, path, asking)).headers),
  );
}

/** All headers about the client and the entry point, without absent ones. */
const clientHeaders = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) =>
      /^(host|referer|forwarded.*|proxy|(true-)?client-ip|front-end-https|x-(url|host|http|cluster)\b.*|x-(forwarded|real|client|original|rewrite)\b.*)$/.test(
        name,
      ),
    ),
  );

test("behind the load balancer a service gets exactly these headers", async () => {
  await withEntry("second-to-last", async (seen) => {
    const headers = {
      host: "shop.localhost:8443",
      referer: "https://shop.localhost/?q=1",
      "x-forwarded-for": "203.0.113.7,198.51.100.1",
      "x-forwarded-proto": "https",
    };
    const set = {
      host: "shop.localhost:8443",
      referer: "https://shop.localhost/?q=1",
      "x-real-ip": "203.0.113.7",
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-host": "shop.localhost:8443",
      "x-forwarded-server": "shop.localhost",
      "x-forwarded-proto": "https",
      "x-forwarded-ssl": "on",
    };
    assert.deepEqual(clientHeaders(await seen("/", { headers })), set);
    assert.deepEqual(clientHeaders(await seen("/hoge/", { headers })), { ...set, "x-forwarded-prefix": "/hoge" });
  });
});

test("the client's address is the load balancer's entry, whatever the client put before it", async () => {
  const cases: [forwarded: string | string[], last: string, secondToLast: string][] = [
    ["203.0.113.7, 198.51.100.1", "198.51.100.1", "203.0.113.7"],
    ["6.6.6.6, 203.0.113.7, 198.51.100.1", "198.51.100.1", "203.0.113.7"],
    ['6.6.6.6,,junk", 203.0.113.7,198.51.100.1 ', "198.51.100.1", "203.0.113.7"],
    [["6.6.6.6", "203.0.113.7, 198.51.100.1"], "198.51.100.1", "203.0.113.7"],
    ["6.6.6.6, 2001:db8::7, 2001:db8::1", "2001:db8::1", "2001:db8::7"],
    // Not the form of a load balancer: none of it is trusted.
    ["203.0.113.7", "203.0.113.7", "127.0.0.1"],
    ["203.0.113.7, evil.example", "127.0.0.1", "203.0.113.7"],
    ["evil.example, 203.0.113.7", "203.0.113.7", "127.0.0.1"],
    ["", "127.0.0.1", "127.0.0.1"],
  ];
  for (const entry of ["last", "second-to-last"] as const) {
    await withEntry(entry, async (seen) => {
      for (const [forwarded, last, secondToLast] of cases) {
        const client = entry === "last" ? last : secondToLast;
        const headers = await seen("/", { headers: { "x-forwarded-for": forwarded, "x-real-ip": "6.6.6.6" } });
        assert.deepEqual(
          [headers["x-real-ip"], headers["x-forwarded-for"]],
          [client, client],
          `${entry} of ${String(forwarded)}`,
        );
      }
    });
  }
});

test("no header with a client's own claims reaches a service", async () => {
  const claims = {
    host: "shop.localhost",
    "x-forwarded-for": "6.6.6.6, 6.6.6.7",
    "x-real-ip": "6.6.6.6",
    "x-forwarded-proto": "https",
    "x-forwarded-ssl": "on",
    "x-forwarded-host": "evil.example",
    "x-forwarded-server": "evil.example",
    "x-forwarded-prefix": "/evil",
    "x-forwarded-port": "666",
    "x-forwarded-scheme": "https",
    "x-client-ip": "6.6.6.6",
    "true-client-ip": "6.6.6.6",
    "x-original-url": "/admin",
    "x-rewrite-url": "/admin",
    // Rails believes Client-IP, gunicorn X-Forwarded-Protocol, and a proxy for logins X-Forwarded-Uri.
    "client-ip": "6.6.6.6",
    "x-cluster-client-ip": "6.6.6.6",
    "forwarded-for": "6.6.6.6",
    "x-forwarded": "for=6.6.6.6",
    "x-forwarded-protocol": "ssl",
    "x-forwarded-uri": "/admin",
    "x-forwarded-path": "/admin",
    "x-forwarded-method": "GET",
    "x-original-uri": "/admin",
    "x-original-method": "GET",
    "x-original-host": "evil.example",
    "x-host": "evil.example",
    "x-http-host-override": "evil.example",
    "x-url-scheme": "https",
    "front-end-https": "on",
    x_forwarded_for: "6.6.6.6",
    forwarded: "for=6.6.6.6;proto=https",
    proxy: "http://evil.example/",
  };
  await withEntry("second-to-last", async (seen) => {
    const set = {
      host: "shop.localhost",
      "x-forwarded-host": "shop.localhost",
      "x-forwarded-server": "shop.localhost",
    };
    const untrusted = await seen("/", { headers: claims, from: "127.0.0.2" });
    assert.deepEqual(clientHeaders(untrusted), {
      ...set,
      "x-real-ip": "127.0.0.2",
      "x-forwarded-for": "127.0.0.2",
      "x-forwarded-proto": "http",
      "x-forwarded-ssl": "off",
    });
    assert.equal(untrusted["x_forwarded_for"], undefined);

    const trusted = await seen("/", { headers: { ...claims, "x-forwarded-proto": "gopher" } });
    assert.deepEqual(clientHeaders(trusted), {
      ...set,
      "x-real-ip": "6.6.6.6",
      "x-forwarded-for": "6.6.6.6",
      "x-forwarded-proto": "http",
      "x-forwarded-ssl": "off",
    });
  });
});

test("tracing headers are forwarded, and generated if missing", async () => {
  await withEntry("last", async (seen) => {
    const passed = {
      "x-request-id": "cart/42:a+b=",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "x-cloud-trace-context": "0af7651916cd43dd8448eb211c80319c/1;o=1",
    };
    assert.partialDeepStrictEqual(await seen("/", { headers: passed }), passed);
    const generated = await seen("/");
    assert.match(String(generated["x-request-id"]), /^[0-9a-f]{32}$/);
    assert.equal(generated.traceparent, undefined);
    assert.notEqual((await seen("/"))["x-request-id"], generated["x-request-id"]);
  });
});

test("a connection to a service is reused", async () => {
  const sockets = new Set<unknown>();
  await using counted = await startService("counted", (request, response) => {
    sockets.add(request.socket);
    response.end("ok");
  });
  nameServer.names.set(addressOf("counted"), "127.0.0.1");
  const text = renderRoutes(
    proxyRoutes(nameServer, { counted: counted.port }, [{ service: "counted", path: "/", keepPrefix: false }]),
  );
  await withNginx(text, async ({ port }) => {
    for (let request = 0; request < 20; request += 1) await ask(port, "/");
    assert.ok(counted.count() >= 10);
    // One for each of the two workers.
    assert.ok(sockets.size <= 2, `${sockets.size} connections`);
  });
});
