/** A whole report: the order of the hops, and which of two failures is the cause. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose, type Observed } from "../../../tools/doctor/examine.ts";
import { exitCode, firstFailure } from "../../../tools/doctor/report.ts";
import { address, answered, broken, byNginx, byService, nginx, now, objects, pod, subject } from "./examples.ts";

const staging = subject("staging");
const production = subject("production");

const observed = (changes: Partial<Observed> = {}): Observed => ({
  address,
  outputsError: undefined,
  names: staging.hosts.map((host) => ({ host, v4: [address], v6: [], issuers: [] })),
  google: "no credentials",
  http: answered(301, "", { location: "https://staging.example.com/" }),
  nginx,
  certificates: staging.hosts.map((host) => ({ host, fits: true, from: new Date(0), to: new Date("2027-01-01") })),
  objects: objects(staging),
  routes: staging.routes.map((found) => ({ route: found, probe: byService(200, "hi") })),
  routesName: "routes-now",
  now,
  ...changes,
});

test("nothing fails: the report has every hop in the order of the path, and those of each route", () => {
  const report = diagnose(observed(), staging);
  assert.equal(exitCode(report), 0, JSON.stringify(report.hops.filter(({ state }) => state !== "ok")));
  assert.deepEqual(
    report.hops.slice(0, 11).map(({ id }) => id),
    [
      ...["dns", "address", "certificate", "edge", "ingress", "proxy"],
      ...["route", "service", "endpoints", "pods", "content"].map((kind) => `${kind} hoge.staging.example.com/`),
    ],
  );
  assert.equal(report.hops.length, 6 + 5 * staging.routes.length);
});

test("a missing Ingress is the cause, the silent load balancer the effect", () => {
  const { ingress: _, ...without } = objects(staging);
  const refused = broken("ECONNREFUSED");
  const google = { address: { name: "ip", status: "RESERVED", users: [] }, health: {}, certificates: {} };
  const report = diagnose(
    observed({ objects: without, http: refused, nginx: refused, certificates: [], google }),
    staging,
  );
  assert.equal(firstFailure(report)?.kind, "ingress");
  assert.equal(exitCode(report), 14);
  for (const kind of ["address", "edge"])
    assert.equal(report.hops.find((found) => found.kind === kind)?.because, "ingress", kind);
  assert.equal(report.hops.find(({ kind }) => kind === "content")?.state, "skipped");
});

test("a proxy that is down is the cause, the load balancer's error the effect", () => {
  const down = objects(staging, {
    pods: [pod("nginx-proxy", { ready: false, state: { waiting: { reason: "ImagePullBackOff" } } })],
  });
  const report = diagnose(
    observed({ objects: down, nginx: answered(502, "<title>502 Server Error</title>") }),
    staging,
  );
  assert.equal(firstFailure(report)?.kind, "proxy");
  assert.equal(report.hops.find(({ kind }) => kind === "ingress")?.because, "proxy");
});

test("only the service that is down fails", () => {
  const dead = objects(staging, {
    pods: [
      pod("nginx-proxy"),
      pod("web"),
      pod("hoge", { ready: false, state: { waiting: { reason: "ImagePullBackOff" } } }),
    ],
  });
  const routes = staging.routes.map((found) => ({
    route: found,
    probe: found.services[0] === "hoge" ? byNginx("service unknown or down") : byService(200, "hi"),
  }));
  const report = diagnose(observed({ objects: dead, routes }), staging);
  assert.equal(exitCode(report), 19);
  const bad = report.hops.filter(({ state }) => state === "failed");
  assert.deepEqual(
    bad.map(({ id, because }) => [id, because]),
    ["hoge.staging.example.com/", "staging.example.com/hoge/"].flatMap((route) => [
      [`pods ${route}`, undefined],
      [`content ${route}`, `pods ${route}`],
    ]),
  );
});

test("without access to the cluster, the proxy's response shows which service is down", () => {
  const routes = staging.routes.map((found) => ({ route: found, probe: byNginx("service unknown or down") }));
  const report = diagnose(observed({ objects: "no kubectl", routes }), staging);
  assert.equal(exitCode(report), 20);
  assert.match(firstFailure(report)?.means ?? "", /nginx reaches no pod of hoge/);
});

test("outdated routes are the cause if another service answers, otherwise a warning", () => {
  const all = { routesName: "routes-new" };
  const well = diagnose(observed(all), staging);
  assert.deepEqual(
    [exitCode(well), well.hops.filter(({ state }) => state === "warning").length],
    [0, staging.routes.length],
  );
  const probe = byService(200, '{"service":"other","headers":{}}');
  const report = diagnose(
    observed({ ...all, routes: staging.routes.map((found) => ({ route: found, probe })) }),
    staging,
  );
  assert.equal(exitCode(report), 16);
  assert.equal(report.hops.at(-1)?.because, `route ${staging.routes.at(-1)?.hostPath ?? ""}`);
});

test("a missing Secret of the Ingress is the cause, the failed TLS handshake the effect", () => {
  const error = { code: "ECONNRESET", message: "socket hang up" };
  const report = diagnose(
    observed({
      objects: objects(staging, { missingSecrets: ["ingress-tls-1"] }),
      nginx: broken("ECONNRESET"),
      certificates: staging.hosts.map((host) => ({ host, error })),
    }),
    staging,
  );
  assert.equal(firstFailure(report)?.kind, "ingress");
  assert.equal(report.hops.find(({ kind }) => kind === "certificate")?.because, "ingress");
});

test("a CAA record without Google's CA is found before Google tries to issue, but only for managed certificates", () => {
  const caa = {
    names: production.hosts.map((host) => ({ host, v4: [address], v6: [], issuers: ["letsencrypt.org"] })),
  };
  const certificates = production.hosts.map((host) => ({
    host,
    error: { code: "EPROTO", message: "handshake failure" },
  }));
  const seen = { ...caa, certificates, objects: "no kubectl", routes: [], google: undefined };
  const failure = firstFailure(diagnose(observed(seen), production));
  assert.equal(failure?.kind, "certificate");
  assert.match(failure.fix ?? "", /CAA 0 issue "pki\.goog"/);
  assert.match(firstFailure(diagnose(observed(seen), staging))?.fix ?? "", /^npx pulumi up --refresh/);
});
