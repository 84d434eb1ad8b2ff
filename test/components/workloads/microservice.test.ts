import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Microservice, type MicroserviceArgs } from "../../../components/workloads/microservice.ts";
import { serviceDrainSeconds, restrictedContainer } from "../../../components/workloads/pod.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled, valueOf, type Recorded } from "../../../tools/testing/mocks.ts";
import type { PodTemplate } from "../../podTemplate.ts";

const args: MicroserviceArgs = {
  namespace: "apps",
  image: "registry.example.com/hoge:1.4.2",
  port: 8080,
  replicas: 2,
  health: { kind: "http", path: "/readyz", port: 8080, startSeconds: 60 },
  env: [{ name: "GREETING", value: "hello" }],
  resources: { cpu: "100m", memory: "128Mi" },
  rolloutSeconds: 180,
  routed: true,
};
const types = {
  deployment: "kubernetes:apps/v1:Deployment",
  service: "kubernetes:core/v1:Service",
  secret: "kubernetes:core/v1:Secret",
  disruption: "kubernetes:policy/v1:PodDisruptionBudget",
};
const labels = { "app.kubernetes.io/name": "hoge", "app.kubernetes.io/part-of": "gke-microservices" };
const selector = { "app.kubernetes.io/name": "hoge" };
const metadata = { name: "hoge", namespace: "apps", labels };

async function make(change: Partial<MicroserviceArgs> = {}) {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const service = new Microservice("hoge", { ...args, ...change }, { provider });
  await settled();
  return { recording, service, urn: await valueOf(service.urn), provider: await valueOf(provider.urn) };
}

const templateOf = (deployment: Recorded) => (deployment.inputs["spec"] as { template: PodTemplate }).template;

function containerOf(deployment: Recorded) {
  const [container, ...others] = templateOf(deployment).spec.containers;
  assert.ok(container !== undefined && others.length === 0);
  return container;
}

test("a Deployment, two Services and a disruption budget, each a child on the stack's own provider", async () => {
  const { recording, service, urn, provider } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:Microservice::hoge");
  const children = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
  assert.deepEqual(children.map(({ type, name }) => `${type} ${name}`).sort(), [
    "kubernetes:apps/v1:Deployment hoge-deployment",
    "kubernetes:core/v1:Service hoge-pods",
    "kubernetes:core/v1:Service hoge-service",
    "kubernetes:policy/v1:PodDisruptionBudget hoge-disruption",
  ]);
  for (const child of children) {
    assert.equal(child.parent, urn, child.name);
    assert.equal(child.provider, provider, child.name);
    assert.deepEqual(child.secrets, [], child.name);
  }
  assert.equal(await valueOf(service.address), "hoge.apps.svc.cluster.local");
});

test("the Deployment's inputs", async () => {
  const { recording } = await make();
  const deployment = recording.one(types.deployment);
  const template = templateOf(deployment);
  assert.deepEqual(findings(deployment.type, deployment.inputs), []);
  assert.deepEqual(deployment.inputs, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 2,
      selector: { matchLabels: selector },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels }, spec: template.spec },
    },
  });
  const { securityContext, ...container } = containerOf(deployment);
  assert.deepEqual(securityContext, restrictedContainer.securityContext);
  // Exact, to prove that envFrom, a command and other volumes are absent.
  assert.deepEqual(container, {
    name: "hoge",
    image: "registry.example.com/hoge:1.4.2",
    ports: [{ name: "http", containerPort: 8080 }],
    env: [{ name: "GREETING", value: "hello" }],
    resources: {
      requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
      limits: { memory: "128Mi", "ephemeral-storage": "768Mi" },
    },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
    lifecycle: { preStop: { sleep: { seconds: serviceDrainSeconds } } },
    startupProbe: { httpGet: { path: "/readyz", port: "http" }, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: {
      httpGet: { path: "/readyz", port: "http" },
      periodSeconds: 1,
      timeoutSeconds: 3,
      failureThreshold: 5,
    },
    livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 10, failureThreshold: 6 },
  });
  assert.deepEqual(template.spec.volumes, [{ name: "tmp", emptyDir: { sizeLimit: "256Mi" } }]);
  const { create, update } = deployment.customTimeouts ?? {};
  assert.deepEqual([create, update], ["180s", "180s"]);
});

test("a gRPC service has gRPC health checks", async () => {
  const { recording } = await make({ health: { kind: "grpc", port: 9000, startSeconds: 60 }, port: 9000 });
  const probes: Record<string, unknown> = { ...containerOf(recording.one(types.deployment)) };
  const grpc = { port: 9000 };
  assert.deepEqual(probes["startupProbe"], { grpc, periodSeconds: 1, failureThreshold: 60 });
  assert.deepEqual(probes["readinessProbe"], { grpc, periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 5 });
  assert.deepEqual(probes["livenessProbe"], { tcpSocket: { port: "http" }, periodSeconds: 10, failureThreshold: 6 });
});

test("pods use the given service account without its token; by default the namespace's", async () => {
  const specWith = async (change: Partial<MicroserviceArgs>) =>
    templateOf((await make(change)).recording.one(types.deployment)).spec as { serviceAccountName?: string };
  const { serviceAccountName, ...given } = await specWith({ serviceAccount: "hoge" });
  assert.equal(serviceAccountName, "hoge");
  const without = await specWith({});
  assert.deepEqual(given, without); // Both disable the token mount, as the findings above prove.
  assert.ok(!("serviceAccountName" in without));
});

test("the Service targets the container's port by name", async () => {
  const { recording } = await make({ port: 3000 });
  assert.deepEqual(recording.one(types.service, "hoge-service").inputs, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { type: "ClusterIP", selector, ports: [{ name: "http", port: 3000, targetPort: "http" }] },
  });
  assert.deepEqual(containerOf(recording.one(types.deployment)).ports, [{ name: "http", containerPort: 3000 }]);
});

test("a routed service also has a headless Service; the proxy waits for it and for the pods", async () => {
  const { recording, service } = await make();
  const pods = recording.one(types.service, "hoge-pods");
  assert.deepEqual(pods.inputs, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "pods-hoge", namespace: "apps", labels, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { type: "ClusterIP", clusterIP: "None", selector, ports: [{ name: "http", port: 8080, targetPort: "http" }] },
  });
  assert.deepEqual(findings(pods.type, pods.inputs), []);
  const deployment = recording.one(types.deployment);
  assert.deepEqual(await Promise.all(service.upstream.map(({ urn }) => valueOf(urn))), [deployment.urn, pods.urn]);

  const headless = await make({ routed: false, headless: true });
  assert.equal(headless.recording.all(types.service).length, 2);
  assert.deepEqual(headless.service.upstream, [], "the proxy need not wait for it");

  const inner = await make({ routed: false });
  assert.equal(inner.recording.one(types.service).name, "hoge-service");
  assert.deepEqual(inner.service.upstream, []);
});

test("one replica has no disruption budget, which would block draining its node", async () => {
  const one = await make({ replicas: 1 });
  assert.deepEqual(one.recording.all(types.disruption), []);
  const two = await make({ replicas: 2 });
  assert.deepEqual(two.recording.one(types.disruption).inputs, {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata,
    spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector: { matchLabels: selector } },
  });
});

test("secret environment variables are only in a Secret", async () => {
  const { recording, urn, provider } = await make({ secretEnv: { API_KEY: pulumi.secret("canary-1") } });
  const secret = recording.one(types.secret);
  const name = (secret.inputs["metadata"] as { name: string }).name;
  assert.match(name, /^hoge-env-[0-9a-f]{10}$/);
  assert.deepEqual(secret.inputs, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "apps", labels },
    immutable: true,
    stringData: { API_KEY: "canary-1" },
  });
  assert.deepEqual(secret.secrets, ["stringData"]);
  assert.deepEqual([secret.parent, secret.provider], [urn, provider]);

  const deployment = recording.one(types.deployment);
  assert.deepEqual(containerOf(deployment).envFrom, [{ secretRef: { name } }]);
  assert.ok(deployment.dependencies.includes(secret.urn), "the Secret exists before the pods");
  // A template that is secret as a whole would hide every change in a preview.
  assert.deepEqual(deployment.secrets, []);
  const others = recording.resources.filter(({ urn }) => urn !== secret.urn);
  assert.doesNotMatch(JSON.stringify(others), /canary-1/);
});

test("values that are not marked as secret become secret too", async () => {
  const { recording } = await make({ secretEnv: { API_KEY: "canary-2" } });
  assert.deepEqual(recording.one(types.secret).secrets, ["stringData"]);
});

test("the Secret's name changes with its content and only with it", async () => {
  const nameWith = async (change: Partial<MicroserviceArgs>) => {
    const { recording } = await make(change);
    return (recording.one(types.secret).inputs["metadata"] as { name: string }).name;
  };
  const name = await nameWith({ secretEnv: { A: "1", B: "2" } });
  assert.equal(await nameWith({ secretEnv: { B: "2", A: "1" } }), name);
  assert.equal(await nameWith({ secretEnv: { A: "1", B: "2" }, replicas: 5, image: "other:2" }), name);
  assert.notEqual(await nameWith({ secretEnv: { A: "1", B: "3" } }), name);
  assert.notEqual(await nameWith({ secretEnv: { A: "1" } }), name);
});
