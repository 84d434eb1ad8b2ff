/** Effects of a gRPC route, and settings that exclude it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { edgePaths, grpcHostPaths } from "../../config/grpc.ts";
import { healthOf } from "../../config/health.ts";
import { proxyRoutes } from "../../config/routes.ts";
import { schema } from "../../config/schema.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const image = "registry.example.com/orders:1";
const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };

const parsed = (services: Record<string, object>, more: Record<string, unknown> = {}) =>
  schema.parse({ ...valid, ...more, services });

const withRoute = (route: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  ...valid,
  ...more,
  services: { orders: { image, routes: [{ protocol: "grpc", ...route }] } },
});

test("a route gets its gRPC protocol from itself or from its service", () => {
  const config = parsed({
    orders: {
      image,
      routeDefaults: { protocol: "grpc" },
      routes: [{ path: "/a/" }, { path: "/b/", protocol: "http" }],
    },
    carts: { image, routes: [{ host: "carts", protocol: "grpc", timeoutSeconds: 9 }] },
  });
  assert.deepEqual(
    proxyRoutes(config).routes.map(({ path, host, protocol, settings }) => [host, path, protocol, settings]),
    [
      [undefined, "/a/", "grpc", {}],
      [undefined, "/b/", undefined, {}],
      ["carts.shop.example.com", "/", "grpc", { timeoutSeconds: 9 }],
    ],
  );
  assert.deepEqual([...grpcHostPaths(config)], ["shop.example.com/a/", "carts.shop.example.com/"]);
});

test("a service with only gRPC routes has gRPC health checks, unless it has a health path", () => {
  const { services } = parsed({
    orders: { image, routes: [{ path: "/a/", protocol: "grpc", canary: { service: "next", percent: 5 } }] },
    next: { image },
    both: { image, routes: [{ path: "/b/", protocol: "grpc" }, { path: "/c/" }] },
    own: { image, routes: [{ path: "/d/", protocol: "grpc" }], healthPath: "/readyz" },
    inner: { image, routeDefaults: { protocol: "grpc" } },
    worker: { image, port: "none" },
    called: { image },
    web: {
      image,
      routes: [{ path: "/", versions: [{ header: "X-V", value: "2", service: "later" }] }],
    },
    later: { image },
  });
  const paths = [...healthOf(services)].map(([name, health]) => [
    name,
    health?.kind === "http" ? health.path : health?.kind,
  ]);
  assert.deepEqual(Object.fromEntries(paths), {
    orders: "grpc",
    next: "grpc",
    both: "/healthz",
    own: "/readyz",
    inner: "grpc",
    worker: undefined,
    called: "/healthz",
    web: "/healthz",
    later: "/healthz",
  });
});

test("the edge gets the minimal list of paths: the longest first, and always /", () => {
  const config = parsed(
    {
      web: {
        image,
        routes: [
          { path: "/" },
          { path: "/many/" },
          { path: "/shop.v1.Orders/web/" },
          { host: "api", path: "/web/" },
          { host: "api", path: "/web/deep/" },
          { host: "www" },
        ],
      },
      orders: {
        image,
        routeDefaults: { protocol: "grpc" },
        routes: [{ path: "/shop.v1.Orders/" }, { path: "/shop.v1.Carts/Get" }, { host: "api" }, { host: "grpc" }],
      },
    },
    {
      proxy: {
        wildcards: { subdomain: { allow: ["preview-*"] } },
        redirects: [{ host: "api", path: "/old/", to: "/web/" }],
      },
    },
  );
  const http = (path: string) => ({ path, protocol: "http" });
  const grpc = (path: string) => ({ path, protocol: "grpc" });
  assert.deepEqual(edgePaths(config), {
    "shop.example.com": [http("/shop.v1.Orders/web/"), grpc("/shop.v1.Carts/Get"), grpc("/shop.v1.Orders/"), http("/")],
    "api.shop.example.com": [http("/old/"), http("/web/"), grpc("/")],
    "grpc.shop.example.com": [grpc("/")],
    "www.shop.example.com": [http("/")],
    "*.shop.example.com": [http("/")],
  });
});

test("without gRPC routes the edge has no separate paths", () => {
  assert.deepEqual(edgePaths(parsed({ web: { image, routes: [{ path: "/" }] } })), {});
});

test("two routes with the same host and path are refused for all protocols; with different paths they are not", () => {
  const both = (path: string) => ({
    ...valid,
    services: {
      orders: {
        image,
        routes: [
          { host: "api", path: "/a/" },
          { host: "api", path, protocol: "grpc" },
        ],
      },
    },
  });
  assert.match(
    refusal(both("/a/")),
    /routes\[1\]\n\s+"api\.shop\.example\.com\/a\/" is already the route .*routes\[0\]/,
  );
  checkConfig(raw(both("/b/")), "test", projectDir);
});

test("behind Google's load balancer gRPC needs TLS; other edges do not", () => {
  const route = { path: "/shop.v1.Orders/" };
  for (const kind of ["gce", "gateway"]) {
    const edge = { cluster: { kind: "gke" }, edge: { kind }, proxy: { image }, registry: {} };
    assert.match(
      refusal(withRoute(route, edge), google),
      /services\.orders\.routes\[0\]\.protocol\n\s+"grpc" needs HTTP\/2, .* over TLS only, and [\w-]+:tls\.mode is none; choose another mode/,
    );
    checkConfig(raw(withRoute(route, { ...edge, tls: { mode: "self-signed" } }), google), "test", projectDir);
  }
  checkConfig(raw(withRoute(route)), "test", projectDir);
  checkConfig(raw(withRoute(route, { edge: { kind: "gateway", className: "contour" } })), "test", projectDir);
});

test("buffering has no effect on gRPC, but a service with other routes may set it", () => {
  assert.match(
    refusal(withRoute({ path: "/a/", buffering: false })),
    /routes\[0\]\.buffering\n\s+false has no effect on grpc, which is always passed on as it comes; remove it/,
  );
  const services = {
    orders: {
      image,
      routeDefaults: { buffering: false },
      routes: [{ path: "/a/", protocol: "grpc" }, { path: "/b/" }],
    },
  };
  checkConfig(raw({ ...valid, services }), "test", projectDir);
});

test("the disk limit of the proxy does not apply to gRPC streams", () => {
  for (const maxBodyMb of [0, 100_000]) checkConfig(raw(withRoute({ path: "/a/", maxBodyMb })), "test", projectDir);
  assert.match(refusal(withRoute({ path: "/a/", maxBodyMb: 0, protocol: "http" })), /routes\[0\]\.maxBodyMb/);
});

test("gRPC on every path excludes services found by path", () => {
  const proxy = { wildcards: { path: { allow: ["docs"] } } };
  assert.match(
    refusal(withRoute({ path: "/" }, { proxy })),
    /routes\[0\]\n\s+\{.*protocol: grpc \} takes every path, .*proxy\.wildcards\.path; give it a host or a path/,
  );
  checkConfig(raw(withRoute({ host: "grpc" }, { proxy })), "test", projectDir);
  checkConfig(raw(withRoute({ path: "/shop.v1.Orders/" }, { proxy })), "test", projectDir);
});

test("services found by name exclude the proxy's own Services", () => {
  for (const allow of ["nginx-proxy-grpc", "nginx-proxy-*"])
    assert.match(
      refusal({ ...valid, proxy: { wildcards: { subdomain: { allow: [allow] } } } }),
      /must not take in nginx-proxy: requests would go round in circles/,
    );
});
