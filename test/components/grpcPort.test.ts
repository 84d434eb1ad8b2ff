/** What routes of gRPC add: to the proxy a port with its certificate and Service, to each kind of edge another backend. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { Gateway, type GatewayArgs } from "../../components/gateway.ts";
import { gceServiceAnnotations } from "../../components/gceIngress.ts";
import { type GrpcBackend, type GrpcService } from "../../components/grpcPort.ts";
import { NginxProxy } from "../../components/nginxProxy.ts";
import { proxyServices } from "../../components/proxyServices.ts";
import { TlsIngress } from "../../components/tlsIngress.ts";
import type { ProxyRoutes } from "../../nginx/routes.ts";
import { findings } from "../../policy/predicates.ts";
import { mockPulumi, settled, valueOf, type Recording } from "../mocks.ts";
import type { PodTemplate } from "../podTemplate.ts";

const grpcRoute = { service: "orders", path: "/shop.v1.Orders/", protocol: "grpc", keepPrefix: false } as const;
const routes: ProxyRoutes = {
  resolver: "kube-dns.kube-system.svc.cluster.local",
  client: { trustedProxies: ["10.0.0.0/8"], entry: "last" },
  upstreams: [{ service: "orders", port: 8080, address: "orders.apps.svc.cluster.local" }],
  routes: [grpcRoute],
};
const labels = { "app.kubernetes.io/name": "nginx-proxy", "app.kubernetes.io/part-of": "gke-microservices" };
const skipAwait = { "pulumi.com/skipAwait": "true" };

async function makeProxy(grpcService?: GrpcService, change: Partial<ProxyRoutes> = {}) {
  const recording = await mockPulumi({
    outputs: {
      "tls:index/privateKey:PrivateKey": () => ({ privateKeyPem: "canary-key" }),
      "tls:index/selfSignedCert:SelfSignedCert": () => ({ certPem: "the certificate" }),
    },
  });
  const provider = new k8s.Provider("cluster");
  const proxy = new NginxProxy(
    "nginx-proxy",
    {
      namespace: "apps",
      image: "registry.example.com/nginx-proxy:1",
      replicas: 3,
      routes: { ...routes, ...change },
      resources: { cpu: "100m", memory: "128Mi" },
      rolloutSeconds: 120,
      drainSeconds: 10,
      ...(grpcService && { grpcService }),
    },
    { provider },
  );
  await settled();
  return { recording, proxy, urn: await valueOf(proxy.urn) };
}
const named = (recording: Recording, name: string) =>
  recording.resources.find((resource) => resource.name === name) ?? assert.fail(`there is no ${name}`);

describe("the proxy", () => {
  test("has a port whose key is its own, in a Secret and nowhere else", async () => {
    const { recording, urn } = await makeProxy();
    const key = named(recording, "nginx-proxy-grpc-key");
    const certificate = named(recording, "nginx-proxy-grpc-certificate");
    const secret = named(recording, "nginx-proxy-grpc-tls");
    assert.deepEqual(key.inputs, { algorithm: "ECDSA", ecdsaCurve: "P256" });
    assert.deepEqual(certificate.inputs, {
      privateKeyPem: "canary-key",
      subject: { commonName: "nginx-proxy" },
      validityPeriodHours: 87_600,
      allowedUses: ["digital_signature", "server_auth"],
    });
    const { name } = secret.inputs["metadata"] as { name: string };
    assert.match(name, /^nginx-proxy-tls-[0-9a-f]{10}$/);
    assert.deepEqual(secret.inputs, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "apps", labels },
      type: "kubernetes.io/tls",
      immutable: true,
      stringData: { "tls.crt": "the certificate", "tls.key": "canary-key" },
    });
    assert.deepEqual(secret.secrets, ["stringData"]);
    for (const child of [key, certificate, secret]) assert.equal(child.parent, urn, child.name);

    const deployment = recording.one("kubernetes:apps/v1:Deployment");
    assert.ok(deployment.dependencies.includes(secret.urn), "pods wait for what they mount");
    assert.deepEqual(findings(deployment.type, deployment.inputs), []);
    const { template } = deployment.inputs["spec"] as { template: PodTemplate };
    const [container] = template.spec.containers;
    assert.deepEqual(container?.ports, [
      { name: "http", containerPort: 8080 },
      { name: "grpc", containerPort: 8443 },
      { name: "health", containerPort: 8081 },
    ]);
    assert.deepEqual(
      container.volumeMounts?.find(({ name }) => name === "grpc-tls"),
      { name: "grpc-tls", mountPath: "/etc/nginx/grpc-tls", readOnly: true },
    );
    assert.deepEqual(
      template.spec.volumes?.find(({ name }) => name === "grpc-tls"),
      { name: "grpc-tls", secret: { secretName: name } },
    );
  });

  test("has a Service for it, which the edge knows how to speak to", async () => {
    const { recording, proxy } = await makeProxy({ annotations: { "example.com/a": "b" }, appProtocol: "HTTP2" });
    assert.deepEqual(named(recording, "nginx-proxy-grpc-service").inputs, {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "nginx-proxy-grpc",
        namespace: "apps",
        labels,
        annotations: { ...skipAwait, "example.com/a": "b" },
      },
      spec: {
        type: "ClusterIP",
        selector: { "app.kubernetes.io/name": "nginx-proxy" },
        ports: [{ name: "grpc", port: 443, targetPort: "grpc", appProtocol: "HTTP2" }],
      },
    });
    assert.ok(proxy.grpcServiceName);
    assert.equal(await valueOf(proxy.grpcServiceName), "nginx-proxy-grpc");
    const untold = named((await makeProxy()).recording, "nginx-proxy-grpc-service").inputs;
    assert.deepEqual((untold["metadata"] as { annotations: object }).annotations, skipAwait);
    assert.deepEqual((untold["spec"] as { ports: object[] }).ports, [{ name: "grpc", port: 443, targetPort: "grpc" }]);
  });

  test("has none of it without such routes", async () => {
    const { recording, proxy } = await makeProxy(
      { appProtocol: "HTTP2" },
      { routes: [{ service: "orders", path: "/", keepPrefix: false }] },
    );
    assert.equal(proxy.grpcServiceName, undefined);
    assert.deepEqual(
      recording.resources.filter(({ name, type }) => name.includes("grpc") || type.startsWith("tls:")),
      [],
    );
    assert.doesNotMatch(JSON.stringify(recording.resources), /grpc|8443/);
  });
});

test("each edge is told in its own words that the Service speaks HTTP/2 over TLS", () => {
  const contour = { "projectcontour.io/upstream-protocol.h2": "grpc" };
  assert.deepEqual(proxyServices({ kind: "gce" }), {
    drainSeconds: 40,
    serviceAnnotations: gceServiceAnnotations,
    grpcService: { annotations: { ...gceServiceAnnotations, "cloud.google.com/app-protocols": '{"grpc":"HTTP2"}' } },
  });
  assert.deepEqual(proxyServices({ kind: "gateway", onGoogle: true }), {
    drainSeconds: 40,
    serviceAnnotations: {},
    grpcService: { appProtocol: "HTTP2" },
  });
  assert.deepEqual(proxyServices({ kind: "gateway", onGoogle: false }), {
    drainSeconds: 10,
    serviceAnnotations: {},
    grpcService: { annotations: contour },
  });
  assert.deepEqual(proxyServices({ kind: "ingress", grpcServiceAnnotations: { "example.com/proto": "h2" } }), {
    drainSeconds: 10,
    serviceAnnotations: { "projectcontour.io/max-retries": "1000" },
    grpcService: { annotations: { ...contour, "example.com/proto": "h2" } },
  });
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

test("an Ingress leads each path to the Service of its protocol", async () => {
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
  named(recording, `gateway-${name}`).inputs["spec"] as Record<string, unknown>;

test("a Gateway's routes lead each path to the Service of its protocol, and nothing of gRPC to a cache", async () => {
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

test("paths that no rule could take go to a further route of the same host", async () => {
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

test("Google's Gateway has its policies for both Services: the health check is plain HTTP all the same", async () => {
  const recording = await makeGateway({ grpc, google });
  for (const role of ["health", "backend"]) {
    const [first, second] = [specOf(recording, role), specOf(recording, `grpc-${role}`)];
    assert.deepEqual(second, { ...first, targetRef: { group: "", kind: "Service", name: "nginx-proxy-grpc" } });
    const { metadata } = named(recording, `gateway-grpc-${role}`).inputs as { metadata: { name: string } };
    assert.equal(metadata.name, "nginx-proxy-grpc");
  }
  assert.equal((specOf(recording, "grpc-health")["default"] as { config: { type: string } }).config.type, "HTTP");
  const without = await makeGateway({ google });
  assert.deepEqual(
    without.resources.filter(({ name }) => name.includes("grpc-")),
    [],
  );
});
