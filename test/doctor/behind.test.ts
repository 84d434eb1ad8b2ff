/** Ingress, nginx, route and content: each row of what answers show, and which of two hops is the cause. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, whoAnswered, type Probe } from "../../doctor/answers.ts";
import { content } from "../../doctor/diagnose/content.ts";
import { ingress } from "../../doctor/diagnose/ingress.ts";
import { proxy } from "../../doctor/diagnose/proxy.ts";
import { route } from "../../doctor/diagnose/route.ts";
import { diagnose, type Observed } from "../../doctor/examine.ts";
import type { Gateway, HttpRoute, Objects } from "../../doctor/gather/objects.ts";
import { exitCode, firstFailure, type Finding } from "../../doctor/report.ts";
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
  subject,
  warning,
} from "./examples.ts";
import { assertMendable } from "./fixes.ts";

const staging = subject("staging");
const local = subject("local");
const production = subject("production");

function is(finding: Finding, state: Finding["state"], seen: RegExp, means?: RegExp, fix?: RegExp): void {
  assert.equal(finding.state, state, JSON.stringify(finding));
  assert.match(finding.seen, seen);
  assertMendable(finding);
  if (means) assert.match(finding.means ?? "", means);
  if (fix) assert.match(finding.fix ?? "", fix);
}

test("who answered is told from the answer", () => {
  const edge = (says: string) => ({ by: "edge", says });
  for (const [probe, who] of [
    [nginx, { by: "proxy", error: "path with dot segments" }],
    [byService(404, '{"error":"not found"}'), { by: "service" }],
    [answered(404, "no such page"), { by: "stranger" }],
    [answered(404, "default backend - 404"), edge("unconnected")],
    [answered(404, "fault filter abort"), edge("unconnected")],
    [answered(500, "fault filter abort"), edge("no-backend")],
    [answered(404, "response 404 (backend NotFound), service rules for the path non-existent"), edge("no-backend")],
    [answered(404, "backend service not found"), edge("no-backend")],
    [answered(404, "The requested URL / was not found on this server."), edge("not-there-yet")],
    [answered(502, "<title>502 Server Error</title>"), edge("unhealthy")],
    [answered(503, "no healthy upstream"), edge("unhealthy")],
    [answered(504, "upstream request timeout"), edge("gave-up")],
    [answered(403, "<title>403</title>403 Forbidden"), edge("denied")],
    [answered(302, "", { "x-goog-iap-generated-response": "true" }), edge("sign-in")],
    [answered(404, "", { server: "envoy" }), edge("unconnected")],
    // The same words from a service have come through nginx, which leaves its mark.
    [answered(502, "<title>502 Server Error</title>", { "x-content-type-options": "nosniff" }), { by: "service" }],
    [answered(404, "", { server: "envoy", "x-content-type-options": "nosniff" }), { by: "service" }],
    [broken("ECONNREFUSED"), { by: "nobody" }],
  ] as const)
    assert.deepEqual(whoAnswered(probe), who, brief(probe));
});

const changed = (of: typeof staging, change: (all: Objects) => Partial<Objects>) => {
  const all = objects(of);
  return { ...all, ...change(all) };
};
const entered = (seen: Objects | string, probe: Probe = nginx, of = staging, health?: Record<string, string>) =>
  ingress({ objects: seen, nginx: probe, health }, of);

test("ingress: leads to the proxy", () => {
  is(entered(objects(staging)), "ok", /2 names to nginx-proxy/);
  is(entered("no kubectl"), "ok", /leads to the proxy/);
  is(entered("no kubectl", broken("ECONNREFUSED")), "unknown", /no kubectl/);
});

test("ingress: is not there, or of another class", () => {
  const { ingress: found, ...without } = objects(local);
  is(
    entered(without, nginx, local),
    "failed",
    /there is no Ingress in the namespace apps/,
    /never applied|deleted/,
    /npm start/,
  );
  const other = found && { ...found, spec: { ...found.spec, ingressClassName: "nginx" } };
  is(
    entered({ ...without, ...(other && { ingress: other }) }, nginx, local),
    "failed",
    /of the class nginx, and the config says contour/,
  );
  const unannotated = changed(staging, ({ ingress: one }) => ({
    ...(one && { ingress: { ...one, metadata: { name: "ingress" } } }),
  }));
  is(entered(unannotated), "failed", /of the class \(none\), and the config says gce/, /leaves it alone/);
});

test("ingress: no rule for a name, no Secret, no Service behind it", () => {
  const unruled = changed(staging, ({ ingress: one }) => ({
    ...(one && { ingress: { ...one, spec: { ...one.spec, rules: (one.spec.rules ?? []).slice(0, 1) } } }),
  }));
  is(entered(unruled), "failed", /no rule for hoge\.staging\.example\.com/, /not applied since/);
  is(
    entered(objects(staging, { missingSecrets: ["ingress-tls-1"] })),
    "failed",
    /names the Secret ingress-tls-1, which/,
  );
  is(entered(objects(staging, { services: [] })), "failed", /leads to the Service nginx-proxy, which is not there/);
});

test("ingress: a health check on another port or path than nginx answers at", () => {
  const checked = (healthCheck?: { port?: number; requestPath?: string }) =>
    entered(
      objects(staging, {
        backendConfig: { metadata: { name: "nginx-proxy" }, spec: { ...(healthCheck && { healthCheck }) } },
      }),
    );
  is(
    checked({ port: 8080, requestPath: "/healthz" }),
    "failed",
    /asks for \/healthz on port 8080/,
    /at \/healthz on port 8081 and nowhere else/,
  );
  is(checked({ port: 8081, requestPath: "/" }), "failed", /asks for \/ on port 8081/);
  is(checked(), "failed", /\(inferred\)/);
  const { backendConfig: _, ...without } = objects(staging);
  is(entered(without), "failed", /no BackendConfig/);
});

test("ingress: what its controller complains of, until it stops", () => {
  const complaint = warning("Ingress", "ingress", "Sync", "Error syncing to GCP: quota exceeded");
  is(
    entered(objects(staging, { events: [complaint] })),
    "failed",
    /Sync: Error syncing to GCP: quota/,
    /could not make/,
  );
  is(entered(objects(staging, { events: [complaint, { ...complaint, type: "Normal" }] })), "ok", /./);
});

test("ingress: no backend is healthy, by Google's word", () => {
  const finding = entered(objects(staging), nginx, staging, { a: "UNHEALTHY", b: "Unknown" });
  is(finding, "failed", /a UNHEALTHY, b Unknown/, /health check gets no 200.*130\.211\.0\.0\/22/, /firewall-rules/);
  assert.equal(finding.passing, true);
  is(entered(objects(staging), nginx, staging, { a: "UNHEALTHY", b: "HEALTHY" }), "ok", /UNHEALTHY, HEALTHY/);
});

for (const [probe, means] of [
  [answered(404, "default backend - 404"), /not connected to the ingress yet/],
  [answered(404, "backend service not found"), /load balancer works, and nginx is not connected/],
  [answered(404, "The requested URL / was not found on this server."), /know no load balancer at this address/],
  [answered(502, "<title>502 Server Error</title>"), /none of its backends counts as healthy/],
  [answered(503, "no healthy upstream"), /none of its backends/],
] as const)
  test(`ingress: ${brief(probe)}, which passes on Google`, () => {
    const finding = entered("no kubectl", probe);
    is(finding, "failed", /from the load balancer/, means);
    assert.equal(finding.passing, true);
    assert.equal(entered("no kubectl", probe, local).passing, false);
  });

test("ingress: a Gateway and its routes", () => {
  const of = subject("local", { edge: { kind: "gateway", className: "contour" } });
  const all = (conditions: readonly { type: string; status: string; reason?: string }[] = []) => {
    const gateway: Gateway = {
      metadata: { name: "gateway" },
      spec: { gatewayClassName: "contour" },
      status: { conditions },
    };
    const httpRoutes: HttpRoute[] = of.hosts.map((host) => ({
      metadata: { name: host },
      spec: { hostnames: [host] },
      status: { parents: [{ conditions: [{ type: "Accepted", status: "True" }] }] },
    }));
    return { ...objects(of), gateway, httpRoutes };
  };
  is(entered(all(), nginx, of), "ok", /./);
  is(
    entered(all([{ type: "Programmed", status: "False", reason: "Pending" }]), nginx, of),
    "failed",
    /not Programmed \(Pending\)/,
  );
  is(entered({ ...all(), httpRoutes: all().httpRoutes.slice(1) }, nginx, of), "failed", /no HTTPRoute is for/);
  const refused = all().httpRoutes.map((one) => ({
    ...one,
    status: { parents: [{ conditions: [{ type: "ResolvedRefs", status: "False", reason: "BackendNotFound" }] }] },
  }));
  is(
    entered({ ...all(), httpRoutes: refused }, nginx, of),
    "failed",
    /HTTPRoute .*: not ResolvedRefs \(BackendNotFound\)/,
  );
  const { gateway: _, ...without } = all();
  is(entered(without, nginx, of), "failed", /there is no Gateway/);
});

test("nginx: by itself, passing on, down", () => {
  is(proxy(objects(staging), nginx, staging, now), "ok", /answers by itself; 1 of 1 ready/);
  is(proxy("no kubectl", byService(404, "no such page"), staging, now), "ok", /passes requests on$/);
  is(proxy("no kubectl", broken("ECONNREFUSED"), staging, now), "skipped", /nothing comes through/);
  const stranger = answered(404, "It works!");
  is(
    proxy("no kubectl", stranger, staging, now),
    "failed",
    /404 "It works!", which neither/,
    /Something else answers/,
    /curl -v/,
  );
  is(
    proxy(objects(staging, { deployments: [deployment("nginx-proxy", 0)] }), nginx, staging, now),
    "failed",
    /scaled to 0/,
    /./,
    /--replicas=3/,
  );
});

const [one] = staging.routes;
assert.ok(one !== undefined);
const routed = (probe: Probe, seen: Objects | string = objects(staging)) =>
  route(probe, one, seen, "routes-now", staging);

test("route: there, not there, older than the config, a name that the load balancer does not know", () => {
  is(routed(byService(200)), "ok", /nginx has it/);
  is(routed(byNginx("no such route", 404)), "failed", /no such route/, /not applied since/, /pulumi up/);
  is(
    routed(answered(404, "default backend - 404")),
    "failed",
    /default backend/,
    /does not know the name hoge\.staging/,
  );
  is(
    route(byService(200), one, objects(staging), "routes-new", staging),
    "warning",
    /runs with routes-now, and the config makes routes-new/,
  );
  is(routed(broken("NO_ANSWER"), "no kubectl"), "unknown", /no answer/);
});

const told = (probe: Probe, of = staging) =>
  content(probe, { ...one, host: "staging.example.com", place: "staging.example.com/" }, of);

test("content: of a service, whatever it says below 500", () => {
  is(told(byService(200, "hello")), "ok", /^200 from hoge$/);
  is(told(byService(404, '{"error":"not found"}')), "ok", /^404 from hoge$/);
  is(told(byService(302, "", { location: "/login" })), "ok", /^302 from hoge$/);
  is(told(byService(500, "oops")), "failed", /500 "oops" from hoge/, /hoge itself fails/, /logs deployment\/hoge/);
});

test("content: 301 again and again, and a redirect to https where there is none", () => {
  const once = byService(301, "", { location: "https://staging.example.com/" });
  is(
    told({ ...once, circle: [once] }),
    "failed",
    /again and again/,
    /TLS is switched on in the application too/,
    /X-Forwarded-Proto/,
  );
  const plain = byService(301, "", { location: "https://staging.example.com/" }, "http://staging.example.com/");
  is(
    told(plain, subject("staging", { tls: { mode: "none" } })),
    "failed",
    /where nothing answers: tls\.mode is none/,
    /no certificate/,
  );
});

for (const [error, state, means, fix] of [
  ["service unknown or down", "failed", /reaches no pod of hoge/, /^npx pulumi up --refresh.*get pods,services/],
  ["too slow", "failed", /did not answer within 25 s/, /routeDefaults\.timeoutSeconds/],
  ["no such route", "failed", /older config/, /pulumi up/],
  ["too many requests", "warning", /limit holds for the doctor/, /Ask again/],
  ["maintenance", "warning", /out of service/, /Remove maintenance/],
  ["something new", "failed", /something new/, /./],
] as const)
  test(`content: nginx says "${error}"`, () => {
    is(told(byNginx(error)), state, new RegExp(`from nginx: ${error}`), means, fix);
  });

test("content: nginx that gives up before the service had its time could not connect", () => {
  const slow = byNginx("too slow", 504);
  is(
    told({ ...slow, seconds: 2.1 }),
    "failed",
    /504/,
    /network policy/,
    /^npx pulumi up --refresh.*get networkpolicies/,
  );
  is(told({ ...slow, seconds: 25 }), "failed", /504/, /did not answer within 25 s/);
});

test("content: the load balancer gives up, lets nobody in, or asks to sign in", () => {
  is(
    told(answered(502, "<title>502 Server Error</title>")),
    "failed",
    /from the load balancer/,
    /waited longer than 30 s/,
    /edge\.timeoutSeconds/,
  );
  is(told(answered(403, "403 Forbidden")), "failed", /403/, /Cloud Armor/, /edge\.armor/);
  is(told(answered(302, "", { "x-goog-iap-generated-response": "true" })), "unknown", /IAP asks to sign in/);
  is(told(broken("NO_ANSWER", "no answer within 35 s")), "failed", /no answer within 35 s/, /connection broke/);
});

test("content: another service answers than the route's", () => {
  is(
    told(byService(200, '{"service":"web","headers":{}}')),
    "failed",
    /answered by web, not by hoge/,
    /another service took/,
  );
});

test("content: an answer that has not come through nginx", () => {
  is(told(answered(200, "It works!")), "failed", /has not come through nginx/, /Something before nginx/);
});

test("content: a call of gRPC", () => {
  const grpc = (message: string) => told({ url: "grpc://staging.example.com/", error: { code: "", message } });
  is(grpc("grpc-status 14 from the proxy: down"), "failed", /14 from the proxy/, /does not reach hoge by gRPC/);
  is(grpc("200, and no answer of gRPC"), "failed", /no answer/, /speaks something else/);
});

const observed = (changes: Partial<Observed> = {}): Observed => ({
  address,
  unread: undefined,
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

test("all is well: every hop is there, in the order of the path, and each of a route's", () => {
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

test("of an Ingress that is gone the load balancer's silence is the effect, not the cause", () => {
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

test("of a proxy that is down the load balancer's complaint is the effect", () => {
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

test("a dead service is named, and the others are not called dead", () => {
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
    ["hoge.staging.example.com/", "staging.example.com/hoge/"].flatMap((place) => [
      [`pods ${place}`, undefined],
      [`content ${place}`, `pods ${place}`],
    ]),
  );
});

test("without the cluster the proxy's own answer says which service is down", () => {
  const routes = staging.routes.map((found) => ({ route: found, probe: byNginx("service unknown or down") }));
  const report = diagnose(observed({ objects: "no kubectl", routes }), staging);
  assert.equal(exitCode(report), 20);
  assert.match(firstFailure(report)?.means ?? "", /nginx reaches no pod of hoge/);
});

test("routes that are older than the config are the cause where another service answers, and otherwise a warning", () => {
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
  assert.equal(report.hops.at(-1)?.because, `route ${staging.routes.at(-1)?.place ?? ""}`);
});

test("without its Secret an Ingress serves no TLS: the handshake that fails is the effect", () => {
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

test("a CAA record that keeps Google out is seen before Google has tried, where Google is to issue", () => {
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
