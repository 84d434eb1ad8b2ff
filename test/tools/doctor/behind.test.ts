/** The hops ingress, nginx and route: each finding from responses and objects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, whoAnswered, type Probe } from "../../../tools/doctor/answers.ts";
import { ingress } from "../../../tools/doctor/diagnose/ingress.ts";
import { proxy } from "../../../tools/doctor/diagnose/proxy.ts";
import { route } from "../../../tools/doctor/diagnose/route.ts";
import type { Gateway, HttpRoute, Objects } from "../../../tools/doctor/gather/objects.ts";
import { answered, broken, byNginx, byService, deployment, nginx, now, objects, subject, warning } from "./examples.ts";
import { is } from "./fixes.ts";

const staging = subject("staging");
const local = subject("local");

test("the response shows who sent it", () => {
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
    // The same text from a service comes through nginx, which adds a header.
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
const examined = (seen: Objects | string, probe: Probe = nginx, of = staging, health?: Record<string, string>) =>
  ingress({ objects: seen, nginx: probe, health }, of);

test("ingress: leads to the proxy", () => {
  is(examined(objects(staging)), "ok", /2 names to nginx-proxy/);
  is(examined("no kubectl"), "ok", /leads to the proxy/);
  is(examined("no kubectl", broken("ECONNREFUSED")), "unknown", /no kubectl/);
});

test("ingress: does not exist, or has another class", () => {
  const { ingress: found, ...without } = objects(local);
  is(
    examined(without, nginx, local),
    "failed",
    /there is no Ingress in the namespace apps/,
    /never applied|deleted/,
    /npm start/,
  );
  const other = found && { ...found, spec: { ...found.spec, ingressClassName: "nginx" } };
  is(
    examined({ ...without, ...(other && { ingress: other }) }, nginx, local),
    "failed",
    /has the class nginx, but the config has contour/,
  );
  const unannotated = changed(staging, ({ ingress: one }) => ({
    ...(one && { ingress: { ...one, metadata: { name: "ingress" } } }),
  }));
  is(examined(unannotated), "failed", /has the class \(none\), but the config has gce/, /ignores it/);
});

test("ingress: no rule for a host, no Secret, no Service behind it", () => {
  const withoutRule = changed(staging, ({ ingress: one }) => ({
    ...(one && { ingress: { ...one, spec: { ...one.spec, rules: (one.spec.rules ?? []).slice(0, 1) } } }),
  }));
  is(examined(withoutRule), "failed", /no rule for hoge\.staging\.example\.com/, /was not applied/);
  is(
    examined(objects(staging, { missingSecrets: ["ingress-tls-1"] })),
    "failed",
    /refers to the Secret ingress-tls-1, which/,
  );
  is(examined(objects(staging, { services: [] })), "failed", /refers to the Service nginx-proxy, which does not exist/);
});

test("ingress: a health check on another port or path than nginx's", () => {
  const checked = (healthCheck?: { port?: number; requestPath?: string }) =>
    examined(
      objects(staging, {
        backendConfig: { metadata: { name: "nginx-proxy" }, spec: { ...(healthCheck && { healthCheck }) } },
      }),
    );
  is(
    checked({ port: 8080, requestPath: "/healthz" }),
    "failed",
    /requests \/healthz on port 8080/,
    /only at \/healthz on port 8081/,
  );
  is(checked({ port: 8081, requestPath: "/" }), "failed", /requests \/ on port 8081/);
  is(checked(), "failed", /\(inferred\)/);
  const { backendConfig: _, ...without } = objects(staging);
  is(examined(without), "failed", /no BackendConfig/);
});

test("ingress: a warning of its controller, until the next normal event", () => {
  const complaint = warning("Ingress", "ingress", "Sync", "Error syncing to GCP: quota exceeded");
  is(
    examined(objects(staging, { events: [complaint] })),
    "failed",
    /Sync: Error syncing to GCP: quota/,
    /could not configure/,
  );
  is(examined(objects(staging, { events: [complaint, { ...complaint, type: "Normal" }] })), "ok", /./);
});

test("ingress: no backend is healthy according to Google", () => {
  const finding = examined(objects(staging), nginx, staging, { a: "UNHEALTHY", b: "Unknown" });
  is(finding, "failed", /a UNHEALTHY, b Unknown/, /health check gets no 200.*130\.211\.0\.0\/22/, /firewall-rules/);
  assert.equal(finding.passing, true);
  is(examined(objects(staging), nginx, staging, { a: "UNHEALTHY", b: "HEALTHY" }), "ok", /UNHEALTHY, HEALTHY/);
});

test("ingress: without backends, the finding does not mention them", () => {
  for (const health of [{}, undefined])
    is(examined(objects(staging), nginx, staging, health), "ok", /^2 names to nginx-proxy$/);
});

for (const [probe, means] of [
  [answered(404, "default backend - 404"), /not connected to the ingress yet/],
  [answered(404, "backend service not found"), /load balancer works, but is not connected to nginx/],
  [answered(404, "The requested URL / was not found on this server."), /have no load balancer at this address/],
  [answered(502, "<title>502 Server Error</title>"), /none of its backends is healthy/],
  [answered(503, "no healthy upstream"), /none of its backends/],
] as const)
  test(`ingress: ${brief(probe)}, which is temporary on Google`, () => {
    const finding = examined("no kubectl", probe);
    is(finding, "failed", /from the load balancer/, means);
    assert.equal(finding.passing, true);
    assert.equal(examined("no kubectl", probe, local).passing, false);
  });

test("ingress: nginx's pods are ready, but the load balancer does not reach them", () => {
  const probes = [answered(503, "upstream connect error or disconnect"), answered(504, "upstream request timeout")];
  for (const nginx of probes) {
    const seen = { objects: objects(local), nginx, isProxyReady: true };
    is(ingress(seen, local), "failed", /from the load balancer/, /a network policy blocks it/, /^npm start {3}#/);
    assert.doesNotMatch(ingress({ ...seen, isProxyReady: false }, local).means ?? "", /policy/);
  }
  const [refused = nginx] = probes;
  const onGoogle = ingress({ objects: objects(staging), nginx: refused, isProxyReady: true }, staging);
  is(onGoogle, "failed", /503/, /a network policy or a firewall blocks it/, /describe ingress/);
  assert.equal(onGoogle.passing, true);
});

test("ingress: an Ingress without TLS, although the stack has it", () => {
  const { ingress: whole, ...rest } = objects(local);
  const { tls: _, ...spec } = whole?.spec ?? {};
  is(examined({ ...rest, ingress: { metadata: { name: "ingress" }, spec } }, nginx, local), "failed", /no tls section/);
  const plain = { ...local, tls: { ...local.tls, mode: "none" } } as typeof local;
  is(
    examined({ ...objects(plain), ingress: { metadata: { name: "ingress" }, spec } }, nginx, plain),
    "ok",
    /nginx-proxy/,
  );
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
  is(examined(all(), nginx, of), "ok", /./);
  is(
    examined(all([{ type: "Programmed", status: "False", reason: "Pending" }]), nginx, of),
    "failed",
    /not Programmed \(Pending\)/,
  );
  is(examined({ ...all(), httpRoutes: all().httpRoutes.slice(1) }, nginx, of), "failed", /there is no HTTPRoute for/);
  const refused = all().httpRoutes.map((one) => ({
    ...one,
    status: { parents: [{ conditions: [{ type: "ResolvedRefs", status: "False", reason: "BackendNotFound" }] }] },
  }));
  is(
    examined({ ...all(), httpRoutes: refused }, nginx, of),
    "failed",
    /HTTPRoute .*: not ResolvedRefs \(BackendNotFound\)/,
  );
  const { gateway: _, ...without } = all();
  is(examined(without, nginx, of), "failed", /there is no Gateway/);
});

test("nginx: answers, forwards, is down", () => {
  is(proxy(objects(staging), nginx, staging, now), "ok", /it answers; 1 of 1 ready/);
  is(proxy("no kubectl", byService(404, "no such page"), staging, now), "ok", /forwards requests$/);
  is(proxy("no kubectl", broken("ECONNREFUSED"), staging, now), "skipped", /no request passes/);
  const stranger = answered(404, "It works!");
  is(
    proxy("no kubectl", stranger, staging, now),
    "failed",
    /404 "It works!", which is not a response of nginx/,
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

test("route: exists, missing, outdated, a host that the load balancer does not know", () => {
  is(routed(byService(200)), "ok", /nginx has it/);
  is(routed(byNginx("no such route", 404)), "failed", /no such route/, /was not applied/, /pulumi up/);
  is(
    routed(answered(404, "default backend - 404")),
    "failed",
    /default backend/,
    /does not know the host hoge\.staging/,
  );
  is(
    route(byService(200), one, objects(staging), "routes-new", staging),
    "warning",
    /runs with routes-now, but the config renders routes-new/,
  );
  is(routed(broken("NO_ANSWER"), "no kubectl"), "unknown", /no response/);
});
