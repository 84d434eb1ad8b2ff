/** Ingress, nginx and route: each row of what answers and objects show. */
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
