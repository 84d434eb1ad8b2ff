import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Gateway, type GatewayArgs } from "../../../components/edge/gateway.ts";
import { proxyHealthPath, proxyPorts } from "../../../names/ports.ts";
import { mockPulumi, settled, valueOf, type Recorded, type Recording } from "../../../tools/testing/mocks.ts";

const certificate = { crt: "the certificate", key: pulumi.secret("canary-key") };
const args: GatewayArgs = {
  namespace: "apps",
  hosts: ["shop.example.com", "hoge.shop.example.com"],
  serviceName: "nginx-proxy",
  className: "contour",
  certificate,
  redirectHttp: true,
};
const types = {
  gateway: "kubernetes:gateway.networking.k8s.io/v1:Gateway",
  route: "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
  secret: "kubernetes:core/v1:Secret",
};
const labels = { "app.kubernetes.io/name": "gateway", "app.kubernetes.io/part-of": "gke-microservices" };
const apiVersion = "gateway.networking.k8s.io/v1";
const allowedRoutes = { namespaces: { from: "Same" } };
const http = { name: "http", port: 80, protocol: "HTTP", allowedRoutes };

async function make(change: Partial<GatewayArgs> = {}, status?: Record<string, unknown>) {
  const recording = await mockPulumi(status && { outputs: { [types.gateway]: () => ({ status }) } });
  const provider = new k8s.Provider("cluster");
  const component = new Gateway("gateway", { ...args, ...change }, { provider });
  await settled();
  return {
    recording,
    component,
    gateway: recording.one(types.gateway),
    urn: await valueOf(component.urn),
    provider: await valueOf(provider.urn),
  };
}
const metadata = ({ inputs }: Recorded) => inputs["metadata"] as { readonly name: string };
/** Sorted, to be independent of the order of answers. */
const routesOf = (recording: Recording) => recording.all(types.route).sort((a, b) => (a.name < b.name ? -1 : 1));
const routeOf = (name: string, host: string, listeners: readonly string[]) => ({
  apiVersion,
  kind: "HTTPRoute",
  metadata: { name, namespace: "apps", labels },
  spec: {
    parentRefs: listeners.map((sectionName) => ({ name: "gateway", sectionName })),
    hostnames: [host],
    rules: [{ backendRefs: [{ name: "nginx-proxy", port: 80 }] }],
  },
});
const redirect = {
  apiVersion,
  kind: "HTTPRoute",
  metadata: { name: "gateway-redirect", namespace: "apps", labels },
  spec: {
    parentRefs: [{ name: "gateway", sectionName: "http" }],
    rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }] }],
  },
};

test("a Gateway with TLS, a route for each host, and a redirect for plain HTTP", async () => {
  const { recording, gateway, urn, provider } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:Gateway::gateway");
  const { name } = metadata(recording.one(types.secret));
  assert.match(name, /^gateway-tls-[0-9a-f]{10}$/);
  assert.deepEqual(gateway.inputs, {
    apiVersion,
    kind: "Gateway",
    metadata: { name: "gateway", namespace: "apps", labels },
    spec: {
      gatewayClassName: "contour",
      listeners: [
        http,
        {
          name: "https",
          port: 443,
          protocol: "HTTPS",
          tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name }] },
          allowedRoutes,
        },
      ],
    },
  });
  assert.deepEqual(
    routesOf(recording).map(({ inputs }) => inputs),
    [
      redirect,
      routeOf("hoge-shop-example-com-f125e6", "hoge.shop.example.com", ["https"]),
      routeOf("shop-example-com-951623", "shop.example.com", ["https"]),
    ],
  );
  const children = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
  assert.deepEqual(children.map((child) => child.name).sort(), [
    "gateway-gateway",
    "gateway-redirect",
    "gateway-route-hoge.shop.example.com",
    "gateway-route-shop.example.com",
    "gateway-tls",
  ]);
  for (const child of children) assert.deepEqual([child.parent, child.provider], [urn, provider], child.name);
  assert.deepEqual(
    recording.resources.filter(({ type }) => type.startsWith("gcp:")),
    [],
  );
});

test("the certificate is created before the Gateway, and the Gateway before its routes; deletion reverses the order", async () => {
  const { recording, gateway } = await make();
  const secret = recording.one(types.secret);
  assert.ok(gateway.dependencies.includes(secret.urn));
  for (const route of recording.all(types.route)) assert.ok(route.dependencies.includes(gateway.urn), route.name);
});

test("the key is only in a Secret, marked as secret", async () => {
  const { recording, gateway } = await make();
  const secret = recording.one(types.secret);
  assert.deepEqual(secret.inputs["stringData"], { "tls.crt": "the certificate", "tls.key": "canary-key" });
  assert.deepEqual([secret.secrets, gateway.secrets], [["stringData"], []]);
  const others = recording.resources.filter(({ urn }) => urn !== secret.urn);
  assert.doesNotMatch(JSON.stringify(others), /canary-key/);
});

test("without a certificate there is plain HTTP, and no redirect to a missing listener", async () => {
  for (const redirectHttp of [true, false]) {
    const { recording, gateway } = await make({ certificate: undefined, redirectHttp, hosts: ["shop.example.com"] });
    assert.deepEqual(recording.all(types.secret), []);
    assert.deepEqual(gateway.inputs["spec"], { gatewayClassName: "contour", listeners: [http] });
    assert.deepEqual(
      recording.one(types.route).inputs,
      routeOf("shop-example-com-951623", "shop.example.com", ["http"]),
    );
  }
});

test("without a redirect HTTP and HTTPS serve the same routes", async () => {
  const { recording } = await make({ redirectHttp: false, hosts: ["shop.example.com"] });
  assert.deepEqual(
    recording.one(types.route).inputs,
    routeOf("shop-example-com-951623", "shop.example.com", ["http", "https"]),
  );
});

test("adding or removing a host keeps the other routes", async () => {
  const specs = async (hosts: readonly string[]) =>
    new Map((await make({ hosts })).recording.all(types.route).map((route) => [metadata(route).name, route.inputs]));
  const many = Array.from({ length: 20 }, (_, index) => `host${index}.shop.example.com`);
  const [before, after] = [await specs(many), await specs(["first.example.org", ...many])];
  assert.equal(after.size, before.size + 1);
  for (const [name, inputs] of before) assert.deepEqual(after.get(name), inputs);
  for (const name of after.keys()) assert.match(name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
});

const google = {
  project: "acme-staging",
  addressName: "staging-ip-0000000",
  timeoutSeconds: 40,
  drainSeconds: 50,
};
const onGoogle = { className: "gke-l7-global-external-managed", google } as const;
const policyTypes = {
  health: "kubernetes:networking.gke.io/v1:HealthCheckPolicy",
  backend: "kubernetes:networking.gke.io/v1:GCPBackendPolicy",
  frontend: "kubernetes:networking.gke.io/v1:GCPGatewayPolicy",
  cdn: "kubernetes:networking.gke.io/v1:GCPHTTPFilter",
  sslPolicy: "gcp:compute/sSLPolicy:SSLPolicy",
  armor: "gcp:compute/securityPolicy:SecurityPolicy",
};
const policy = (kind: string, name: string, spec: unknown) => ({
  apiVersion: "networking.gke.io/v1",
  kind,
  metadata: { name, namespace: "apps", labels },
  spec,
});
const service = { group: "", kind: "Service", name: "nginx-proxy" };

test("Google's load balancer gets the address, the TLS policy, the health check and the backend's timeouts", async () => {
  const { recording, gateway, urn } = await make(onGoogle);
  const spec = gateway.inputs["spec"] as Record<string, unknown>;
  assert.equal(spec["gatewayClassName"], "gke-l7-global-external-managed");
  assert.deepEqual(spec["addresses"], [{ type: "NamedAddress", value: "staging-ip-0000000" }]);
  assert.deepEqual(gateway.inputs["metadata"], { name: "gateway", namespace: "apps", labels });
  const policies = [policyTypes.health, policyTypes.backend, policyTypes.frontend].map((type) => recording.one(type));
  assert.deepEqual(
    policies.map(({ inputs }) => inputs),
    [
      policy("HealthCheckPolicy", "nginx-proxy", {
        targetRef: service,
        default: {
          checkIntervalSec: 5,
          timeoutSec: 3,
          healthyThreshold: 1,
          unhealthyThreshold: 3,
          config: {
            type: "HTTP",
            httpHealthCheck: {
              portSpecification: "USE_FIXED_PORT",
              port: proxyPorts.health,
              requestPath: proxyHealthPath,
            },
          },
        },
      }),
      policy("GCPBackendPolicy", "nginx-proxy", {
        targetRef: service,
        default: { timeoutSec: 40, connectionDraining: { drainingTimeoutSec: 50 } },
      }),
      policy("GCPGatewayPolicy", "gateway", {
        targetRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "gateway" },
        default: { sslPolicy: "gateway-ssl-policy-0000000" },
      }),
    ],
  );
  const sslPolicy = recording.one(policyTypes.sslPolicy);
  assert.deepEqual(sslPolicy.inputs, { project: "acme-staging", profile: "RESTRICTED", minTlsVersion: "TLS_1_2" });
  for (const child of [...policies, sslPolicy]) assert.equal(child.parent, urn, child.name);
  // They exist before the Gateway and are deleted after it, so that the load balancer never runs without them.
  for (const child of policies) assert.ok(gateway.dependencies.includes(child.urn), child.name);
  assert.equal(gateway.customTimeouts?.delete, "30m");
  assert.deepEqual([...recording.all(policyTypes.cdn), ...recording.all(policyTypes.armor)], []);
  for (const { inputs } of recording.all(types.route)) assert.doesNotMatch(JSON.stringify(inputs), /ExtensionRef/);
});

test("Google's Gateway over plain HTTP has no TLS policy", async () => {
  const { recording } = await make({ ...onGoogle, certificate: undefined });
  assert.deepEqual([...recording.all(policyTypes.frontend), ...recording.all(policyTypes.sslPolicy)], []);
  recording.one(policyTypes.health);
  recording.one(policyTypes.backend);
});

test("Cloud Armor applies to the Service behind the Gateway", async () => {
  const { recording } = await make({ ...onGoogle, google: { ...google, armor: { log4j: true } } });
  recording.one(policyTypes.armor);
  assert.deepEqual(recording.one(policyTypes.backend).inputs["spec"], {
    targetRef: service,
    default: {
      timeoutSec: 40,
      connectionDraining: { drainingTimeoutSec: 50 },
      securityPolicy: "gateway-armor-policy-0000000",
    },
  });
});

test("each route to the proxy has the Cloud CDN filter, the redirect does not", async () => {
  const cdn = { cacheMode: "CACHE_ALL_STATIC" } as const;
  const { recording, gateway } = await make({ ...onGoogle, google: { ...google, cdn } });
  const filter = recording.one(policyTypes.cdn);
  assert.deepEqual(
    filter.inputs,
    policy("GCPHTTPFilter", "gateway", {
      cachePolicy: {
        cacheMode: "CACHE_ALL_STATIC",
        cacheKeyPolicy: { includeHost: true, includeProtocol: true, includeQueryString: true },
      },
    }),
  );
  assert.ok(gateway.dependencies.includes(filter.urn));
  const extensionRef = { group: "networking.gke.io", kind: "GCPHTTPFilter", name: "gateway" };
  const rules = routesOf(recording).map(({ inputs }) => (inputs["spec"] as { rules: unknown }).rules);
  const rule = { filters: [{ type: "ExtensionRef", extensionRef }], backendRefs: [{ name: "nginx-proxy", port: 80 }] };
  assert.deepEqual(rules, [redirect.spec.rules, [rule], [rule]]);
});

test("with a certificate map the listener has no Secret: Google rejects both together", async () => {
  const { recording, gateway } = await make({
    ...onGoogle,
    google: { ...google, certificateMap: "staging-gateway" },
    certificate: undefined,
  });
  assert.deepEqual(recording.all(types.secret), []);
  assert.deepEqual((gateway.inputs["metadata"] as { annotations: unknown }).annotations, {
    "networking.gke.io/certmap": "staging-gateway",
  });
  assert.deepEqual((gateway.inputs["spec"] as { listeners: unknown }).listeners, [
    http,
    { name: "https", port: 443, protocol: "HTTPS", allowedRoutes },
  ]);
  recording.one(policyTypes.frontend);
  assert.deepEqual(recording.one(types.route, "gateway-redirect").inputs, redirect);
});

test("a certificate and a certificate map exclude each other", async () => {
  await mockPulumi();
  assert.throws(
    () => new Gateway("gateway", { ...args, ...onGoogle, google: { ...google, certificateMap: "m" } }),
    /certificate excludes google\.certificateMap; give one of the two/,
  );
  await settled();
});

test("the address comes from the controller, and is unknown until then", async () => {
  assert.equal(await valueOf((await make()).component.address), undefined);
  const status = { addresses: [{ type: "IPAddress", value: "203.0.113.7" }] };
  assert.equal(await valueOf((await make({}, status)).component.address), "203.0.113.7");
  for (const none of [{}, { addresses: [] }])
    assert.equal(await valueOf((await make({}, none)).component.address), undefined);
});
