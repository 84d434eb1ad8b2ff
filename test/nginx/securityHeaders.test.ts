/** Security headers for browsers: each exactly once, from the most specific source. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import type { ProxyRoutes } from "../../nginx/model.ts";
import { addressOf, proxyRoutes, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withProxy } from "./realNginx.ts";

const security =
  /^(x-content-type-options|referrer-policy|x-frame-options|content-security-policy|strict-transport-security)$/i;

/** Raw header lines: Node.js would join or drop duplicates. */
async function headersOf(port: number, path: string): Promise<string[]> {
  const headers = { "x-forwarded-for": "203.0.113.7, 198.51.100.1", "x-forwarded-proto": "https" };
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, headers, agent: false }, ({ rawHeaders, socket }) => {
      socket.destroy();
      const lines = rawHeaders.flatMap((name, index) =>
        index % 2 === 0 && security.test(name) ? `${name}: ${rawHeaders[index + 1] ?? ""}`.toLowerCase() : [],
      );
      resolve(lines.sort());
    })
      .on("error", reject)
      .end();
  });
}

const defaults = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "strict-origin-when-cross-origin",
  "x-frame-options": "sameorigin",
  "strict-transport-security": "max-age=100",
};

test("the service's security headers override the defaults, and the route's override both", async () => {
  await using nameServer = await startNameServer();
  await using silent = await startService("silent");
  await using own = await startService("own", ({ url }, response) => {
    response.setHeader("strict-transport-security", "max-age=7");
    if (url === "/policy") response.setHeader("content-security-policy", "frame-ancestors https://own.example");
    else response.setHeader("x-frame-options", "DENY");
    response.end();
  });
  for (const service of ["silent", "own", "dead"]) nameServer.names.set(addressOf(service), "127.0.0.1");
  const mine = { "Referrer-Policy": "no-referrer", "x-frame-options": "MINE", "Cache-Control": "no-store" };
  const hsts = { "Strict-Transport-Security": "max-age=9; preload" };
  const policy = "frame-ancestors https://a.example";
  const route = (service: string, path: string, responseHeaders?: Record<string, string>) =>
    ({ service, path, keepPrefix: false, settings: { responseHeaders } }) as const;
  const proxy: ProxyRoutes = {
    ...proxyRoutes(nameServer, { silent: silent.port, own: own.port, dead: 1 }, [
      route("silent", "/"),
      route("own", "/own/"),
      route("silent", "/mine/", mine),
      route("own", "/own/mine/", { ...mine, ...hsts }),
      route("silent", "/policy/", { "Content-Security-Policy": policy }),
      route("dead", "/dead/", mine),
    ]),
    hsts: { seconds: 100, includeSubdomains: false },
  };
  const ours = { ...defaults, "referrer-policy": "no-referrer", "x-frame-options": "mine" };
  const { "x-frame-options": _, ...unframed } = defaults;
  const expected: Record<string, Record<string, string>> = {
    "/": defaults,
    "/own/": { ...defaults, "x-frame-options": "deny", "strict-transport-security": "max-age=7" },
    "/own/policy": {
      ...unframed,
      "content-security-policy": "frame-ancestors https://own.example",
      "strict-transport-security": "max-age=7",
    },
    "/mine/": ours,
    "/own/mine/": { ...ours, "strict-transport-security": "max-age=9; preload" },
    "/policy/": { ...unframed, "content-security-policy": policy },
    // nginx's own answers for a route have them too.
    "/dead/": ours,
  };
  await withProxy(proxy, async ({ port }) => {
    for (const [path, headers] of Object.entries(expected)) {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      assert.deepEqual(await headersOf(port, path), lines.sort(), path);
    }
  });
});
