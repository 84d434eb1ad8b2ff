/** From config to the proxy's input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { exactPathNotes } from "../../config/checks/routes.ts";
import { canaryTable, proxyRoutes, routeTable } from "../../config/routes.ts";
import { hostNames } from "../../config/hosts.ts";
import { schema } from "../../config/schema.ts";

const base = {
  domain: "shop.example.com",
  cluster: { kind: "existing", context: "somewhere" },
  edge: { kind: "ingress", className: "contour", trustedProxies: ["10.0.0.0/8"] },
};
const config = schema.parse({
  ...base,
  proxy: {
    redirects: [{ host: "old.example.com", path: "/a/", to: "https://shop.example.com/b/", status: 301 }],
    wildcards: { subdomain: { allow: ["preview-*"] }, path: { allow: ["docs"], port: 3000, timeoutSeconds: 5 } },
  },
  services: {
    web: {
      image: "example.com/web:1",
      routes: [
        { path: "/", canary: { service: "next", percent: 5 }, timeoutSeconds: 60 },
        { host: "beta", versions: [{ cookie: "v", value: "2", service: "later" }], maintenance: true },
      ],
      routeDefaults: { timeoutSeconds: 10, buffering: false },
    },
    next: { image: "example.com/web:2", port: 9000 },
    later: { image: "example.com/web:3" },
    worker: { image: "example.com/worker:1" },
  },
});
test("a service's settings apply to all its routes, unless a route overrides them", () => {
  const { routes } = proxyRoutes(config);
  assert.deepEqual(
    routes.map(({ host, path, settings }) => [host, path, settings]),
    [
      [undefined, "/", { timeoutSeconds: 60, buffering: false }],
      ["beta.shop.example.com", "/", { timeoutSeconds: 10, buffering: false }],
    ],
  );
});

test("behind Google's load balancer a route's timeout follows that of the load balancer", () => {
  const edge = { kind: "gce", onGoogle: true, timeoutSeconds: 120, drainSeconds: 30 } as const;
  const [, beta] = proxyRoutes({ ...config, edge }).routes;
  assert.equal(beta?.settings?.timeoutSeconds, 10, "the service's setting wins");
  const web = { ...config.services["web"], routeDefaults: {}, routes: [{ path: "/", keepPrefix: false }] };
  const services = { web } as typeof config.services;
  const wait = (timeoutSeconds: number) =>
    proxyRoutes({ ...config, services, edge: { ...edge, timeoutSeconds } }).routes[0]?.settings?.timeoutSeconds;
  assert.equal(wait(120), 115);
  assert.equal(wait(40), undefined, "as in nginx.conf");
});

test("HSTS is on with Google's certificates, or if configured", () => {
  const hstsOf = (tls: unknown) => proxyRoutes({ ...config, tls: schema.shape.tls.parse(tls) }).hsts;
  assert.deepEqual(hstsOf({ mode: "managed" }), { seconds: 30 * 86_400, includeSubdomains: false });
  assert.equal(hstsOf({ mode: "managed", hsts: { days: 0 } }), undefined);
  const hsts = { days: 365, includeSubdomains: true };
  for (const mode of ["self-signed", "supplied"]) {
    assert.equal(hstsOf({ mode }), undefined);
    assert.deepEqual(hstsOf({ mode, hsts }), { seconds: 365 * 86_400, includeSubdomains: true });
  }
  assert.equal(hstsOf({ mode: "none" }), undefined);
});

test("a service of a canary or a version is an upstream, one without routes is not", () => {
  const { upstreams } = proxyRoutes(config);
  assert.deepEqual(
    upstreams.map(({ address, port }) => `${address}:${port}`),
    [
      "pods-web.apps.svc.cluster.local:8080",
      "pods-next.apps.svc.cluster.local:9000",
      "pods-later.apps.svc.cluster.local:8080",
    ],
  );
});

test("redirects and wildcards reach the proxy with full names", () => {
  const { redirects, wildcards } = proxyRoutes(config);
  assert.deepEqual(redirects, [
    { host: "old.example.com", path: "/a/", to: "https://shop.example.com/b/", status: 301 },
  ]);
  const common = { domain: "shop.example.com", suffix: "apps.svc.cluster.local" };
  assert.deepEqual(wildcards, [
    { by: "subdomain", allow: ["preview-*"], port: 8080, settings: {}, ...common },
    { by: "path", allow: ["docs"], port: 3000, settings: { timeoutSeconds: 5 }, ...common },
  ]);
  const edge = { kind: "gce", onGoogle: true, timeoutSeconds: 15, drainSeconds: 30 } as const;
  assert.deepEqual(
    proxyRoutes({ ...config, edge }).wildcards?.map(({ settings }) => settings?.timeoutSeconds),
    [10, 5],
    "behind Google's load balancer they wait as long as that allows",
  );
});

test("the edge serves all hosts: those of routes and redirects, and the wildcard", () => {
  assert.deepEqual(hostNames(config), [
    "shop.example.com",
    "beta.shop.example.com",
    "old.example.com",
    "*.shop.example.com",
  ]);
});

test("the table of routes lists each host and path with its service", () => {
  assert.deepEqual(routeTable(config), { "beta.shop.example.com/": "web", "shop.example.com/": "web" });
});

test("the table of canaries has only routes with one", () => {
  assert.deepEqual(canaryTable(config), { "shop.example.com/": "next" });
});

test("a path that is only itself is noted, unless a prefix or a file name shows that it is meant", () => {
  const notes = (...routes: object[]) =>
    exactPathNotes(schema.parse({ ...base, services: { orders: { image: "example.com/orders:1", routes } } }));
  const noted = [
    "gke-microservices:services.orders.routes[0].path: /orders is this one path; for all that is below it too, write /orders/",
  ];
  assert.deepEqual(notes({ path: "/orders" }), noted);
  assert.deepEqual(notes({ host: "api", path: "/orders" }), noted);
  assert.equal(notes({ path: "/orders" }, { path: "/orders/v1.0/list" }).length, 2);
  for (const meant of [
    [{ path: "/orders/" }],
    [{ path: "/orders" }, { path: "/orders/" }],
    [{ path: "/hook" }, { path: "/" }],
    [{ host: "api" }, { path: "/hook" }],
    [{ path: "/robots.txt" }],
    [{ path: "/shop.Orders/Get", protocol: "grpc" }],
  ])
    assert.deepEqual(notes(...meant), [], JSON.stringify(meant));
});
