/** A stack with a Gateway as its edge, in the output of `npm run render`. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parse, stringify } from "yaml";
import { objectsOf, stacksDir, type HttpRoute, type Objects } from "./rendered.ts";

const stackName = (like: string) => `t${process.pid}-${like}`;

/** The objects of an existing stack with another edge. */
async function withEdge(
  like: string,
  edge: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Promise<Objects> {
  const stack = stackName(like);
  const path = join(stacksDir, `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(join(stacksDir, `Pulumi.${like}.yaml`), "utf8")) as { config: object };
  writeFileSync(path, stringify({ config: { ...config, edge, ...more } }));
  try {
    return await objectsOf(stack);
  } finally {
    rmSync(path);
  }
}

await suite("local with a Gateway", async () => {
  const objects = await withEdge("local", { kind: "gateway", className: "contour", trustedProxies: ["10.0.0.0/8"] });
  const [gateway, ...more] = objects.of("Gateway");
  assert.ok(gateway !== undefined && more.length === 0);

  test("there is no Ingress, and routes come last, after the Gateway", () => {
    assert.deepEqual(objects.of("Ingress"), []);
    const kinds = objects.all.map(({ kind }) => kind);
    assert.deepEqual([...new Set(kinds)].slice(-3), ["Deployment", "Gateway", "HTTPRoute"]);
  });

  test("each host of nginx has a route to an existing port of the proxy's Service", () => {
    const routes = objects.of("HTTPRoute").filter(({ spec }) => spec.hostnames !== undefined);
    const hosts = routes.flatMap(({ spec }) => spec.hostnames ?? []);
    assert.deepEqual(hosts.sort(), ["hoge.shop.localhost", "shop.localhost"]);
    for (const { backendRefs = [] } of routes.flatMap(({ spec }) => spec.rules)) {
      assert.equal(backendRefs.length, 1);
      const { name = "", port } = backendRefs[0] ?? {};
      assert.ok(objects.named("Service", name).spec.ports.some((each) => each.port === port));
    }
  });

  test("every route refers to a listener of the Gateway, and the listener's certificate exists", () => {
    const listeners = gateway.spec.listeners.map(({ name }) => name);
    const refs = objects.of("HTTPRoute").flatMap(({ spec }: HttpRoute) => spec.parentRefs);
    for (const { name, sectionName } of refs)
      assert.ok(name === gateway.metadata.name && listeners.includes(sectionName), `${name}/${sectionName}`);
    const secrets = gateway.spec.listeners.flatMap(({ tls }) => tls?.certificateRefs ?? []);
    assert.deepEqual(
      secrets.map(({ name }) => name),
      objects.of("Secret").map(({ metadata }) => metadata.name),
    );
  });

  test("the client is the last entry of X-Forwarded-For, from the trusted ranges", () => {
    const routes = objects.of("ConfigMap").flatMap(({ data }) => data?.["routes.conf"] ?? "");
    assert.match(routes.join("\n"), /10\.0\.0\.0\/8/);
  });
});

await suite("staging with a Gateway", async () => {
  const objects = await withEdge(
    "staging",
    { kind: "gateway", armor: { rateLimit: { requests: 1000 } }, cdn: {} },
    { tls: { mode: "managed", wildcard: true } },
  );

  test("policies come before the Gateway; no Ingress objects remain", () => {
    const kinds = [...new Set(objects.all.map(({ kind }) => kind))];
    for (const kind of ["Ingress", "FrontendConfig", "BackendConfig", "Secret"]) assert.ok(!kinds.includes(kind), kind);
    const before = kinds.slice(0, kinds.indexOf("Service"));
    for (const kind of ["HealthCheckPolicy", "GCPBackendPolicy", "GCPGatewayPolicy", "GCPHTTPFilter"])
      assert.ok(before.includes(kind), kind);
    assert.deepEqual(kinds.slice(-2), ["Gateway", "HTTPRoute"]);
  });

  test("every object is in the stack's namespace, with the common labels, and its name is one of DNS", () => {
    const [namespace, ...others] = objects.all;
    for (const { kind, metadata } of others) {
      assert.equal(metadata.namespace, namespace?.metadata.name, kind);
      assert.equal(metadata.labels?.["app.kubernetes.io/part-of"], "gke-microservices", kind);
      // Network policies have dots between the names of workloads.
      assert.match(
        kind === "NetworkPolicy" ? metadata.name.replaceAll(".", "") : metadata.name,
        /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
      );
    }
  });

  test("the Gateway names its certificates, and the Service has no Ingress annotations", () => {
    const [gateway] = objects.of("Gateway");
    assert.deepEqual(gateway?.metadata.annotations, { "networking.gke.io/certmap": stackName("staging") + "-gateway" });
    const { annotations } = objects.named("Service", "nginx-proxy").metadata;
    assert.deepEqual(annotations, { "pulumi.com/skipAwait": "true" });
  });

  test("the client is the entry before the load balancer's, only from Google's ranges", () => {
    const routes = objects.of("ConfigMap").flatMap(({ data }) => data?.["routes.conf"] ?? "");
    assert.match(routes.join("\n"), /130\.211\.0\.0\/22[^]*35\.191\.0\.0\/16/);
  });
});
