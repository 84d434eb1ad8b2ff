/** Staging with gRPC routes, behind both of Google's edges: references from the edge to the pods. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { findings } from "../../policy/allRules.ts";
import { valueOf, type Recorded, type Recording } from "../../tools/testing/mocks.ts";
import { record } from "../../tools/testing/recorded.ts";

const image = "asia-northeast1-docker.pkg.dev/acme-staging/apps/orders:1.0.0";
const services = {
  web: { image, routes: [{ path: "/" }] },
  orders: {
    image,
    port: 50_051,
    routes: [
      { path: "/shop.v1.Orders/", protocol: "grpc" },
      { host: "grpc", protocol: "grpc" },
    ],
  },
};
const proxy = { image: "example.com/apps/nginx-proxy:1.0.0" };
const hosts = ["staging.example.com", "grpc.staging.example.com"];

const ofType = (recording: Recording, type: string, name: string): Recorded =>
  recording.all(type).find(({ inputs }) => (inputs["metadata"] as { name: string }).name === name) ??
  assert.fail(`there is no ${type} ${name}`);

function checkBehindEdge(recording: Recording, appProtocols: string | undefined, appProtocol: string | undefined) {
  const service = ofType(recording, "kubernetes:core/v1:Service", "nginx-proxy-grpc");
  const { annotations } = service.inputs["metadata"] as { annotations: Record<string, string> };
  assert.equal(annotations["cloud.google.com/app-protocols"], appProtocols);
  const { ports } = service.inputs["spec"] as { ports: { appProtocol?: string; targetPort: string }[] };
  assert.deepEqual([ports[0]?.appProtocol, ports[0]?.targetPort], [appProtocol, "grpc"]);

  const nginx = ofType(recording, "kubernetes:apps/v1:Deployment", "nginx-proxy");
  assert.match(
    JSON.stringify(nginx.inputs["spec"]),
    /\{"containerPort":8443,"name":"grpc"\}|\{"name":"grpc","containerPort":8443\}/,
  );
  const orders = ofType(recording, "kubernetes:apps/v1:Deployment", "orders");
  type Spec = { template: { spec: { containers: { readinessProbe: object; livenessProbe: object }[] } } };
  const [container] = (orders.inputs["spec"] as Spec).template.spec.containers;
  assert.deepEqual((container?.readinessProbe as { grpc?: object }).grpc, { port: 50_051 });
  for (const { type, inputs, name } of [service, nginx, orders]) assert.deepEqual(findings(type, inputs), [], name);
  // The key of the port is only in its Secret.
  const holders = recording.resources.filter(({ inputs }) =>
    JSON.stringify(inputs).includes("canary of nginx-proxy-grpc-key"),
  );
  assert.deepEqual(holders.map(({ name }) => name).sort(), ["nginx-proxy-grpc-certificate", "nginx-proxy-grpc-tls"]);
}

test("behind an Ingress", async () => {
  const { recording, outputs } = await record("staging", { services, proxy });
  checkBehindEdge(recording, '{"grpc":"HTTP2"}', undefined);
  type Rules = { host: string; http: { paths: { path: string; backend: { service: { name: string } } }[] } }[];
  const { rules } = recording.one("kubernetes:networking.k8s.io/v1:Ingress").inputs["spec"] as { rules: Rules };
  assert.deepEqual(
    rules.map(({ host, http }) => [host, ...http.paths.map(({ path, backend }) => `${path} ${backend.service.name}`)]),
    [
      [hosts[0], "/shop.v1.Orders/ nginx-proxy-grpc", "/ nginx-proxy"],
      [hosts[1], "/ nginx-proxy-grpc"],
    ],
  );
  assert.deepEqual(await valueOf(pulumi.output(outputs["routes"])), {
    "grpc.staging.example.com/": "orders",
    "staging.example.com/": "web",
    "staging.example.com/shop.v1.Orders/": "orders",
  });
});

test("behind a Gateway", async () => {
  const { recording } = await record("staging", { services, proxy, edge: { kind: "gateway" } });
  checkBehindEdge(recording, undefined, "HTTP2");
  for (const kind of ["HealthCheckPolicy", "GCPBackendPolicy"]) {
    const type = `kubernetes:networking.gke.io/v1:${kind}`;
    const targets = recording
      .all(type)
      .map(({ inputs }) => (inputs["spec"] as { targetRef: { name: string } }).targetRef.name);
    assert.deepEqual(targets.sort(), ["nginx-proxy", "nginx-proxy-grpc"], kind);
  }
});
