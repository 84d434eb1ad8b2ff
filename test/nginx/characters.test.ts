/** Names and values with all characters that the standards allow, through a real nginx. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { doublesOf, ownHeaders } from "../../nginx/headerNames.ts";
import type { ProxyRoutes, Route } from "../../nginx/model.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  seenAt,
  startNameServer,
  startService,
  type NameServer,
  type Seen,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy } from "./realNginx.ts";

let nameServer: NameServer;
let services: Readonly<Record<"web" | "next", Service>>;
before(async () => {
  nameServer = await startNameServer();
  services = { web: await startService("web"), next: await startService("next") };
  for (const service of ["web", "next"]) nameServer.names.set(addressOf(service), "127.0.0.1");
});
after(async () => {
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

async function withRoutes(routes: readonly Partial<Route>[], use: (port: number) => Promise<void>, more = {}) {
  const all = [{ path: "/" }, ...routes].map((route) => ({ service: "web", keepPrefix: false, ...route }) as Route);
  const ports = { web: services.web.port, next: services.next.port };
  const proxy: ProxyRoutes = { ...proxyRoutes(nameServer, ports, all), ...more };
  await withProxy(proxy, ({ port }) => use(port));
}

/** All of RFC 3986, encoded where it asks for that. */
const paths = [
  "/v1:predict",
  "/@user/",
  "/a+b/",
  "/100%25/",
  "/a;v=1,2/",
  "/it's/",
  "/(x)/",
  "/*/",
  "/a&b=c/",
  "/$HOME/",
  "/!/",
  "/caf%C3%A9/",
  "/a%20b/",
  "/%22%7B%7D%3B/",
  "/%23hash/",
  "/%5B0%5D/",
  "/~%5E%60%7C/",
];

test("a route's path may have every character of RFC 3986", async () => {
  const strips = (path: string) => path.endsWith("/");
  await withRoutes(
    paths.map((path) => ({ service: "next", path })),
    async (port) => {
      for (const path of paths) {
        const seen = await seenAt(port, strips(path) ? `${path}x?q=1` : `${path}?q=1`);
        assert.deepEqual([seen.service, seen.url], ["next", strips(path) ? "/x?q=1" : `${path}?q=1`], path);
        if (strips(path)) assert.equal(seen.headers["x-forwarded-prefix"], path.slice(0, -1));
        // Hexadecimal digits in lower case are the same path; another path is not.
        const lower = path.replaceAll(/%../g, (encoded) => encoded.toLowerCase());
        assert.equal((await seenAt(port, lower)).service, "next", lower);
        assert.equal((await seenAt(port, path.replace(/(\/?)$/, "_$1"))).service, "web", path);
        if (!strips(path)) continue;
        const bare = await ask(port, `${path.slice(0, -1)}?q=$x`);
        assert.deepEqual([bare.status, bare.headers.location], [308, `${path}?q=$x`]);
      }
    },
  );
});

test("the same with the prefix kept, and in redirects", async () => {
  const prefixes = paths.filter((path) => path.endsWith("/"));
  const redirects = prefixes.map((path) => ({ path: `/from${path}`, to: `/to${path}`, status: 308 as const }));
  await withRoutes(
    prefixes.map((path) => ({ service: "next", path, keepPrefix: true })),
    async (port) => {
      for (const path of prefixes) {
        const seen = await seenAt(port, `${path}x`);
        assert.deepEqual([seen.service, seen.url], ["next", `${path}x`]);
        const { status, headers } = await ask(port, `/from${path}x?q`);
        assert.deepEqual([status, headers.location], [308, `/to${path}x?q`]);
      }
    },
    { redirects },
  );
});

test("a response header may have every visible character of ASCII", async () => {
  const values = {
    "X-All": Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join(""),
    "X-Json": `{"a": "b\\\\c", "d": '$request_uri \${host}'}`,
    "Content-Security-Policy": `default-src 'self'; script-src 'nonce-a"b' https://*.example.com; report-uri /csp?a=b&c`,
    "X-Frame-Options": `a "quoted" $value`,
    "X-Long": "a".repeat(4000),
  };
  await withRoutes([{ path: "/a", settings: { responseHeaders: values } }], async (port) => {
    const { headers } = await ask(port, "/a");
    for (const [name, value] of Object.entries(values)) assert.equal(headers[name.toLowerCase()], value);
  });
});

test("a cookie's name is any token, and its value any text of a cookie", async () => {
  const cookies = [
    ["version", "beta"],
    ["__Host-version", "beta.1"],
    ["a.b", "x"],
    ["$x*+|", "a(b)[c]$^"],
    ["c", "base64+/=="],
  ] as const;
  for (const [cookie, value] of cookies)
    await withRoutes([{ path: "/a", versions: [{ cookie, value, service: "next" }] }], async (port) => {
      const serviceFor = async (header: string) => (await seenAt(port, "/a", { headers: { cookie: header } })).service;
      const given = `${cookie}=${value}`;
      for (const header of [
        given,
        `first=1; ${given}`,
        `${given}; last=1`,
        `first=1;${given}`,
        `first=1;  ${given}`,
        `${cookie}="${value}"`,
        `${given}; ${cookie}=y`,
        `${"a=b; ".repeat(2000)}${given}`,
      ])
        assert.equal(await serviceFor(header), "next", header);
      for (const header of [
        `${given}x`,
        `x${given}`,
        `first=${given}`,
        `${cookie}=y`,
        `${cookie}=x${value}`,
        `${cookie}=y; ${given}`,
        `${cookie}="${value}`,
        ...(/[a-z]/i.test(cookie)
          ? [given.replace(cookie, cookie.toUpperCase() === cookie ? cookie.toLowerCase() : cookie.toUpperCase())]
          : []),
        "other=1",
      ])
        assert.equal(await serviceFor(header), "web", header);
    });
});

test("a header's value that selects a version has every visible character of ASCII, and blanks", async () => {
  const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join("");
  const values = [
    visible.slice(0, 60),
    visible.slice(40),
    "next release",
    'a, b; q="1.0"',
    String.raw`\t\\n\"`,
    "a\\",
    '"',
    "$http_host {x}",
  ];
  await withRoutes(
    values.map((value, index) => ({
      path: `/${index}`,
      versions: [{ header: "X-Version", value, service: "next" }],
    })),
    async (port) => {
      for (const [index, value] of values.entries()) {
        const serviceFor = async (given: string) =>
          (await seenAt(port, `/${index}`, { headers: { "x-version": given } })).service;
        assert.equal(await serviceFor(value), "next", value);
        for (const other of [`${value}x`, `x${value}`, value.toUpperCase(), value.replaceAll("\\", "")])
          if (other !== value) assert.equal(await serviceFor(other), "web", `${other} for ${value}`);
      }
    },
  );
});

/** Sends lines of a header as they are. @returns the request as the service received it, or the status if none did */
async function seenWith(port: number, ...lines: readonly string[]): Promise<Seen | number> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let answer = "";
  socket.on("data", (data: string) => (answer += data)).on("error", () => undefined);
  socket.write(["GET / HTTP/1.1", "Host: a", "Connection: close", ...lines, "", ""].join("\r\n"), "latin1");
  await once(socket, "close");
  const body = /\{"service".*\}/.exec(answer)?.[0];
  return body === undefined ? Number(answer.slice(9, 12)) : (JSON.parse(body) as Seen);
}

const unusual = ["api_key", "Access_Token", "X.Dot", "_x", "x~y", "a!b"];

test("headers with other characters than hyphens are dropped by default", () =>
  withRoutes([], async (port) => {
    const seen = await seenWith(port, ...unusual.map((name) => `${name}: 1`), "X-Plain: 1");
    assert.ok(typeof seen === "object");
    for (const name of unusual) assert.equal(seen.headers[name.toLowerCase()], undefined, name);
    assert.equal(seen.headers["x-plain"], "1");
  }));

test("with headerNames those with _, or all, reach the service, but no double of the proxy's own headers", async () => {
  for (const headerNames of ["underscores", "any"] as const)
    await withRoutes(
      [],
      async (port) => {
        const seen = await seenWith(port, ...unusual.map((name) => `${name}: 1`));
        assert.ok(typeof seen === "object");
        for (const name of unusual) {
          const isPassed = headerNames === "any" || /^\w+$/.test(name);
          assert.equal(seen.headers[name.toLowerCase()], isPassed ? "1" : undefined, name);
        }
        const doubles = ownHeaders.flatMap(doublesOf);
        assert.ok(doubles.includes("X_Forwarded_For") && doubles.includes("X-Forwarded_For"));
        for (let at = 0; at < doubles.length; at += 50) {
          const some = doubles.slice(at, at + 50);
          const forged = await seenWith(port, ...some.map((name) => `${name.toLowerCase()}: 6.6.6.6`));
          assert.ok(typeof forged === "object");
          assert.doesNotMatch(JSON.stringify(forged), /6\.6\.6\.6/);
        }
        // Doubles change nothing that the proxy derives from the real header.
        const { headers } = (await seenWith(
          port,
          "X_Forwarded_Proto: https",
          "X-Forwarded-Proto: http",
          "X-Forwarded-For: 203.0.113.7, 198.51.100.1",
          "X_Forwarded_For: 6.6.6.6, 6.6.6.7",
        )) as Seen;
        assert.deepEqual([headers["x-real-ip"], headers["x-forwarded-proto"]], ["203.0.113.7", "http"]);
        // None of these is a name.
        for (const line of [":path: /x", " X-Folded: 1", "X Y: 1", "X-Tab\t: 1", "X-A : 1", ": 1", "X-Nul\0: 1"])
          assert.equal(await seenWith(port, line), 400, JSON.stringify(line));
      },
      { headerNames },
    );
});

test("the list of own headers has all that nginx.conf sets or removes", () => {
  const text = readFileSync(join(import.meta.dirname, "../../nginx/nginx.conf"), "utf8");
  const set = [...text.matchAll(/^ +proxy_set_header ([\w-]+) /gm)].map(([, name = ""]) => name);
  assert.ok(set.length > 15);
  for (const name of set.filter((each) => each.includes("-"))) assert.ok(ownHeaders.includes(name), name);
});
