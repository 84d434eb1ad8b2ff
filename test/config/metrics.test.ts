/** Metrics of the proxy, derived from the config. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { proxyMetrics } from "../../config/metrics.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const onGke = { domain: valid.domain, services: valid.services };

function metricsOf(config: Record<string, unknown>) {
  return proxyMetrics(checkConfig(raw(config, google), "test", projectDir).settings);
}

const pinned =
  "docker.io/nginx/nginx-prometheus-exporter:1.5.1@sha256:9f6d963bb2b19d706d401cc3e2c3ea8de2f1c471b96a2156ca45e76f650b1625";

test("by default Google's Prometheus scrapes the proxy on GKE; elsewhere nobody does", () => {
  const defaults = { image: pinned, resources: { cpu: "10m", memory: "64Mi" }, labels: {}, scrape: "google" };
  assert.deepEqual(metricsOf(onGke), defaults);
  assert.equal(metricsOf(valid), undefined);
  assert.equal(metricsOf({ ...onGke, proxy: { metrics: { scrape: "none" } } }), undefined);
});

test("on Autopilot the exporter asks for Autopilot's minimum of CPU, unless the stack asks for more", () => {
  const cpuOf = (metrics: object, cluster: object) =>
    metricsOf({ ...onGke, cluster, proxy: { metrics } })?.resources.cpu;
  const autopilot = { kind: "gke", mode: "autopilot" };
  assert.equal(cpuOf({}, autopilot), "50m");
  assert.equal(cpuOf({ resources: { memory: "128Mi" } }, autopilot), "50m");
  assert.equal(cpuOf({ resources: { cpu: "60m" } }, autopilot), "60m");
  assert.equal(cpuOf({ resources: { cpu: "60m" } }, { kind: "gke" }), "60m");
});

test("a stack chooses the scraper and the exporter image", () => {
  const image = "registry.example.com/exporter:1.5.1";
  const metrics = { scrape: "prometheus-operator", image, labels: { release: "monitoring" } };
  assert.deepEqual(metricsOf({ ...valid, proxy: { metrics } }), {
    ...metrics,
    resources: { cpu: "10m", memory: "64Mi" },
  });
  assert.equal(metricsOf({ ...valid, proxy: { metrics: { scrape: "own" } } })?.scrape, "own");
});

for (const [metrics, message] of [
  [{ scrape: "datadog" }, /proxy\.metrics\.scrape\n\s+"datadog" .*google.*prometheus-operator.*own.*none/],
  [{ scrap: "google" }, /proxy\.metrics\.scrap\n.*scrape/],
  [{ scrape: "own", image: "a/b:latest" }, /proxy\.metrics\.image\n.*must not use the tag latest/],
  [{ byService: true }, /proxy\.metrics\.byService\n.*cluster\.kind is existing; leave it out/],
  [{ labels: { "a b": "c" } }, /proxy\.metrics\.labels.*\n.*must be the key of a Kubernetes label/],
  [{ labels: { release: "-a" } }, /proxy\.metrics\.labels\.release\n.*must be the value of a Kubernetes label/],
  [{ resources: { memory: "much" } }, /proxy\.metrics\.resources\.memory\n.*must be an amount of memory/],
] as const)
  test(`refused: ${JSON.stringify(metrics)}`, () => {
    assert.match(refusal({ ...valid, proxy: { metrics } }), message);
  });
