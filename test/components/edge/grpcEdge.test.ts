/** gRPC routes add a second backend to each kind of edge. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { Gateway, type GatewayArgs } from "../../../components/edge/gateway.ts";
import { gceServiceAnnotations } from "../../../components/edge/gceIngress.ts";
import type { GrpcBackend } from "../../../components/edge/grpcBackend.ts";
import { proxySettingsFor } from "../../../components/edge/proxySettings.ts";
import { TlsIngress } from "../../../components/edge/tlsIngress.ts";
import { mockPulumi, settled, type Recording } from "../../../tools/testing/mocks.ts";

test("each edge has its own setting for HTTP/2 over TLS", () => {
  const contour = { "projectcontour.io/upstream-protocol.h2": "grpc" };
  assert.deepEqual(proxySettingsFor({ kind: "gce", onGoogle: true }), {
    drainSeconds: 40,
    serviceAnnotations: gceServiceAnnotations,
    grpcService: { annotations: { ...gceServiceAnnotations, "cloud.google.com/app-protocols": '{"grpc":"HTTP2"}' } },
  });
  assert.deepEqual(proxySettingsFor({ kind: "gateway", onGoogle: true }), {
    drainSeconds: 40,
    serviceAnnotations: {},
    grpcService: { appProtocol: "HTTP2" },
  });
  assert.deepEqual(proxySettingsFor({ kind: "gateway", onGoogle: false }), {
    drainSeconds: 10,
    serviceAnnotations: {},
    grpcService: { annotations: contour },
  });
  assert.deepEqual(
    proxySettingsFor({ kind: "ingress", onGoogle: false, grpcServiceAnnotations: { "example.com/proto": "h2" } }),
    {
      drainSeconds: 10,
      serviceAnnotations: { "projectcontour.io/max-retries": "1000" },
      grpcService: { annotations: { ...contour, "example.com/proto": "h2" } },
    },
  );
});

const hosts = ["shop.example.com", "grpc.shop.example.com", "www.shop.example.com"];
const grpc: GrpcBackend = {
  serviceName: "nginx-proxy-grpc",
  paths: {
    "shop.example.com": [
      { path: "/shop.v1.Carts/Get", protocol: "grpc" },
      { path: "/shop.v1.Orders/", protocol: "grpc" },
      { path: "/", protocol: "http" },
    ],
    "grpc.shop.example.com": [
      { path: "/docs/", protocol: "http" },
      { path: "/", protocol: "grpc" },
    ],
  },
};

test("an Ingress routes each path to the Service of its protocol", async () => {
  const recording = await mockPulumi();
  const edge = { kind: "ingress", className: "contour", annotations: {} } as const;
  const args = { namespace: "apps", hosts, serviceName: "nginx-proxy", grpc, edge, redirectHttp: false };
  new TlsIngress("ingress", args, { provider: new k8s.Provider("cluster") });
  await settled();
  const { spec } = recording.one("kubernetes:networking.k8s.io/v1:Ingress").inputs;
  const to = (path: string, pathType: string, protocol: "http" | "grpc") => ({
    path,
    pathType,
    backend: {
      service: { name: protocol === "grpc" ? "nginx-proxy-grpc" : "nginx-proxy", port: { name: protocol } },
    },
  });
  assert.deepEqual((spec as { rules: unknown }).rules, [
    {
      host: "shop.example.com",
      http: {
        paths: [
          to("/shop.v1.Carts/Get", "Exact", "grpc"),
          to("/shop.v1.Orders/", "Prefix", "grpc"),
          to("/", "Prefix", "http"),
        ],
      },
    },
    {
      host: "grpc.shop.example.com",
      http: { paths: [to("/docs/", "Prefix", "http"), to("/", "Prefix", "grpc")] },
    },
    { host: "www.shop.example.com", http: { paths: [to("/", "Prefix", "http")] } },
  ]);
});

const google: NonNullable<GatewayArgs["google"]> = {
  project: "acme-staging",
  addressName: "staging-ip",
  timeoutSeconds: 120,
  drainSeconds: 40,
  armor: { log4j: true },
  cdn: { cacheMode: "USE_ORIGIN_HEADERS" },
};

async function makeGateway(change: Partial<GatewayArgs> = {}) {
  const recording = await mockPulumi();
  const args = { namespace: "apps", hosts, serviceName: "nginx-proxy", className: "any", redirectHttp: false };
  new Gateway("gateway", { ...args, ...change }, { provider: new k8s.Provider("cluster") });
  await settled();
  return recording;
}
const specOf = (recording: Recording, name: string) =>
  recording.named(`gateway-${name}`).inputs["spec"] as Record<string, unknown>;

test("a Gateway routes each path to the Service of its protocol, and never caches gRPC", async () => {
  const recording = await makeGateway({ grpc, google });
  const match = (type: string, value: string) => ({ path: { type, value } });
  const filters = [
    { type: "ExtensionRef", extensionRef: { group: "networking.gke.io", kind: "GCPHTTPFilter", name: "gateway" } },
  ];
  const http = { filters, backendRefs: [{ name: "nginx-proxy", port: 80 }] };
  const backendRefs = [{ name: "nginx-proxy-grpc", port: 443 }];
  assert.deepEqual(specOf(recording, "route-shop.example.com")["rules"], [
    { matches: [match("Exact", "/shop.v1.Carts/Get"), match("PathPrefix", "/shop.v1.Orders/")], backendRefs },
    { matches: [match("PathPrefix", "/")], ...http },
  ]);
  assert.deepEqual(specOf(recording, "route-grpc.shop.example.com")["rules"], [
    { matches: [match("PathPrefix", "/")], backendRefs },
    { matches: [match("PathPrefix", "/docs/")], ...http },
  ]);
  assert.deepEqual(specOf(recording, "route-www.shop.example.com")["rules"], [http]);
});

test("paths over a rule's limit go to another route of the same host", async () => {
  const path = (index: number) => `/shop.v1.Service${index}/`;
  const rulesOf = async (count: number, others = 0) => {
    const paths = [
      ...Array.from({ length: count }, (_, index) => ({ path: path(index), protocol: "grpc" as const })),
      ...Array.from({ length: others }, (_, index) => ({ path: `/web${index}/`, protocol: "http" as const })),
      { path: "/", protocol: "http" as const },
    ];
    const recording = await makeGateway({
      hosts: ["shop.example.com"],
      grpc: { ...grpc, paths: { "shop.example.com": paths } },
    });
    const routes = recording.resources.filter(({ name }) => name.startsWith("gateway-route-"));
    return new Map(
      routes.map(({ name, inputs }) => {
        const { rules, ...rest } = inputs["spec"] as { rules: { matches: unknown[]; backendRefs: unknown[] }[] };
        assert.deepEqual(rest, {
          parentRefs: [{ name: "gateway", sectionName: "http" }],
          hostnames: ["shop.example.com"],
        });
        const { name: objectName } = inputs["metadata"] as { name: string };
        return [name.replace("gateway-route-", ""), { objectName, rules }];
      }),
    );
  };
  const sizes = (routes: Awaited<ReturnType<typeof rulesOf>>) =>
    [...routes].sort().map(([name, { rules }]) => [name, rules.map(({ matches }) => matches.length)]);
  assert.deepEqual(sizes(await rulesOf(64)), [["shop.example.com", [64, 1]]]);
  const routes = await rulesOf(65);
  assert.deepEqual(sizes(routes), [
    ["shop.example.com", [64, 1]],
    ["shop.example.com/2", [1]],
  ]);
  assert.deepEqual(routes.get("shop.example.com/2")?.rules, [
    {
      matches: [{ path: { type: "PathPrefix", value: path(64) } }],
      backendRefs: [{ name: "nginx-proxy-grpc", port: 443 }],
    },
  ]);
  const names = [...routes.values()].map(({ objectName }) => objectName);
  for (const name of names) assert.match(name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
  assert.equal(new Set(names).size, 2);
  assert.deepEqual(sizes(await rulesOf(200, 127)), [
    ["shop.example.com", [64, 64]],
    ["shop.example.com/2", [64, 64]],
    ["shop.example.com/3", [64]],
    ["shop.example.com/4", [8]],
  ]);
});

test("Google's Gateway has policies for both Services, each with an HTTP health check", async () => {
  const recording = await makeGateway({ grpc, google });
  for (const role of ["health", "backend"]) {
    const [first, second] = [specOf(recording, role), specOf(recording, `grpc-${role}`)];
    assert.deepEqual(second, { ...first, targetRef: { group: "", kind: "Service", name: "nginx-proxy-grpc" } });
    const { metadata } = recording.named(`gateway-grpc-${role}`).inputs as { metadata: { name: string } };
    assert.equal(metadata.name, "nginx-proxy-grpc");
  }
  assert.equal((specOf(recording, "grpc-health")["default"] as { config: { type: string } }).config.type, "HTTP");
  const without = await makeGateway({ google });
  assert.deepEqual(
    without.resources.filter(({ name }) => name.includes("grpc-")),
    [],
  );
});
