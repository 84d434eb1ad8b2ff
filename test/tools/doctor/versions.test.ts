/** The services of versions and canaries are examined as well as the route's own, with requests through a real nginx. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose, examine, type Observed } from "../../../tools/doctor/examine.ts";
import { rows } from "../../../tools/doctor/print.ts";
import { exitCode, firstFailure } from "../../../tools/doctor/report.ts";
import { addressOf, proxyRoutes, startNameServer, startService } from "../../../tools/testing/loopback.ts";
import { withProxy } from "../../nginx/realNginx.ts";
import {
  address,
  answered,
  broken,
  byNginx,
  byService,
  deployment,
  nginx,
  now,
  objects,
  pod,
  service,
  subject,
} from "./examples.ts";

const names = ["web", "next", "beta"];
const versions = [
  { header: "X-Version", value: "next", service: "next" },
  { cookie: "version", value: "beta", service: "beta" },
  { header: "X-Version", value: "also", service: "next" },
];
const services = (route: object) => ({
  tls: { mode: "none" },
  secrets: {},
  services: {
    web: { image: "example.com/web:1", routes: [{ path: "/shop/", ...route }] },
    next: { image: "example.com/next:1" },
    beta: { image: "example.com/beta:1" },
  },
});
const chosen = subject("local", services({ versions }));
const halved = subject("local", services({ canary: { service: "next", percent: 50 } }));
const at = "shop.localhost/shop/";

const observed = (of: typeof chosen, changes: Partial<Observed> = {}): Observed => ({
  address,
  outputsError: undefined,
  names: [],
  google: undefined,
  http: answered(200),
  nginx,
  certificates: [],
  objects: objects(of, {
    services: ["nginx-proxy", ...names, ...names.map((name) => `pods-${name}`)].map((name) => service(name)),
    deployments: ["nginx-proxy", ...names].map((name) => deployment(name)),
    pods: ["nginx-proxy", ...names].map((name) => pod(name)),
  }),
  routes: of.routes.map((route) => ({ route, probe: byService(200, "hi", {}, "http://shop.localhost/shop/") })),
  routesName: "routes-now",
  now,
  ...changes,
});
const dead = (of: typeof chosen, name: string) => {
  const { objects: all } = observed(of);
  assert.ok(typeof all === "object");
  const pods = all.pods.filter(({ metadata }) => metadata.name !== `${name}-0`);
  return { ...all, pods: [...pods, pod(name, { ready: false, state: { waiting: { reason: "ImagePullBackOff" } } })] };
};

test("a route whose services are all well is one row, and each service has its hops", () => {
  const report = diagnose(observed(halved), halved);
  assert.equal(exitCode(report), 0, JSON.stringify(report.hops));
  assert.deepEqual(
    report.hops.filter(({ route }) => route !== undefined).map(({ id, title }) => [id, title]),
    [
      ...["route", "service", "endpoints", "pods", "content"].map((kind) => [`${kind} ${at}`, kind]),
      ...["service", "endpoints", "pods"].map((kind) => [`${kind} ${at} next`, `${kind} of next`]),
    ],
  );
  // `beta` has no route here.
  assert.deepEqual(rows(report).slice(-2), [
    { mark: "ok", name: at, seen: "200 from web or next" },
    { mark: "ok", name: "pods of beta", seen: "1 of 1 ready" },
  ]);
});

test("a service without routes that does not run fails, with its own exit status", () => {
  const report = diagnose(observed(halved, { objects: dead(halved, "beta") }), halved);
  assert.equal(exitCode(report), 19);
  const failure = firstFailure(report);
  assert.deepEqual([failure?.id, failure?.title, failure?.route], ["pods beta", "pods of beta", undefined]);
  assert.match(failure?.fix ?? "", /services\.beta\.image/);
  assert.deepEqual(
    rows(report)
      .slice(-3)
      .map(({ mark, name }) => [mark, name]),
    [
      ["ok", "service of beta"],
      ["ok", "endpoints of beta"],
      ["FAIL", "pods of beta"],
    ],
  );
});

test("of a missing Ingress and a proxy without pods, neither is the effect of the other", () => {
  const all = observed(halved).objects;
  assert.ok(typeof all === "object");
  const { ingress: _, ...rest } = all;
  const deployments = [
    ...all.deployments.filter(({ metadata }) => metadata.name !== "nginx-proxy"),
    deployment("nginx-proxy", 0),
  ];
  const report = diagnose(
    observed(halved, { objects: { ...rest, deployments }, nginx: broken("ECONNREFUSED") }),
    halved,
  );
  const failing = report.hops.filter(({ state, because }) => state === "failed" && because === undefined);
  assert.deepEqual(
    failing.map(({ kind }) => kind),
    ["ingress", "proxy"],
  );
});

test("the pods of a canary fail, although the route's own service answers", () => {
  const report = diagnose(observed(halved, { objects: dead(halved, "next") }), halved);
  assert.equal(exitCode(report), 19);
  const failure = firstFailure(report);
  assert.deepEqual([failure?.id, failure?.service], [`pods ${at} next`, "next"]);
  assert.match(failure?.fix ?? "", /services\.next\.image/);
});

test("nginx's answer names the side of the canary that failed, and its pods are the cause", () => {
  const body = JSON.stringify({ error: "service unknown or down", service: "next", requestId: "1" });
  const routes = halved.routes.map((route) => ({ route, probe: answered(502, body) }));
  const report = diagnose(observed(halved, { objects: dead(halved, "next"), routes }), halved);
  const content = report.hops.find(({ kind }) => kind === "content");
  assert.equal(content?.because, `pods ${at} next`);
  assert.match(content.means ?? "", /^nginx reaches no pod of next:/);
  // An answer that does not name the side leaves both possible.
  const unnamed = halved.routes.map((route) => ({ route, probe: byNginx("too slow", 504) }));
  const either = diagnose(observed(halved, { routes: unnamed }), halved).hops.find(({ kind }) => kind === "content");
  assert.match(either?.means ?? "", /^web or next took the request/);
  assert.match(
    either?.fix ?? "",
    /logs deployment\/web {3}# or: .*logs deployment\/next .*services\.web\.routeDefaults/,
  );
});

test("an own service that is down is not the cause of a version's bad answer", () => {
  const [route] = chosen.routes;
  const [version] = versions;
  assert.ok(route !== undefined && version !== undefined);
  const ours = byNginx("service unknown or down");
  const theirs = byService(500, "oops", {}, "http://shop.localhost/shop/");
  const routes = [{ route, probe: ours, versions: [{ version, probe: theirs }] }];
  const { hops } = diagnose(observed(chosen, { objects: dead(chosen, "web"), routes }), chosen);
  const contents = hops.filter(({ kind }) => kind === "content");
  assert.deepEqual(
    contents.map(({ id, because }) => [id, because]),
    [
      [`content ${at}`, `pods ${at}`],
      [`content ${at} next`, undefined],
    ],
  );
  assert.match(contents[1]?.seen ?? "", /^500 "oops" from next$/);
});

test("the doctor requests each version's service by its header or cookie", async () => {
  await using nameServer = await startNameServer();
  await using web = await startService("web");
  await using beta = await startService("beta");
  for (const name of names) nameServer.names.set(addressOf(name), "127.0.0.1");
  // Nobody listens on port 1 of loopback: the version's service is down.
  const ports = { web: web.port, next: 1, beta: beta.port };
  const all = proxyRoutes(nameServer, ports, [
    { service: "web", path: "/", keepPrefix: false },
    { service: "web", path: "/shop/", keepPrefix: false, versions },
  ]);
  await withProxy(all, async ({ port }) => {
    const before = [web.count(), beta.count()];
    const report = await examine({
      subject: chosen,
      target: "no kubectl",
      address: "127.0.0.1",
      outputsError: undefined,
      ports: { httpPort: port, httpsPort: 1 },
      ca: "",
      certificates: {},
      routesName: "routes-now",
    });
    assert.equal(exitCode(report), 20);
    const contents = report.hops.filter(({ kind }) => kind === "content");
    assert.deepEqual(
      contents.map(({ id, state, seen }) => [id, state, seen.replace(/ from pod.*/, "")]),
      [
        [`content ${at}`, "ok", "200"],
        [`content ${at} next`, "failed", "502 from nginx: service unknown or down"],
        [`content ${at} beta`, "ok", "200"],
      ],
    );
    assert.match(contents[1]?.means ?? "", /^nginx reaches no pod of next:/);
    assert.ok(web.count() > (before[0] ?? 0));
    assert.equal(beta.count(), (before[1] ?? 0) + 1);
  });
});
