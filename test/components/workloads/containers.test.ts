/** Sidecars and init containers in a service's pods. The policy pack accepts them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { sidecarProbes } from "../../../components/workloads/health.ts";
import { Microservice, type MicroserviceArgs } from "../../../components/workloads/microservice.ts";
import { makeProgram } from "../../../components/workloads/program.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled } from "../../../tools/testing/mocks.ts";

const resources = { cpu: "50m", memory: "64Mi" };
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
const sql = { name: "sql", image: "registry.example.com/sql-proxy:2.20.0", env: [], resources };
const wait = { name: "wait", env: [], resources };

interface Pod {
  readonly securityContext: Record<string, unknown>;
  readonly terminationGracePeriodSeconds: number;
  readonly volumes: readonly { readonly name: string; readonly emptyDir?: unknown }[];
  readonly containers: readonly Record<string, unknown>[];
  readonly initContainers?: readonly Record<string, unknown>[];
}
type Spec = Record<string, unknown> & { readonly template: { readonly spec: Pod } };
async function make(change: Partial<MicroserviceArgs>) {
  const recording = await mockPulumi();
  new Microservice("shop", { ...args, ...change }, { provider: new k8s.Provider("cluster") });
  await settled();
  const objects = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
  for (const { type, inputs } of objects) assert.deepEqual(findings(type, inputs), [], type);
  const spec = recording.one("kubernetes:apps/v1:Deployment").inputs["spec"] as Spec;
  return { recording, spec, pod: spec.template.spec, first: spec.template.spec.initContainers?.[0] ?? {} };
}

const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
const requirements = {
  requests: { ...resources, "ephemeral-storage": "64Mi" },
  limits: { memory: "64Mi", "ephemeral-storage": "768Mi" },
};

test("sidecars start first, then the init containers run, and the program has only what it had", async () => {
  const without = await make({});
  assert.ok(!("initContainers" in without.pod));
  const { recording, pod } = await make({
    scratch: { "/app/tmp": { size: "1Gi", memory: false } },
    files: { plain: { "/etc/shop/a.txt": { text: "a" }, "/etc/shop/b.txt": { text: "b" } }, secret: {} },
    sidecars: [
      {
        ...sql,
        args: ["$(NAME)", "$(OTHER)"],
        env: [{ name: "NAME", value: "x" }],
        secretEnv: { TOKEN: pulumi.secret("canary-token") },
        port: 5432,
        health: { kind: "http", path: "/readiness", port: 9090, startSeconds: 30 },
        user: 2000,
      },
    ],
    init: [{ ...wait, command: ["bin/wait"], shares: ["/etc/shop/b.txt", "/app/tmp"] }],
  });
  const secret = recording.one("kubernetes:core/v1:Secret");
  const { name } = secret.inputs["metadata"] as { name: string };
  assert.match(name, /^shop\.sql-env-[0-9a-f]{10}$/);
  assert.deepEqual(pod.initContainers, [
    {
      securityContext: { ...restricted, runAsUser: 2000, runAsGroup: 2000 },
      name: "sql",
      image: sql.image,
      args: ["$(NAME)", "$$(OTHER)"],
      env: [{ name: "NAME", value: "x" }],
      envFrom: [{ secretRef: { name } }],
      resources: requirements,
      volumeMounts: [{ name: "tmp-sql", mountPath: "/tmp" }],
      restartPolicy: "Always",
      ports: [{ containerPort: 5432 }],
      startupProbe: { httpGet: { path: "/readiness", port: 9090 }, periodSeconds: 1, failureThreshold: 30 },
      readinessProbe: {
        ...{ httpGet: { path: "/readiness", port: 9090 } },
        ...{ periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 5 },
      },
      livenessProbe: { tcpSocket: { port: 9090 }, periodSeconds: 10, failureThreshold: 6 },
    },
    {
      securityContext: restricted,
      name: "wait",
      image: args.image,
      command: ["bin/wait"],
      env: [],
      resources: requirements,
      volumeMounts: [
        { name: "scratch-0", mountPath: "/app/tmp" },
        { name: "files", mountPath: "/etc/shop/b.txt", subPath: "1-b.txt", readOnly: true },
        { name: "tmp-wait", mountPath: "/tmp" },
      ],
    },
  ]);
  assert.deepEqual(
    pod.volumes.filter(({ name }) => name.startsWith("tmp")),
    ["tmp", "tmp-sql", "tmp-wait"].map((each) => ({ name: each, emptyDir: { sizeLimit: "256Mi" } })),
  );
  const [program = {}] = pod.containers;
  const [before = {}] = without.pod.containers;
  for (const key of ["env", "ports", "lifecycle", "image"]) assert.deepEqual(program[key], before[key], key);
  assert.ok(!("envFrom" in program), "a sidecar's secrets are its own");
});

test("a sidecar has no preStop: Kubernetes ends it after the program has drained", async () => {
  const { pod, first } = await make({ sidecars: [sql] });
  assert.ok(!("lifecycle" in first));
  assert.deepEqual((pod.containers[0]?.["lifecycle"] as { preStop: unknown }).preStop, { sleep: { seconds: 40 } });
  assert.equal(pod.terminationGracePeriodSeconds, 80);
  for (const key of ["ports", "startupProbe", "readinessProbe", "livenessProbe", "envFrom", "command", "args"])
    assert.ok(!(key in first), key);
});

test("what init containers leave in their /tmp counts for the pod, on Autopilot as a request", async () => {
  const limitOf = (pod: Pod) => (pod.containers[0]?.["resources"] as Record<string, Record<string, string>>)["limits"];
  const { pod } = await make({ init: [wait, { ...wait, name: "more" }], sidecars: [sql] });
  assert.equal(limitOf(pod)?.["ephemeral-storage"], "1280Mi");
  const { first } = await make({ sidecars: [sql], autopilot: true });
  const disk = { "ephemeral-storage": "768Mi" };
  assert.deepEqual(first["resources"], {
    requests: { ...resources, ...disk },
    limits: { memory: "64Mi", ...disk },
  });
});

test("a sidecar's port: below 1024 too, and declared once", async () => {
  const { pod, first } = await make({ sidecars: [{ ...sql, port: 80 }] });
  assert.deepEqual(first["ports"], [{ containerPort: 80 }]);
  assert.deepEqual(pod.securityContext["sysctls"], [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }]);
  const metrics = { port: 9100, path: "/metrics", scrape: "own", labels: {} } as const;
  assert.ok(!("ports" in (await make({ metrics, sidecars: [{ ...sql, port: 9100 }] })).first));
});

test("a command is all that shows whether such a sidecar is stuck", () => {
  const exec = { exec: { command: ["true"] } };
  const { startupProbe, livenessProbe } = sidecarProbes({ kind: "exec", command: ["true"], startSeconds: 5 });
  assert.deepEqual(startupProbe, { ...exec, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 5 });
  assert.deepEqual(livenessProbe, { ...exec, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 });
  assert.deepEqual(sidecarProbes(undefined), {});
});

test("a slow sidecar gets a longer progress deadline, together with the program", async () => {
  const slow = (startSeconds: number) => ({ kind: "tcp", port: 1, startSeconds }) as const;
  const deadline = async (own: number, sidecar: number) =>
    (await make({ health: slow(own), sidecars: [{ ...sql, health: slow(sidecar) }] })).spec["progressDeadlineSeconds"];
  assert.deepEqual([await deadline(200, 100), await deadline(200, 200)], [undefined, 700]);
});

test("a Job's pods have them too, and end although a sidecar would not", async () => {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const program = makeProgram("shop", { ...args, sidecars: [sql], init: [wait] }, { provider });
  const template = program.template({ app: "shop-release", restartPolicy: "Never" });
  new k8s.batch.v1.Job(
    "release",
    { metadata: { namespace: "apps" }, spec: { activeDeadlineSeconds: 60, template } },
    { provider },
  );
  await settled();
  const { type, inputs } = recording.one("kubernetes:batch/v1:Job");
  assert.deepEqual(findings(type, inputs), []);
  const { spec } = (inputs["spec"] as { template: { spec: Pod & { restartPolicy: string } } }).template;
  assert.equal(spec.restartPolicy, "Never");
  assert.deepEqual(
    spec.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy]),
    [
      ["sql", "Always"],
      ["wait", undefined],
    ],
  );
});

test("the Secret of a container has a name that no other service's has", async () => {
  const recording = await mockPulumi();
  const provider = new k8s.Provider("cluster");
  const secretEnv = { A: "a" };
  new Microservice("shop", { ...args, sidecars: [{ ...sql, secretEnv }] }, { provider });
  new Microservice("shop-sql", { ...args, secretEnv }, { provider });
  await settled();
  const names = recording.all("kubernetes:core/v1:Secret").map(({ name }) => name);
  assert.deepEqual(names.sort(), ["shop-sql-env", "shop.sql-env"]);
});
