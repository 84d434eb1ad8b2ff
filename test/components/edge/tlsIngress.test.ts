import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { gceServiceAnnotations } from "../../../components/edge/gceIngress.ts";
import { proxyHealthPath, proxyPorts } from "../../../names/ports.ts";
import { TlsIngress, type TlsIngressArgs } from "../../../components/edge/tlsIngress.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const hosts = ["shop.example.com", "hoge.shop.example.com"];
/** Every Ingress's annotations for Contour: websockets, the proxy's own timeout, and a safe retry on another pod. */
const toContour = {
  "projectcontour.io/websocket-routes": "/",
  "projectcontour.io/response-timeout": "infinity",
  "projectcontour.io/retry-on": "connect-failure,refused-stream",
  "projectcontour.io/num-retries": "3",
};
const contour = { kind: "ingress", className: "contour", annotations: {} } as const;
const gce = {
  kind: "gce",
  addressName: "staging-ip-0000000",
  project: "acme-staging",
  timeoutSeconds: 30,
  drainSeconds: 30,
} as const;
const certificate = { crt: "the certificate", key: pulumi.secret("canary-key") };
const args: TlsIngressArgs = {
  namespace: "apps",
  hosts,
  serviceName: "nginx-proxy",
  edge: contour,
  certificate,
  redirectHttp: true,
};
const types = {
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
  secret: "kubernetes:core/v1:Secret",
  frontend: "kubernetes:networking.gke.io/v1beta1:FrontendConfig",
  backend: "kubernetes:cloud.google.com/v1:BackendConfig",
  sslPolicy: "gcp:compute/sSLPolicy:SSLPolicy",
};
const labels = { "app.kubernetes.io/name": "ingress", "app.kubernetes.io/part-of": "gke-microservices" };
const skipAwait = { "pulumi.com/skipAwait": "true" };
const backend = { service: { name: "nginx-proxy", port: { name: "http" } } };
const rules = hosts.map((host) => ({ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }));

async function make(change: Partial<TlsIngressArgs> = {}, status?: Record<string, unknown>) {
  const recording = await mockPulumi(status && { outputs: { [types.ingress]: () => ({ status }) } });
  const provider = new k8s.Provider("cluster");
  const component = new TlsIngress("ingress", { ...args, ...change }, { provider });
  await settled();
  const ingress = recording.one(types.ingress);
  return {
    recording,
    component,
    ingress,
    annotations: (ingress.inputs["metadata"] as { annotations: Record<string, string> }).annotations,
    urn: await valueOf(component.urn),
    provider: await valueOf(provider.urn),
  };
}
type Made = Awaited<ReturnType<typeof make>>;
const secretName = ({ recording }: Made) => (recording.one(types.secret).inputs["metadata"] as { name: string }).name;

test("an Ingress of a class, with TLS for every host and no Google objects", async () => {
  const result = await make();
  const { recording, ingress, urn, provider } = result;
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:TlsIngress::ingress");
  assert.deepEqual(ingress.inputs, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "ingress",
      namespace: "apps",
      labels,
      annotations: { ...skipAwait, ...toContour, "ingress.kubernetes.io/force-ssl-redirect": "true" },
    },
    spec: { ingressClassName: "contour", tls: [{ secretName: secretName(result), hosts }], rules },
  });
  const children = recording.resources.filter(({ type }) => /^(kubernetes|gcp):/.test(type));
  assert.deepEqual(children.map(({ name }) => name).sort(), ["ingress-ingress", "ingress-tls"]);
  for (const child of children) assert.deepEqual([child.parent, child.provider], [urn, provider], child.name);
});

test("the key is only in a Secret, marked as secret", async () => {
  const result = await make();
  const secret = result.recording.one(types.secret);
  assert.match(secretName(result), /^ingress-tls-[0-9a-f]{10}$/);
  assert.deepEqual(secret.inputs, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName(result), namespace: "apps", labels },
    type: "kubernetes.io/tls",
    immutable: true,
    stringData: { "tls.crt": "the certificate", "tls.key": "canary-key" },
  });
  assert.deepEqual(secret.secrets, ["stringData"]);
  assert.ok(result.ingress.dependencies.includes(secret.urn), "the certificate exists before the edge");
  assert.deepEqual(result.ingress.secrets, []);
  const others = result.recording.resources.filter(({ urn }) => urn !== secret.urn);
  assert.doesNotMatch(JSON.stringify(others), /canary-key/);
});

test("the Secret's name changes with the certificate and the key, and only with them", async () => {
  const name = secretName(await make());
  assert.equal(secretName(await make({ hosts: ["other.example.com"], redirectHttp: false, edge: gce })), name);
  assert.notEqual(secretName(await make({ certificate: { ...certificate, crt: "renewed" } })), name);
  assert.notEqual(secretName(await make({ certificate: { ...certificate, key: "renewed" } })), name);
});

test("without a certificate there is plain HTTP, and no redirect to a missing listener", async () => {
  for (const redirectHttp of [true, false]) {
    const { recording, ingress, annotations } = await make({ certificate: undefined, redirectHttp });
    assert.deepEqual(recording.all(types.secret), []);
    assert.deepEqual(ingress.inputs["spec"], { ingressClassName: "contour", rules });
    assert.deepEqual(annotations, { ...skipAwait, ...toContour });
  }
});

test("the redirect can be off, and the stack's own annotations stay", async () => {
  assert.deepEqual((await make({ redirectHttp: false })).annotations, { ...skipAwait, ...toContour });
  const edge = {
    ...contour,
    annotations: { "example.com/a": "b", "ingress.kubernetes.io/force-ssl-redirect": "false" },
  };
  assert.deepEqual((await make({ edge })).annotations, { ...skipAwait, ...toContour, ...edge.annotations });
});

test("Google's load balancer gets the address, the TLS policy and the health check", async () => {
  const result = await make({ edge: gce });
  const { recording, ingress, urn, provider } = result;
  assert.deepEqual(result.annotations, {
    ...skipAwait,
    "kubernetes.io/ingress.class": "gce",
    "kubernetes.io/ingress.global-static-ip-name": "staging-ip-0000000",
    "networking.gke.io/v1beta1.FrontendConfig": "ingress",
  });
  // GKE reads the annotation, and rejects an Ingress that also has the field.
  assert.deepEqual(ingress.inputs["spec"], { tls: [{ secretName: secretName(result), hosts }], rules });

  const [sslPolicy, frontend, backend] = [types.sslPolicy, types.frontend, types.backend].map((type) =>
    recording.one(type),
  );
  assert.ok(sslPolicy && frontend && backend);
  // No fixed name: two stacks in a project would collide.
  assert.deepEqual(sslPolicy.inputs, { project: "acme-staging", profile: "RESTRICTED", minTlsVersion: "TLS_1_2" });
  assert.deepEqual(frontend.inputs, {
    apiVersion: "networking.gke.io/v1beta1",
    kind: "FrontendConfig",
    metadata: { name: "ingress", namespace: "apps", labels },
    spec: {
      sslPolicy: "ingress-ssl-policy-0000000",
      redirectToHttps: { enabled: true, responseCodeName: "MOVED_PERMANENTLY_DEFAULT" },
    },
  });
  assert.deepEqual(backend.inputs, {
    apiVersion: "cloud.google.com/v1",
    kind: "BackendConfig",
    metadata: { name: "nginx-proxy", namespace: "apps", labels },
    spec: {
      healthCheck: {
        type: "HTTP",
        requestPath: proxyHealthPath,
        port: proxyPorts.health,
        checkIntervalSec: 5,
        timeoutSec: 3,
        healthyThreshold: 1,
        unhealthyThreshold: 3,
      },
      connectionDraining: { drainingTimeoutSec: 30 },
      timeoutSec: 30,
      securityPolicy: { name: "" },
      cdn: { enabled: false },
    },
  });
  for (const child of [sslPolicy, frontend, backend]) assert.equal(child.parent, urn, child.name);
  for (const child of [frontend, backend]) assert.equal(child.provider, provider, child.name);
  for (const { urn: earlier } of [frontend, backend]) assert.ok(ingress.dependencies.includes(earlier), earlier);
});

test("the load balancer gets Cloud Armor, IAP and CDN, and the cache separates hosts and queries", async () => {
  const { recording, urn } = await make({
    edge: {
      ...gce,
      timeoutSeconds: 3600,
      drainSeconds: 0,
      armor: { log4j: true },
      cdn: { cacheMode: "CACHE_ALL_STATIC" },
    },
  });
  const { healthCheck: _, ...spec } = recording.one(types.backend).inputs["spec"] as Record<string, unknown>;
  assert.deepEqual(spec, {
    connectionDraining: { drainingTimeoutSec: 0 },
    timeoutSec: 3600,
    securityPolicy: { name: "ingress-armor-policy-0000000" },
    cdn: {
      enabled: true,
      cacheMode: "CACHE_ALL_STATIC",
      cachePolicy: { includeHost: true, includeProtocol: true, includeQueryString: true },
    },
  });
  const policy = recording.one("gcp:compute/securityPolicy:SecurityPolicy");
  assert.ok(recording.one(types.backend).dependencies.includes(policy.urn), "the policy exists before its reference");
  assert.equal(recording.one("gke-microservices:index:CloudArmor", "ingress-armor").parent, urn);
});

test("IAP grants access to its members, and to nobody while it is off", async () => {
  const members = ["group:developers@example.com", "domain:example.com"];
  const iapMember = "gcp:iap/webTypeComputeIamMember:WebTypeComputeIamMember";
  const on = await make({ edge: { ...gce, iap: { enabled: true, members } } });
  const specOf = ({ recording }: Made) => recording.one(types.backend).inputs["spec"] as Record<string, unknown>;
  assert.deepEqual(specOf(on)["iap"], { enabled: true });
  const api = on.recording.one("gcp:projects/service:Service", "ingress-api-iap");
  assert.equal(api.inputs["service"], "iap.googleapis.com");
  const grants = on.recording.all(iapMember);
  assert.deepEqual(
    grants.map(({ name, inputs }) => [name, inputs]),
    members.map((member) => [
      `ingress-iap-${member}`,
      { project: "acme-staging", role: "roles/iap.httpsResourceAccessor", member },
    ]),
  );
  for (const grant of grants) assert.deepEqual([grant.parent, grant.dependencies.includes(api.urn)], [on.urn, true]);

  const off = await make({ edge: { ...gce, iap: { enabled: false, members } } });
  assert.deepEqual(specOf(off)["iap"], { enabled: false });
  assert.deepEqual(off.recording.all(iapMember), []);
});

test("Google's load balancer redirects only with a certificate and if configured", async () => {
  for (const change of [{ certificate: undefined }, { redirectHttp: false }]) {
    const { recording } = await make({ edge: gce, ...change });
    const { redirectToHttps } = recording.one(types.frontend).inputs["spec"] as { redirectToHttps: unknown };
    assert.deepEqual(redirectToHttps, { enabled: false, responseCodeName: "MOVED_PERMANENTLY_DEFAULT" });
  }
});

test("the proxy's Service names the ingress's BackendConfig", async () => {
  const { recording } = await make({ edge: gce });
  const { name } = recording.one(types.backend).inputs["metadata"] as { name: string };
  assert.deepEqual(Object.keys(gceServiceAnnotations).sort(), [
    "cloud.google.com/backend-config",
    "cloud.google.com/neg",
  ]);
  const parsed = (key: string) => JSON.parse(gceServiceAnnotations[key] ?? "") as unknown;
  assert.deepEqual(parsed("cloud.google.com/backend-config"), { default: name });
  assert.deepEqual(parsed("cloud.google.com/neg"), { ingress: true });
});

test("the address comes from the controller, and is unknown until then", async () => {
  assert.equal(await valueOf((await make()).component.address), undefined);
  const status = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } };
  assert.equal(await valueOf((await make({}, status)).component.address), "203.0.113.7");
  for (const none of [{}, { loadBalancer: {} }, { loadBalancer: { ingress: [] } }])
    assert.equal(await valueOf((await make({}, none)).component.address), undefined);
});
