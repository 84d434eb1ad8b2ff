/** The exporter and its objects with metrics, and their absence without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import type { ProxyMetrics } from "../../../components/workloads/metricsExporter.ts";
import { NginxProxy } from "../../../components/workloads/nginxProxy.ts";
import { restrictedContainer } from "../../../components/workloads/pod.ts";
import { metricsText } from "../../../nginx/status.ts";
import { renderRoutes } from "../../../nginx/routes.ts";
import type { ProxyRoutes } from "../../../nginx/model.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";
import type { PodTemplate } from "../../podTemplate.ts";

const routes: ProxyRoutes = {
  resolver: "kube-dns.kube-system.svc.cluster.local",
  client: { trustedProxies: [], entry: "last" },
  upstreams: [{ service: "hoge", port: 8080, address: "hoge.apps.svc.cluster.local" }],
  routes: [{ service: "hoge", path: "/hoge/", keepPrefix: false }],
};
const image = "registry.example.com/exporter:1.5.1";
const exporter = { image, resources: { cpu: "10m", memory: "64Mi" }, labels: {} };
const scrapeKinds = /^kubernetes:monitoring\./;

async function make(metrics?: ProxyMetrics) {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const proxy = new NginxProxy(
    "nginx-proxy",
    {
      namespace: "apps",
      image: "registry.example.com/nginx-proxy:1",
      replicas: 1,
      routes,
      resources: { cpu: "100m", memory: "128Mi" },
      rolloutSeconds: 120,
      drainSeconds: 10,
      metrics,
    },
    { provider },
  );
  await settled();
  const deployment = recording.one("kubernetes:apps/v1:Deployment");
  return {
    deployment,
    pod: (deployment.inputs["spec"] as { template: PodTemplate }).template.spec,
    files: recording.one("kubernetes:core/v1:ConfigMap").inputs["data"],
    objects: recording.resources.filter(({ type }) => scrapeKinds.test(type)),
    urns: [await valueOf(proxy.urn), await valueOf(provider.urn)],
  };
}

test("the exporter is a sidecar that starts before nginx and stops after it, restricted like every container", async () => {
  const { pod, files, deployment } = await make({ ...exporter, scrape: "own" });
  assert.deepEqual(pod.initContainers, [
    {
      ...restrictedContainer,
      name: "metrics",
      image,
      restartPolicy: "Always",
      args: ["--nginx.scrape-uri=http://127.0.0.1:8082/stub_status", "--web.listen-address=:9113", "--log.format=json"],
      ports: [{ name: "metrics", containerPort: 9113 }],
      resources: {
        requests: { cpu: "10m", memory: "64Mi", "ephemeral-storage": "64Mi" },
        limits: { memory: "64Mi", "ephemeral-storage": "512Mi" },
      },
    },
  ]);
  assert.equal(pod.containers.length, 1);
  assert.deepEqual(files, { "routes.conf": renderRoutes(routes), "metrics.conf": metricsText });
  assert.deepEqual(findings(deployment.type, deployment.inputs), []);
});

const selector = { matchLabels: { "app.kubernetes.io/name": "nginx-proxy" } };
const keep = [{ action: "keep", sourceLabels: ["__name__"], regex: "nginx_.*" }];
const expected = {
  google: {
    apiVersion: "monitoring.googleapis.com/v1",
    kind: "PodMonitoring",
    spec: { selector, endpoints: [{ port: "metrics", interval: "30s", metricRelabeling: keep }] },
  },
  "prometheus-operator": {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    spec: { selector, podMetricsEndpoints: [{ port: "metrics", interval: "30s", metricRelabelings: keep }] },
  },
};

for (const scrape of ["google", "prometheus-operator"] as const)
  test(`${scrape} finds the exporter by an object of its own kind`, async () => {
    const { objects, urns } = await make({ ...exporter, scrape, labels: { release: "monitoring" } });
    const [object, ...others] = objects;
    assert.ok(object !== undefined && others.length === 0);
    const { apiVersion, kind, spec } = expected[scrape];
    assert.equal(object.type, `kubernetes:${apiVersion}:${kind}`);
    assert.equal(object.name, "nginx-proxy-metrics");
    assert.deepEqual([object.parent, object.provider], urns);
    assert.deepEqual(object.inputs, {
      apiVersion,
      kind,
      metadata: {
        name: "nginx-proxy",
        namespace: "apps",
        labels: {
          release: "monitoring",
          "app.kubernetes.io/name": "nginx-proxy",
          "app.kubernetes.io/part-of": "gke-microservices",
        },
      },
      spec,
    });
  });

test("your own scrape config needs no object; without metrics there is no exporter", async () => {
  assert.deepEqual((await make({ ...exporter, scrape: "own" })).objects, []);
  const { pod, files, objects } = await make();
  assert.deepEqual(objects, []);
  assert.equal(pod.initContainers, undefined);
  assert.deepEqual(files, { "routes.conf": renderRoutes(routes) });
});
