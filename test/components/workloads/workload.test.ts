/** Programs of every kind: workers, ports, probes, files, folders, users. The policy pack accepts each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { probes, type Health } from "../../../components/workloads/health.ts";
import { Microservice, type MicroserviceArgs } from "../../../components/workloads/microservice.ts";
import { literal } from "../../../names/kubernetes.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled, type Recorded } from "../../../tools/testing/mocks.ts";

const args: MicroserviceArgs = {
  namespace: "apps",
  image: "registry.example.com/shop:1.4.2",
  port: 8080,
  replicas: 2,
  env: [],
  resources: { cpu: "100m", memory: "128Mi" },
  rolloutSeconds: 180,
  routed: false,
};

interface Pod {
  readonly securityContext: Record<string, unknown>;
  readonly terminationGracePeriodSeconds: number;
  readonly volumes: readonly Record<string, unknown>[];
  readonly containers: readonly Record<string, unknown>[];
  readonly nodeSelector?: unknown;
  readonly tolerations?: unknown;
}
interface DeploymentSpec {
  readonly strategy: unknown;
  readonly progressDeadlineSeconds?: number;
  readonly template: { readonly metadata: Record<string, unknown>; readonly spec: Pod };
}

async function make(change: Partial<MicroserviceArgs>) {
  const recording = await mockPulumi();
  new Microservice("shop", { ...args, ...change }, { provider: new k8s.Provider("cluster") });
  await settled();
  const objects = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
  for (const { type, inputs } of objects) assert.deepEqual(findings(type, inputs), [], type);
  const spec = recording.one("kubernetes:apps/v1:Deployment").inputs["spec"] as DeploymentSpec;
  const [container = {}] = spec.template.spec.containers;
  return { recording, spec, pod: spec.template.spec, container };
}
const namesOf = (all: readonly Recorded[]) => all.map(({ name }) => name).sort();

test("a worker has no Service, no ports and no wait before SIGTERM", async () => {
  const { recording, pod, container } = await make({ port: undefined, shutdownSeconds: 120 });
  assert.deepEqual(recording.all("kubernetes:core/v1:Service"), []);
  assert.deepEqual(container["ports"], []);
  assert.equal(container["lifecycle"], undefined);
  assert.equal(pod.terminationGracePeriodSeconds, 120);
  for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) assert.equal(container[probe], undefined);
  assert.deepEqual(namesOf(recording.all("kubernetes:policy/v1:PodDisruptionBudget")), ["shop-disruption"]);
});

test("ports: the Service's own, further ones, and those below 1024 without root", async () => {
  const { recording, pod, container } = await make({
    port: 80,
    servicePort: 8000,
    ports: { admin: 9090 },
    routed: true,
  });
  assert.deepEqual(container["ports"], [
    { name: "http", containerPort: 80 },
    { name: "admin", containerPort: 9090 },
  ]);
  const portsOf = (name: string) =>
    (recording.one("kubernetes:core/v1:Service", name).inputs["spec"] as { ports: unknown }).ports;
  const admin = { name: "admin", port: 9090, targetPort: "admin" };
  assert.deepEqual(portsOf("shop-service"), [{ name: "http", port: 8000, targetPort: "http" }, admin]);
  assert.deepEqual(portsOf("shop-pods"), [{ name: "http", port: 80, targetPort: "http" }, admin]);
  assert.deepEqual(pod.securityContext["sysctls"], [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }]);
  assert.equal((await make({})).pod.securityContext["sysctls"], undefined);
});

test("each health check: what asks, how often, and what restarts", () => {
  const shown = (health: Health | undefined, port: number | undefined = 8080) => {
    const { startupProbe, readinessProbe, livenessProbe } = probes(port, health);
    return JSON.parse(JSON.stringify({ startupProbe, readinessProbe, livenessProbe })) as Record<string, unknown>;
  };
  const tcp = { tcpSocket: { port: "http" } };
  const restart = { ...tcp, periodSeconds: 10, failureThreshold: 6 };
  const seldom = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 };
  assert.deepEqual(shown(undefined), {});
  assert.deepEqual(shown({ kind: "tcp", port: 8080, startSeconds: 90 }), {
    startupProbe: { ...tcp, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 90 },
    readinessProbe: { ...tcp, ...seldom },
    livenessProbe: restart,
  });
  const exec = { exec: { command: ["pg_isready"] } };
  assert.deepEqual(shown({ kind: "exec", command: ["pg_isready"], startSeconds: 60 }), {
    startupProbe: { ...exec, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 60 },
    readinessProbe: { ...exec, ...seldom },
  });
  const worker = { ...probes(undefined, { kind: "exec", command: ["pg_isready"], startSeconds: 60 }) };
  assert.deepEqual(worker.livenessProbe, { ...exec, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 });
  const { readinessProbe } = probes(8080, {
    ...{ kind: "http", path: "/up?a=b", port: 9090, startSeconds: 60 },
    ...{ host: "shop.example.com", headers: { "X-Health": "1" } },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(readinessProbe)), {
    httpGet: {
      path: "/up?a=b",
      port: 9090,
      httpHeaders: [
        { name: "X-Health", value: "1" },
        { name: "Host", value: "shop.example.com" },
      ],
    },
    ...{ periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 5 },
  });
  assert.deepEqual(shown({ kind: "grpc", port: 1, service: "a.B", startSeconds: 60 })["startupProbe"], {
    grpc: { port: 1, service: "a.B" },
    ...{ periodSeconds: 1, failureThreshold: 60 },
  });
});

test("a start of more than five minutes gets a longer progress deadline", async () => {
  const slow = (startSeconds: number): Health => ({ kind: "tcp", port: 8080, startSeconds });
  assert.equal((await make({ health: slow(300) })).spec.progressDeadlineSeconds, undefined);
  assert.equal((await make({ health: slow(900) })).spec.progressDeadlineSeconds, 1200);
});

test("folders to write to are bounded, and their disk is requested", async () => {
  const scratch = { "/srv": { size: "1Gi", memory: false }, "/m": { size: "16Mi", memory: true } };
  const { pod, container } = await make({ scratch: { ...scratch, "/tmp": { size: "512Mi", memory: false } } });
  assert.deepEqual(pod.volumes, [
    { name: "scratch-0", emptyDir: { sizeLimit: "16Mi", medium: "Memory" } },
    { name: "scratch-1", emptyDir: { sizeLimit: "1Gi" } },
    { name: "tmp", emptyDir: { sizeLimit: "512Mi" } },
  ]);
  const { requests, limits } = container["resources"] as Record<"requests" | "limits", Record<string, string>>;
  assert.deepEqual([requests["ephemeral-storage"], limits["ephemeral-storage"]], ["1600Mi", "2048Mi"]);
  const autopilot = (await make({ scratch, autopilot: true })).container["resources"];
  const disk = { "ephemeral-storage": "1792Mi" };
  assert.deepEqual(autopilot, {
    requests: { cpu: "100m", memory: "128Mi", ...disk },
    limits: { memory: "128Mi", ...disk },
  });
});

test("files are mounted one by one, after the folder around them; a changed content is another object", async () => {
  const files = {
    plain: { "/srv/a b.txt": { text: "a" }, "/etc/data": { base64: "AAE=" } },
    secret: { "/keys/jwt.pem": pulumi.secret("canary-file") },
  };
  const scratch = { "/srv": { size: "1Mi", memory: false } };
  const { recording, container } = await make({ files, scratch });
  const configMap = recording.one("kubernetes:core/v1:ConfigMap");
  const { name } = configMap.inputs["metadata"] as { name: string };
  assert.match(name, /^shop-files-[0-9a-f]{10}$/);
  assert.deepEqual(
    [configMap.inputs["data"], configMap.inputs["binaryData"]],
    [{ "1-a_b.txt": "a" }, { "0-data": "AAE=" }],
  );
  assert.deepEqual(container["volumeMounts"], [
    { name: "files", mountPath: "/etc/data", subPath: "0-data", readOnly: true },
    { name: "secret-files", mountPath: "/keys/jwt.pem", subPath: "0-jwt.pem", readOnly: true },
    { name: "scratch-0", mountPath: "/srv" },
    { name: "files", mountPath: "/srv/a b.txt", subPath: "1-a_b.txt", readOnly: true },
    { name: "tmp", mountPath: "/tmp" },
  ]);
  const secret = recording.one("kubernetes:core/v1:Secret");
  assert.deepEqual(secret.secrets, ["stringData"]);
  const others = recording.resources.filter(({ urn }) => urn !== secret.urn);
  assert.doesNotMatch(JSON.stringify(others), /canary-file/);
  const nameWith = async (plain: typeof files.plain | Record<string, { text: string }>) =>
    (await make({ files: { plain, secret: {} } })).recording.one("kubernetes:core/v1:ConfigMap").inputs["metadata"];
  const moved = await nameWith({ "/srv/a b.txt": { text: "a" }, "/etc/data": { text: "AAE=" } });
  assert.notDeepEqual(moved, configMap.inputs["metadata"]);
});

test("commands and arguments keep their text; only variables are expanded", async () => {
  const { container } = await make({
    command: ["sh", "-c"],
    args: ["$(PORT) $(date) $$ $(KEY)"],
    env: [{ name: "PORT", value: "8080" }],
    secretEnv: { KEY: "x" },
  });
  assert.deepEqual(container["command"], ["sh", "-c"]);
  assert.deepEqual(container["args"], ["$(PORT) $$(date) $$$ $(KEY)"]);
});

test("the text of a variable is literal, but for the names that it may expand", () => {
  for (const [text, written] of [
    ["a$b", "a$b"],
    ["$(A)", "$$(A)"],
    ["$(B)", "$(B)"],
    ["$$(B)", "$$$(B)"],
    ["$(x $(B))", "$$(x $(B))"],
    ["5$", "5$"],
  ] as const)
    assert.equal(literal(text, ["B"]), written, text);
});

test("user, rollout, labels, annotations, nodes and metrics", async () => {
  const { recording, spec, pod, container } = await make({
    user: 999,
    rollout: "recreate",
    labels: { team: "checkout" },
    annotations: { "example.com/team": "checkout" },
    nodes: { labels: { a: "b" }, tolerations: [{ key: "c", operator: "Equal", value: "d", effect: "NoSchedule" }] },
    metrics: { port: 9100, path: "/m", scrape: "google", labels: {} },
  });
  const { runAsUser, runAsGroup, fsGroup } = pod.securityContext;
  assert.deepEqual([runAsUser, runAsGroup, fsGroup], [999, 999, 999]);
  assert.deepEqual(spec.strategy, { type: "Recreate" });
  const { labels, annotations } = spec.template.metadata as Record<string, Record<string, string>>;
  assert.equal(labels?.["team"], "checkout");
  assert.equal(labels["app.kubernetes.io/name"], "shop");
  assert.deepEqual(annotations, { "example.com/team": "checkout" });
  assert.deepEqual(
    [pod.nodeSelector, pod.tolerations],
    [{ a: "b" }, [{ key: "c", operator: "Equal", value: "d", effect: "NoSchedule" }]],
  );
  assert.deepEqual(container["ports"], [
    { name: "http", containerPort: 8080 },
    { name: "metrics", containerPort: 9100 },
  ]);
  const { inputs } = recording.one("kubernetes:monitoring.googleapis.com/v1:PodMonitoring");
  assert.deepEqual((inputs["spec"] as { endpoints: unknown }).endpoints, [
    { port: "metrics", path: "/m", interval: "30s" },
  ]);
});

test("a GPU is a limit, beside those of memory and disk", async () => {
  const nodes = { labels: {}, tolerations: [], devices: { "nvidia.com/gpu": "2" } };
  const { container } = await make({ nodes });
  const { limits } = container["resources"] as { limits: unknown };
  assert.deepEqual(limits, { memory: "128Mi", "ephemeral-storage": "768Mi", "nvidia.com/gpu": "2" });
});

test("an autoscaler counts the program's own container, and is deleted before the number of pods changes", async () => {
  const { recording, spec } = await make({ replicas: { min: 2, max: 10, cpu: 70, memory: 80 } });
  const annotations = { "gke-microservices/autoscaled": "true" };
  const budget = recording.one("kubernetes:policy/v1:PodDisruptionBudget");
  const deployment = recording.one("kubernetes:apps/v1:Deployment");
  for (const { inputs } of [budget, deployment])
    assert.deepEqual((inputs["metadata"] as { annotations: unknown }).annotations, annotations);
  assert.equal((spec as unknown as { replicas: number }).replicas, 2);
  const metric = (name: string, averageUtilization: number) => ({
    type: "ContainerResource",
    containerResource: { name, container: "shop", target: { type: "Utilization", averageUtilization } },
  });
  const autoscaler = recording.one("kubernetes:autoscaling/v2:HorizontalPodAutoscaler");
  assert.deepEqual(autoscaler.inputs["spec"], {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "shop" },
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [metric("cpu", 70), metric("memory", 80)],
  });
  assert.deepEqual(autoscaler.inputs["metadata"], {
    name: "shop",
    namespace: "apps",
    labels: { "app.kubernetes.io/name": "shop", "app.kubernetes.io/part-of": "gke-microservices" },
  });
  // Its name is the budget's, so that a replaced budget takes it along.
  assert.ok(autoscaler.dependencies.includes(budget.urn));
  assert.ok(autoscaler.dependencies.includes(deployment.urn));
  assert.ok(deployment.dependencies.includes(budget.urn));

  const fixed = (await make({ replicas: 2 })).recording;
  assert.deepEqual(fixed.all("kubernetes:autoscaling/v2:HorizontalPodAutoscaler"), []);
  for (const type of ["kubernetes:policy/v1:PodDisruptionBudget", "kubernetes:apps/v1:Deployment"])
    assert.equal((fixed.one(type).inputs["metadata"] as { annotations?: object }).annotations, undefined);
});
