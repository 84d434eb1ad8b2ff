import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RequestMetrics } from "../../../components/workloads/requestMetrics.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

async function make() {
  const recording = await mockPulumi();
  const component = new RequestMetrics("staging-requests", {
    project: "acme-staging",
    stack: "staging",
    clusterName: "staging-0123456",
    namespace: "apps",
  });
  await settled();
  return { recording, urn: await valueOf(component.urn), metric: recording.one("gcp:logging/metric:Metric") };
}

test("one latency distribution by service and status class, only for this stack's proxy", async () => {
  const { recording, urn, metric } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:RequestMetrics::staging-requests");
  assert.deepEqual([metric.name, metric.parent], ["staging-requests-latency", urn]);
  assert.deepEqual(metric.inputs, {
    project: "acme-staging",
    name: "staging/proxy/latency",
    description: "Time from a request's first byte to the answer's last, at the proxy of the stack staging",
    filter:
      'resource.type="k8s_container" AND resource.labels.cluster_name="staging-0123456" AND resource.labels.namespace_name="apps" AND resource.labels.container_name="nginx" AND jsonPayload.seconds>=0',
    metricDescriptor: {
      metricKind: "DELTA",
      valueType: "DISTRIBUTION",
      unit: "s",
      labels: [
        { key: "service", valueType: "STRING", description: "Empty where no route took the request" },
        { key: "status_class", valueType: "STRING", description: "First digit of the status" },
      ],
    },
    valueExtractor: "EXTRACT(jsonPayload.seconds)",
    labelExtractors: {
      service: "EXTRACT(jsonPayload.service)",
      status_class: 'REGEXP_EXTRACT(httpRequest.status, "^([1-5])")',
    },
    bucketOptions: {
      explicitBuckets: { bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] },
    },
  });
  const api = recording.one("gcp:projects/service:Service");
  assert.deepEqual([api.inputs["service"], api.parent], ["logging.googleapis.com", urn]);
  assert.ok(metric.dependencies.includes(api.urn));
});

test("it reads fields that the access log writes", async () => {
  const { metric } = await make();
  const extractors = JSON.stringify([metric.inputs["valueExtractor"], metric.inputs["labelExtractors"]]);
  const fields = [...extractors.matchAll(/(?:jsonPayload|httpRequest)\.(\w+)/g)].map(([, field]) => field);
  assert.deepEqual(fields, ["seconds", "service", "status"]);
  const log = readFileSync(join(projectDir, "nginx/nginx.conf"), "utf8");
  // Numbers are unquoted: text would need a conversion, and a failed one drops the entry.
  for (const written of ['"seconds":$request_time,', '"service":"$service"', '"status":$status_number,'])
    assert.ok(log.includes(written), written);
});
