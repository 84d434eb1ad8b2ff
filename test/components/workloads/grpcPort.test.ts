/** gRPC routes add a port to the proxy, with a certificate and a Service. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import type { GrpcService } from "../../../components/workloads/grpcPort.ts";
import { NginxProxy } from "../../../components/workloads/nginxProxy.ts";
import type { ProxyRoutes } from "../../../nginx/model.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";
import type { PodTemplate } from "../../podTemplate.ts";

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
describe("the proxy", () => {
  test("has a gRPC port with its own key, which is only in a Secret", async () => {
    const { recording, urn } = await makeProxy();
    const key = recording.named("nginx-proxy-grpc-key");
    const certificate = recording.named("nginx-proxy-grpc-certificate");
    const secret = recording.named("nginx-proxy-grpc-tls");
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

  test("has a Service for it, with the protocol for the edge", async () => {
    const { recording, proxy } = await makeProxy({ annotations: { "example.com/a": "b" }, appProtocol: "HTTP2" });
    assert.deepEqual(recording.named("nginx-proxy-grpc-service").inputs, {
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
    const byDefault = (await makeProxy()).recording.named("nginx-proxy-grpc-service").inputs;
    assert.deepEqual((byDefault["metadata"] as { annotations: object }).annotations, skipAwait);
    assert.deepEqual((byDefault["spec"] as { ports: object[] }).ports, [
      { name: "grpc", port: 443, targetPort: "grpc" },
    ]);
  });

  test("has neither without gRPC routes", async () => {
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
