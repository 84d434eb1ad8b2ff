/** Every kind of routing together in one stack, in a real nginx. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ProxyRoutes } from "../../nginx/model.ts";
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

const names = ["web", "next", "beta", "preview-1", "secret"] as const;
let nameServer: NameServer;
let services: Service[];
/** Services found by name share a port, as in a cluster: each has its own address. */
const wildcardPort = 18_080;

before(async () => {
  nameServer = await startNameServer();
  services = await Promise.all(
    names.map((name, index) => startService(name, undefined, `127.0.1.${index + 1}`, wildcardPort)),
  );
  names.forEach((name, index) => nameServer.names.set(addressOf(name), `127.0.1.${index + 1}`));
});

after(async () => {
  for (const service of services) await service[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

const suffix = "shop.svc.cluster.local";
const domain = "shop.example.com";

const proxy = (): ProxyRoutes => ({
  ...proxyRoutes(nameServer, { web: wildcardPort, next: wildcardPort, beta: wildcardPort }, [
    { service: "web", path: "/", keepPrefix: false },
    { service: "web", path: "/half/", keepPrefix: false, canary: { service: "next", percent: 50 } },
    {
      service: "web",
      path: "/chosen",
      keepPrefix: false,
      canary: { service: "next", percent: 99 },
      versions: [
        { header: "X-Version", value: "beta", service: "beta" },
        { cookie: "version", value: "web", service: "beta" },
        { header: "X-Version", value: "default", service: "next" },
        { header: "X-Version", value: "2.0", service: "next" },
      ],
    },
    { service: "web", path: "/closed/", keepPrefix: false, maintenance: true },
    { service: "web", host: `web.${domain}`, path: "/", keepPrefix: false },
    { service: "web", path: "/preview-0/", keepPrefix: true },
    { service: "next", path: "/apart", keepPrefix: false },
    { service: "beta", path: "/chosen/", keepPrefix: false },
    { service: "web", path: "/limited", keepPrefix: false, settings: { limit: { requestsPerSecond: 1, burst: 2 } } },
    { service: "web", path: "/small", keepPrefix: false, settings: { maxBodyMb: 1 } },
  ]),
  redirects: [
    { path: "/old/", to: "/new/", status: 301 },
    { path: "/moved", to: `https://www.example.com/`, status: 307 },
    { path: "/up/", to: "/", status: 308 },
    { path: "/out/", to: "https://www.example.com", status: 302 },
    { path: "/apart/", to: "/new/", status: 308 },
    { host: "www.example.com", path: "/", to: `https://${domain}`, status: 308 },
  ],
  wildcards: [
    { by: "subdomain", allow: ["preview-*", "web", "beta"], domain, suffix, port: wildcardPort },
    {
      by: "path",
      allow: ["preview-*", "beta"],
      domain,
      suffix,
      port: wildcardPort,
      settings: {
        maxBodyMb: 1,
        limit: { requestsPerSecond: 1, burst: 3 },
        responseHeaders: { "Referrer-Policy": "no-referrer" },
      },
    },
  ],
});

const withWays = (use: (nginx: RunningNginx) => Promise<void>) => withProxy(proxy(), use);

const from = (address: number) => `127.1.${address >> 8}.${address & 255}`;

test("a canary gets its percentage of clients, and each client always gets the same version", () =>
  withWays(async ({ port }) => {
    const clients = Array.from({ length: 200 }, (_, index) => index + 1);
    const sides = await Promise.all(clients.map((n) => seenAt(port, "/half/x?y=1", { from: from(n) })));
    const next = sides.filter(({ service }) => service === "next").length;
    // 200 fair coin flips: outside these bounds in less than one of 100,000 cases, and equal in every run.
    assert.ok(next > 65 && next < 135, `${next} of 200`);
    assert.ok(sides.every(({ url }) => url === "/x?y=1"));
    const again = await Promise.all(clients.map((n) => seenAt(port, "/half/", { from: from(n) })));
    assert.deepEqual(
      again.map(({ service }) => service),
      sides.map(({ service }) => service),
    );
  }));

test("a header or a cookie selects a version: the first match, before the canary, by exact value", () =>
  withWays(async ({ port }) => {
    const chosen = async (headers: Record<string, string>) => (await seenAt(port, "/chosen", { headers })).service;
    assert.equal(await chosen({ "x-version": "beta" }), "beta");
    assert.equal(await chosen({ "x-version": "2.0" }), "next");
    assert.equal(await chosen({ cookie: "a=b; version=web" }), "beta");
    assert.equal(await chosen({ "x-version": "2.0", cookie: "version=web" }), "beta");
    assert.equal(await chosen({ "x-version": "default" }), "next", "not the keyword of nginx");
    const otherwise = await chosen({});
    for (const value of ["beta2", "BETA", "Beta", "WEB", "2x0", "secret", "we", "~.*", ""])
      assert.equal(await chosen({ "x-version": value, cookie: `version=${value}` }), otherwise);
  }));

test("a route under maintenance returns 503 without calling its service", () =>
  withWays(async ({ port }) => {
    const { status, headers, body } = await ask(port, "/closed/anything");
    assert.equal(status, 503);
    assert.equal(headers["retry-after"], "60");
    const answer = JSON.parse(body) as Record<string, string>;
    assert.deepEqual([answer["error"], answer["service"]], ["maintenance", "web"]);
  }));

test("redirects keep the rest of the path and the query unchanged, and never lead to another host", () =>
  withWays(async ({ port }) => {
    const to = async (path: string, host = domain) => {
      const { status, headers } = await ask(port, path, { headers: { host } });
      return [status, headers.location];
    };
    assert.deepEqual(await to("/old/a%2Fb//c?x=1&y=%20"), [301, "/new/a%2Fb//c?x=1&y=%20"]);
    assert.deepEqual(await to("/old/"), [301, "/new/"]);
    assert.deepEqual(await to("/old?x=1"), [301, "/new/?x=1"]);
    assert.deepEqual(await to("/up?x=1"), [308, "/?x=1"]);
    assert.deepEqual(await to("/out"), [302, "https://www.example.com"]);
    assert.deepEqual(await to("/moved?a=b"), [307, "https://www.example.com/?a=b"]);
    assert.deepEqual(await to("/up/a"), [308, "/a"]);
    assert.deepEqual(await to("/any/path?q", "www.example.com"), [308, `https://${domain}/any/path?q`]);
    for (const path of ["/up//evil.example", "/up/\\evil.example"]) assert.equal((await to(path))[0], 404, path);
  }));

test("an exact path and the prefix of the same name are separate, for routes and redirects", () =>
  withWays(async ({ port }) => {
    const seen = await seenAt(port, "/apart?x=1");
    assert.deepEqual([seen.service, seen.url], ["next", "/apart?x=1"]);
    assert.equal((await ask(port, "/apart/a")).headers.location, "/new/a");
    assert.equal((await seenAt(port, "/chosen", { headers: { "x-version": "2.0" } })).service, "next");
    const below = await seenAt(port, "/chosen/a");
    assert.deepEqual([below.service, below.url], ["beta", "/a"]);
  }));

test("a subdomain names a service: only allowed ones, and hosts with routes win", () =>
  withWays(async ({ port }) => {
    const at = async (host: string, path = "/a%2Fb?c") => ask(port, path, { headers: { host } });
    const seen = JSON.parse((await at(`preview-1.${domain}`)).body) as { service: string; url: string };
    assert.deepEqual([seen.service, seen.url], ["preview-1", "/a%2Fb?c"]);
    assert.equal((await seenAt(port, "/", { headers: { host: `web.${domain}` } })).service, "web");
    // An allowed name without a service affects only itself.
    const missing = await at(`preview-2.${domain}`);
    assert.equal(missing.status, 502);
    assert.match(missing.body, /"error":"service unknown or down","service":"preview-2"/);
    // A name that is not allowed is like any unknown host: the routes without host answer.
    for (const host of [`secret.${domain}`, `a.preview-1.${domain}`, "preview-1.example.org", `xpreview-1.${domain}`])
      assert.equal((JSON.parse((await at(host, "/")).body) as { service: string }).service, "web", host);
  }));

test("the first path segment names a service: only allowed ones, stripped, and configured routes win", () =>
  withWays(async ({ port }) => {
    const seen = await seenAt(port, "/preview-1/a%2Fb//c?d=1");
    assert.deepEqual([seen.service, seen.url], ["preview-1", "/a%2Fb//c?d=1"]);
    assert.equal(seen.headers["x-forwarded-prefix"], "/preview-1");
    const bare = await ask(port, "/beta?x=1");
    assert.deepEqual([bare.status, bare.headers.location], [308, "/beta/?x=1"]);
    assert.deepEqual((await seenAt(port, "/preview-0/x")).url, "/preview-0/x", "a route of the config comes first");
    for (const path of ["/secret/", "/secret.shop/", "/Preview-1/", "/preview-1.evil/", "/x/preview-1/"])
      assert.equal((await seenAt(port, path)).service, "web", path);
    assert.equal((await ask(port, "/preview-9/")).status, 502);
    // A line break must not reach the Location header.
    const broken = await ask(port, "/beta%0aX:1");
    assert.ok(broken.status === 200 && !("x" in broken.headers));
    assert.equal((await ask(port, "/beta%0a")).headers["location"] ?? "/beta/", "/beta/");
  }));

test("a client over a route's limit gets 429, and others are served", () =>
  withWays(async ({ port }) => {
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await ask(port, "/limited")).status));
    assert.equal(statuses.filter((status) => status === 200).length, 3);
    const { status, body } = await ask(port, "/limited");
    assert.equal(status, 429);
    assert.match(body, /"error":"too many requests","service":"web"/);
    assert.equal((await ask(port, "/limited", { from: "127.0.0.9" })).status, 200);
  }));

test("a route's own body limit applies", () =>
  withWays(async ({ port }) => {
    const megabytes = (count: number) => Buffer.alloc(count * 2 ** 20);
    assert.equal((await ask(port, "/small", { method: "POST", body: megabytes(1) })).status, 200);
    assert.equal((await ask(port, "/small", { method: "POST", body: megabytes(2) })).status, 413);
    assert.equal((await ask(port, "/", { method: "POST", body: megabytes(2) })).status, 200);
  }));

test("services found by name have settings, and share a limit", () =>
  withWays(async ({ port }) => {
    const from = "127.0.0.8";
    const small = await ask(port, "/beta/", { from });
    assert.equal(small.headers["referrer-policy"], "no-referrer");
    assert.equal((await ask(port, "/beta/", { from, method: "POST", body: Buffer.alloc(2 ** 21) })).status, 413);
    const paths = ["/beta/", "/preview-1/", "/beta/", "/preview-1/", "/beta/"];
    const statuses = await Promise.all(paths.map(async (path) => (await ask(port, path, { from })).status));
    assert.ok(statuses.includes(429), statuses.join());
    assert.equal((await ask(port, "/", { from, headers: { host: `beta.${domain}` } })).status, 200);
  }));
