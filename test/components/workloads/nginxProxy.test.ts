import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { NginxProxy, untilDrained, type NginxProxyArgs } from "../../../components/workloads/nginxProxy.ts";
import { proxySettingsFor } from "../../../components/edge/proxySettings.ts";
import { restrictedContainer } from "../../../components/workloads/pod.ts";
import { renderRoutes } from "../../../nginx/routes.ts";
import type { ProxyRoutes } from "../../../nginx/model.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";
import type { PodTemplate } from "../../podTemplate.ts";

const routes: ProxyRoutes = {
  resolver: "kube-dns.kube-system.svc.cluster.local",
  client: { trustedProxies: ["10.0.0.0/8"], entry: "last" },
  upstreams: [{ service: "hoge", port: 8080, address: "hoge.apps.svc.cluster.local" }],
  routes: [{ service: "hoge", path: "/hoge/", keepPrefix: false }],
};
const args: NginxProxyArgs = {
  namespace: "apps",
  image: "registry.example.com/nginx-proxy:1",
  replicas: 3,
  routes,
  resources: { cpu: "100m", memory: "128Mi" },
  rolloutSeconds: 120,
  drainSeconds: 10,
};
const labels = { "app.kubernetes.io/name": "nginx-proxy", "app.kubernetes.io/part-of": "gke-microservices" };
const selector = { "app.kubernetes.io/name": "nginx-proxy" };
const metadata = { name: "nginx-proxy", namespace: "apps", labels };

async function make(change: Partial<NginxProxyArgs> = {}) {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const proxy = new NginxProxy("nginx-proxy", { ...args, ...change }, { provider });
  await settled();
  const deployment = recording.one("kubernetes:apps/v1:Deployment");
  return {
    recording,
    proxy,
    deployment,
    template: (deployment.inputs["spec"] as { template: PodTemplate }).template,
    configMap: recording.one("kubernetes:core/v1:ConfigMap"),
    service: recording.one("kubernetes:core/v1:Service"),
    urn: await valueOf(proxy.urn),
    provider: await valueOf(provider.urn),
  };
}
const nameOf = (object: { inputs: Readonly<Record<string, unknown>> }) =>
  (object.inputs["metadata"] as { name: string }).name;

test("every object is a child on the stack's own provider", async () => {
  const { recording, proxy, urn, provider } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:NginxProxy::nginx-proxy");
  const children = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
  assert.deepEqual(children.map(({ name }) => name).sort(), [
    "nginx-proxy-deployment",
    "nginx-proxy-disruption",
    "nginx-proxy-routes",
    "nginx-proxy-service",
  ]);
  for (const child of children) assert.deepEqual([child.parent, child.provider], [urn, provider], child.name);
  assert.equal(await valueOf(proxy.serviceName), "nginx-proxy");
});

test("the routes are an immutable ConfigMap that the pods mount and wait for", async () => {
  const { configMap, deployment, template } = await make();
  const name = nameOf(configMap);
  assert.match(name, /^nginx-proxy-routes-[0-9a-f]{10}$/);
  assert.deepEqual(configMap.inputs, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "apps", labels },
    immutable: true,
    data: { "routes.conf": renderRoutes(routes) },
  });
  assert.deepEqual(template.spec.volumes, [
    { name: "routes", configMap: { name } },
    { name: "tmp", emptyDir: { sizeLimit: "1024Mi" } },
  ]);
  assert.ok(deployment.dependencies.includes(configMap.urn));
});

test("its name changes with the routes and only with them", async () => {
  const name = nameOf((await make()).configMap);
  assert.equal(nameOf((await make({ replicas: 7, image: "other:2", rolloutSeconds: 30 })).configMap), name);
  const moved = { ...routes, routes: [{ service: "hoge", path: "/other/", keepPrefix: false }] };
  assert.notEqual(nameOf((await make({ routes: moved })).configMap), name);
});

test("the Deployment's inputs", async () => {
  const { deployment, template } = await make();
  assert.deepEqual(findings(deployment.type, deployment.inputs), []);
  assert.deepEqual(deployment.inputs, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 3,
      selector: { matchLabels: selector },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "100%", maxUnavailable: 0 } },
      template: { metadata: { labels }, spec: template.spec },
    },
  });
  const [container, ...others] = template.spec.containers;
  assert.ok(container !== undefined && others.length === 0);
  const { securityContext, ...rest } = container;
  assert.deepEqual(securityContext, restrictedContainer.securityContext);
  const health = { httpGet: { path: "/healthz", port: "health" } };
  assert.deepEqual(rest, {
    name: "nginx",
    image: "registry.example.com/nginx-proxy:1",
    ports: [
      { name: "http", containerPort: 8080 },
      { name: "health", containerPort: 8081 },
    ],
    volumeMounts: [
      { name: "routes", mountPath: "/etc/nginx/routes", readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ],
    resources: {
      requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
      limits: { memory: "128Mi", "ephemeral-storage": "1536Mi" },
    },
    lifecycle: { preStop: { sleep: { seconds: 10 } } },
    startupProbe: { ...health, periodSeconds: 1, failureThreshold: 600 },
    readinessProbe: { ...health, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 15 },
    livenessProbe: { ...health, periodSeconds: 10, failureThreshold: 6 },
  });
  const { create, update } = deployment.customTimeouts ?? {};
  assert.deepEqual([create, update], ["120s", "120s"]);
});

test("behind Google's load balancer a terminating pod serves longer, within its grace period", async () => {
  const times = async (edge: Parameters<typeof proxySettingsFor>[0]) => {
    const { drainSeconds } = proxySettingsFor(edge);
    const { spec } = (await make({ drainSeconds })).template as unknown as {
      spec: { containers: { lifecycle: object }[]; terminationGracePeriodSeconds: number };
    };
    return [spec.containers[0]?.lifecycle, spec.terminationGracePeriodSeconds];
  };
  const sleep = (seconds: number) => ({ preStop: { sleep: { seconds } } });
  assert.deepEqual(await times({ kind: "gce", onGoogle: true }), [sleep(40), 80]);
  assert.deepEqual(await times({ kind: "gateway", onGoogle: true }), [sleep(40), 80]);
  assert.deepEqual(await times({ kind: "gateway", onGoogle: false }), [sleep(10), 50]);
  assert.deepEqual(await times({ kind: "ingress", onGoogle: false, grpcServiceAnnotations: {} }), [sleep(10), 50]);
});

test("with more services than DNS answers at once, the proxy becomes ready when it has resolved them", async () => {
  const upstreams = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ service: `s${index}`, port: 8080, address: `s${index}.apps.svc` }));
  const readiness = async (count: number) => {
    const { template } = await make({ routes: { ...routes, upstreams: upstreams(count), routes: [] } });
    return (template.spec.containers[0] as unknown as { readinessProbe: object }).readinessProbe;
  };
  assert.ok(!("initialDelaySeconds" in (await readiness(199))));
  assert.partialDeepStrictEqual(await readiness(200), { initialDelaySeconds: 2 });
  assert.partialDeepStrictEqual(await readiness(1000), { initialDelaySeconds: 10 });
});

test("the Service has port 80 and the edge's annotations", async () => {
  const spec = { type: "ClusterIP", selector, ports: [{ name: "http", port: 80, targetPort: "http" }] };
  const skipAwait = { "pulumi.com/skipAwait": "true" };
  const plain = await make();
  assert.deepEqual(plain.service.inputs, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, annotations: skipAwait },
    spec,
  });
  const annotated = await make({ serviceAnnotations: { "example.com/a": "b" } });
  assert.deepEqual(annotated.service.inputs["metadata"], {
    ...metadata,
    annotations: { ...skipAwait, "example.com/a": "b" },
  });
});

test("one replica has no disruption budget", async () => {
  const type = "kubernetes:policy/v1:PodDisruptionBudget";
  assert.deepEqual((await make({ replicas: 1 })).recording.all(type), []);
  assert.deepEqual((await make({ replicas: 2 })).recording.one(type).inputs["spec"], {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels: selector },
  });
});

test("what the config no longer has is deleted after pods of the previous release have drained", () => {
  const now = Date.parse("2026-01-01T00:00:30Z");
  const wait = (lastUpdateTime: string, revision = "2") =>
    untilDrained(
      { "deployment.kubernetes.io/revision": revision },
      {
        conditions: [
          { type: "Available", lastUpdateTime: "2026-01-01T00:00:30Z" },
          { type: "Progressing", lastUpdateTime },
        ],
      },
      40,
      now,
    );
  assert.equal(wait("2026-01-01T00:00:25Z"), 35_000);
  assert.equal(wait("2026-01-01T00:00:25Z", "1"), 0, "the first release replaces none");
  assert.equal(wait("2025-12-31T00:00:00Z"), 0, "rolled out in an earlier update");
  assert.equal(wait("2026-01-02T00:00:00Z"), 40_000, "a clock that is wrong");
  assert.equal(untilDrained(undefined, undefined, 40, now), 0, "in tests, there is no status");
});
