/** Why a service has no ready pods: each finding from the reports of kubelet, scheduler and controllers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints, pods, service as serviceHop } from "../../../tools/doctor/diagnose/behindProxy.ts";
import type {
  Condition,
  ContainerStatus,
  Deployment,
  Node,
  Objects,
  Pod,
} from "../../../tools/doctor/gather/objects.ts";
import { deployment, now, objects, pod, service, subject, warning } from "./examples.ts";
import { assertFixable, is, isConfigKey } from "./fixes.ts";

const staging = subject("staging");
const hoge = staging.services["hoge"] ?? assert.fail("the example has no hoge");
const workload = {
  name: "hoge",
  key: "services.hoge",
  port: 8080,
  health: { kind: "http", path: "/readyz", port: 8080, startSeconds: 60 },
} as const;
const withPods = (...own: Pod[]) =>
  objects(staging, { pods: [...objects(staging).pods.filter(({ metadata }) => metadata.name !== "hoge-0"), ...own] });
function examined(seen: Objects) {
  const finding = pods(seen, workload, staging, now);
  assertFixable(finding);
  return finding;
}
const waiting = (reason: string, message = "", more: Partial<ContainerStatus> = {}) =>
  withPods(pod("hoge", { ready: false, state: { waiting: { reason, message } }, ...more }));

for (const reason of ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"])
  test(`${reason}: the finding names the image and its key in the config`, () => {
    const { state, seen, means, fix } = examined(waiting(reason, "not found"));
    assert.deepEqual([state, seen], ["failed", `0 of 1 ready; ${reason}: not found`]);
    assert.match(means ?? "", /cannot pull the image example\.com\/hoge:1:/);
    assert.equal(fix, "Fix services.hoge.image in Pulumi.staging.yaml, then: npx pulumi up --refresh --stack staging");
  });

test("a container that cannot be created is not a crash", () => {
  const { means, fix } = examined(waiting("CreateContainerConfigError", 'secret "hoge-env-1" not found'));
  assert.match(means ?? "", /Secret or ConfigMap that it uses does not exist/);
  assert.match(fix ?? "", /^npx pulumi up --refresh --stack staging {3}# restores/);
});

const crashed = { terminated: { reason: "Error", exitCode: 3 } };
test("a crash loop: the exit status, and the log of the last attempt", () => {
  const { seen, means, fix } = examined(
    waiting("CrashLoopBackOff", "back-off", { restartCount: 4, lastState: crashed }),
  );
  assert.equal(seen, "0 of 1 ready; CrashLoopBackOff: status 3 (Error), 4 restarts");
  assert.match(means ?? "", /exits soon after its start/);
  assert.match(
    fix ?? "",
    /^kubectl --context here -n apps logs hoge-0 -c hoge --previous {3}# then: Fix services\.hoge\.image/,
  );
});

test("a built image is not a key of the config: its folder is named, or it is restored", () => {
  const built = { ...workload, folder: "./services/hoge" };
  const crashing = pods(waiting("CrashLoopBackOff", "", { lastState: crashed }), built, staging, now);
  assert.match(crashing.fix ?? "", /# then: Fix the program in \.\/services\/hoge or services\.hoge\.env in Pulumi\./);
  const missing = pods(waiting("ErrImagePull", "not found"), built, staging, now);
  assert.equal(missing.fix, `${staging.apply}   # restores the image that is built`);
  const message = "no such file or directory";
  const commandless = pods(waiting("CreateContainerError", message), built, staging, now);
  assert.match(commandless.fix ?? "", /^Fix the program in \.\/services\/hoge in Pulumi\./);
});

test("a crash between two attempts", () => {
  const seen = withPods(pod("hoge", { ready: false, restartCount: 1, state: { running: {} }, lastState: crashed }));
  assert.match(examined(seen).seen, /ended: status 3 \(Error\), 1 restarts/);
});

test("a crash long ago is not why a pod is not ready now", () => {
  const running = { running: { startedAt: "2026-06-01T11:30:00Z" } };
  const seen = withPods(pod("hoge", { ready: false, restartCount: 1, state: running, lastState: crashed }));
  assert.match(examined(seen).seen, /running, but not ready/);
});

test("exceeded memory takes precedence over the crash that it looks like", () => {
  const killed = { terminated: { reason: "OOMKilled", exitCode: 137 } };
  const { seen, fix } = examined(waiting("CrashLoopBackOff", "", { restartCount: 2, lastState: killed }));
  assert.match(seen, /OOMKilled, 2 restarts/);
  assert.match(fix ?? "", /^Raise services\.hoge\.resources\.memory in/);
});

function unscheduled(message: string) {
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
  return examined(withPods(pod("hoge", { ready: false }, { phase: "Pending", conditions, containerStatuses: [] })));
}

test("a pod that fits on no node", () => {
  const message = "0/1 nodes are available: 1 Insufficient cpu.";
  const { seen, means, fix } = unscheduled(message);
  assert.equal(seen, `0 of 1 ready; Pending: ${message}`);
  assert.match(means ?? "", /No node has enough free resources/);
  assert.match(fix ?? "", /^Lower services\.hoge\.resources in/);
});

for (const [reason, means] of [
  ["FailedMount", /cannot mount a volume/],
  ["FailedCreatePodSandBox", /cannot give the pod a network/],
  ["SomethingNew", /cannot create the pod's containers/],
] as const)
  test(`a container that its node cannot create: ${reason}`, () => {
    const seen = {
      ...waiting("ContainerCreating"),
      events: [warning("Pod", "hoge-0", reason, "it fails\n again"), warning("Pod", "hoge-0", "Unhealthy", "earlier")],
    };
    const finding = examined(seen);
    assert.deepEqual(
      [finding.state, finding.seen],
      ["failed", `0 of 1 ready; ContainerCreating: ${reason}: it fails again`],
    );
    assert.match(finding.means ?? "", means);
    assert.match(finding.fix ?? "", /describe pod hoge-0/);
  });

for (const [reason, message, seen, fix] of [
  ["Failed", 'Failed to pull image "example.com/hoge:1": not found', /ErrImagePull: Failed to pull/, /hoge\.image in/],
  ["Failed", "Error: ErrImagePull", /; ErrImagePull: /, /hoge\.image in/],
  ["Failed", "Error: ImagePullBackOff", /; ImagePullBackOff: /, /hoge\.image in/],
  ["ErrImageNeverPull", "Container image is not present", /; ErrImageNeverPull: /, /hoge\.image in/],
  ["InspectFailed", 'Failed to apply default image tag "A:1"', /; InvalidImageName: /, /hoge\.image in/],
  ["Failed", 'Error: secret "hoge-env-1" not found', /CreateContainerError: Error: secret/, /^npx pulumi up/],
] as const)
  test(`kubelet's event is newer than the pod's status: ${reason}: ${message}`, () => {
    const event = warning("Pod", "hoge-0", reason, message);
    const of = (container: string) => [
      { ...event, involvedObject: { ...event.involvedObject, fieldPath: `spec.containers{${container}}` } },
    ];
    const unreported = pod("hoge", { ready: false }, { phase: "Pending", containerStatuses: [] });
    for (const status of [waiting("ContainerCreating"), withPods(unreported)]) {
      const finding = examined({ ...status, events: of("hoge") });
      assert.match(finding.seen, seen);
      assert.match(finding.fix ?? "", fix);
      // What another container of the pod waits for is not this one's trouble.
      assert.doesNotMatch(examined({ ...status, events: of("other") }).seen, /; (ErrImage|Image|Invalid|CreateCont)/);
    }
    const running = withPods(pod("hoge", { ready: false, state: { running: {} } }));
    assert.match(examined({ ...running, events: of("hoge") }).seen, /running, but not ready/);
  });

test("a pod that the node has evicted", () => {
  const evicted = pod(
    "hoge",
    { ready: false },
    { phase: "Failed", reason: "Evicted", message: "low on disk", containerStatuses: [] },
  );
  const { seen, means } = examined(withPods(evicted));
  assert.match(seen, /Evicted: low on disk/);
  assert.match(means ?? "", /node evicted the pod/);
});

for (const [message, means, fix] of [
  ["exceeded quota: none, requested: pods=1", /quota of the namespace is exhausted/, /describe resourcequotas/],
  ['violates PodSecurity "restricted:latest": runAsNonRoot', /Pod Security Standard/, /^npx pulumi up/],
  ['error looking up service account apps/hoge: serviceaccount "hoge" not found', /ServiceAccount/, /^npx pulumi up/],
  ["maximum memory usage per Container is 64Mi, but limit is 128Mi", /LimitRange/, /describe limitranges/],
  ['admission webhook "policy.example.com" denied the request: no', /admission webhook/, /webhookconfigurations/],
  ["something new", /rejects the pods/, /describe replicasets -l app\.kubernetes\.io\/name=hoge/],
] as const)
  test(`the API server rejects pods: ${message}`, () => {
    const conditions = [{ type: "ReplicaFailure", status: "True", message: `pods "hoge-1" is forbidden: ${message}` }];
    const replicaSets = [
      { metadata: { name: "hoge-1", labels: pod("hoge").metadata.labels ?? {} }, status: { conditions } },
    ];
    const finding = examined({ ...withPods(), replicaSets });
    is(finding, "failed", /^0 of 1 ready; pods are rejected: pods "hoge-1"/, means, fix);
  });

const node = (name: string, more: Omit<Node, "metadata"> = {}): Node => ({ metadata: { name }, ...more });
const full = { status: { conditions: [{ type: "DiskPressure", status: "True" }] } };
const notReady = {
  status: {
    conditions: [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown", message: "stopped posting" }],
  },
};

for (const [message, means, fix, nodes] of [
  [
    "1 node(s) were unschedulable",
    /cordoned it/,
    /uncordon a /,
    [node("a", { spec: { unschedulable: true } }), node("b")],
  ],
  [
    "1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }",
    /disk is nearly full/,
    /describe node a/,
    [node("a", full), node("b")],
  ],
  [
    "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
    /is not ready/,
    /describe node a/,
    [node("a", notReady)],
  ],
  [
    "2 node(s) had untolerated taint {team: other}, 1 Insufficient cpu",
    /a taint that the pod does not tolerate/,
    /describe node b /,
    [node("a"), node("b", { spec: { taints: [{ key: "team", effect: "NoSchedule" }] } })],
  ],
  ["1 node(s) didn't match Pod's node affinity/selector", /requires labels/, /^npx pulumi up/, []],
  ["1 node(s) didn't have free ports for the requested pod ports", /port of the node/, /^npx pulumi up/, []],
  ["1 node(s) didn't match pod topology spread constraints", /only where certain other pods/, /^npx pulumi up/, []],
  [
    "1 node(s) were unschedulable, 2 Insufficient memory",
    /enough free resources/,
    /^Lower services\.hoge\.resources/,
    [],
  ],
  ["1 Too many pods", /enough free resources/, /^Lower/, []],
  ['persistentvolumeclaim "data" not found', /disk/, /describe persistentvolumeclaims/, []],
  ["something new", /finds no node/, /describe pod hoge-0/, []],
] as const)
  test(`no node takes the pod: ${message}`, () => {
    const text = `0/3 nodes are available: ${message}. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Insufficient cpu.`;
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: text }];
    const pending = pod("hoge", { ready: false }, { phase: "Pending", conditions, containerStatuses: [] });
    is(examined({ ...withPods(pending), nodes }), "failed", /^0 of 1 ready; Pending: 0\/3/, means, fix);
  });

test("a node that does not report comes before what its containers said last", () => {
  const last = pod(
    "hoge",
    { ready: true, state: { running: {} } },
    { conditions: [{ type: "Ready", status: "False" }] },
  );
  const placed = { ...last, spec: { ...last.spec, nodeName: "a" } };
  const finding = examined({ ...withPods(placed), nodes: [node("a", notReady)] });
  is(finding, "failed", /its node a is not ready: NodeStatusUnknown stopped posting/, /has failed/, /describe node a$/);
  assert.doesNotMatch(examined({ ...withPods(placed), nodes: [node("b", notReady)] }).seen, /node/);
  const ready = pod("hoge");
  const serving = examined({
    ...withPods({ ...ready, spec: { ...ready.spec, nodeName: "a" } }),
    nodes: [node("a", notReady)],
  });
  is(serving, "warning", /1 of 1 ready; its node a is not ready/, /other nodes after 5 minutes/, /describe node a$/);
});

const killing = (probe: string) => ({
  ...warning("Pod", "hoge-0", "Killing", `Container hoge failed ${probe} probe, will be restarted`),
  type: "Normal",
});
test("a container that kubelet restarts for its startup probe is not a program that ended by itself", () => {
  const seen = waiting("CrashLoopBackOff", "back-off", {
    restartCount: 3,
    lastState: { terminated: { reason: "Error", exitCode: 143 } },
  });
  const refused = "Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused";
  const finding = examined({ ...seen, events: [warning("Pod", "hoge-0", "Unhealthy", refused), killing("startup")] });
  is(
    finding,
    "failed",
    /restarted 3 times, because its startup probe failed: Startup/,
    /did not pass its health check/,
  );
  assert.match(finding.means ?? "", /has not started to listen yet/);
  assert.match(finding.fix ?? "", /services\.hoge\.port/);
});

test("a container that kubelet restarts for its liveness probe is stuck", () => {
  const running = { running: { startedAt: now.toISOString() } };
  const seen = withPods(pod("hoge", { ready: false, restartCount: 2, state: running, lastState: crashed }));
  const finding = examined({ ...seen, events: [killing("liveness")] });
  is(
    finding,
    "failed",
    /restarted 2 times, because its liveness probe failed/,
    /stuck/,
    /logs hoge-0 -c hoge --previous/,
  );
});

test("a program that ends without an error", () => {
  const lastState = { terminated: { reason: "Completed", exitCode: 0 } };
  is(
    examined(waiting("CrashLoopBackOff", "", { lastState })),
    "failed",
    /status 0/,
    /ends by itself, without an error/,
  );
});

for (const [message, means, fix] of [
  ['configmap "settings" not found', /Secret or ConfigMap/, /^npx pulumi up/],
  ["couldn't find key A in Secret apps/hoge", /lacks a key/, /^npx pulumi up/],
  ["container has runAsNonRoot and image will run as root", /runs as root/, /services\.hoge\.image/],
  [
    'exec: "/nowhere": stat /nowhere: no such file or directory',
    /command is not in the image/,
    /services\.hoge\.image/,
  ],
  ["something new", /cannot be created\.$/, /services\.hoge in/],
] as const)
  test(`a container that the runtime cannot create: ${message}`, () => {
    for (const seen of [
      waiting("CreateContainerConfigError", message),
      // Between two attempts, only the last state says that it never ran.
      waiting("CrashLoopBackOff", "back-off", {
        restartCount: 2,
        lastState: { terminated: { reason: "StartError", exitCode: 128, message } },
      }),
    ])
      is(examined(seen), "failed", /(Error|StartError): \S/, means, fix);
  });

for (const [message, means] of [
  ["no match for platform in manifest: not found", /processors of the node/],
  ["failed to authorize: 403 Forbidden", /does not let the cluster read it/],
  ["dial tcp: lookup registry.example.com: no such host", /does not reach the registry/],
  ["tls: failed to verify certificate: x509: unknown authority", /does not trust the registry/],
  ["toomanyrequests: You have reached your pull rate limit: 429 Too Many Requests", /limits how often/],
  ["not found", /name or tag does not exist/],
] as const)
  test(`an image that cannot be pulled: ${message}`, () => {
    is(examined(waiting("ErrImagePull", message)), "failed", /ErrImagePull/, means, /services\.hoge\.image/);
  });

test("a volume whose Secret is missing", () => {
  const message = 'MountVolume.SetUp failed for volume "tls" : secret "gone" not found';
  const seen = { ...waiting("ContainerCreating"), events: [warning("Pod", "hoge-0", "FailedMount", message)] };
  is(examined(seen), "failed", /FailedMount/, /cannot mount a volume/, /^npx pulumi up .* {3}# restores/);
});

const spec = deployment("hoge").spec;
const other = pod("hoge", { ready: false, state: { waiting: { reason: "ImagePullBackOff" } } });
test("a release that Kubernetes has given up fails, although the one before it serves", () => {
  const conditions = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
  const stuck = { ...deployment("hoge"), status: { conditions } };
  const finding = examined({ ...withPods(pod("hoge"), other), deployments: [stuck] });
  is(finding, "failed", /^1 of 1 ready; ImagePullBackOff/, /The release before it serves/, /services\.hoge\.image/);
  assert.equal(finding.passing, false);
});

test("what somebody changed in the cluster, and still serves, is a warning", () => {
  const all = withPods(pod("hoge"));
  const of = (changes: Partial<Deployment["spec"]>) => ({
    ...all,
    deployments: [{ ...deployment("hoge"), spec: { ...spec, ...changes } }],
  });
  is(examined(of({ paused: true })), "warning", /is paused/, /Somebody paused it/, /rollout resume deployment\/hoge/);
  const containers = spec.template.spec.containers.map((one) => ({
    ...one,
    envFrom: [{ secretRef: { name: "env" } }],
  }));
  const secret = of({ template: { spec: { containers } } });
  assert.equal(examined(secret).state, "ok");
  const gone = examined({ ...secret, missingSecrets: ["env", "other"] });
  is(gone, "warning", /there is no Secret env$/, /new ones will not start/, /^npx pulumi up/);
  const three = { ...staging, services: { ...staging.services, hoge: { ...hoge, replicas: 3 } } };
  is(pods(of({ replicas: 2 }), workload, three, now), "warning", /config has 3/, /scaled it down/, /--replicas=3$/);
  assert.equal(pods(of({ replicas: 4 }), workload, three, now).state, "ok");
  const imaged = { ...staging, services: { ...staging.services, hoge: { ...hoge, image: "example.com/hoge:2" } } };
  is(
    pods(all, workload, imaged, now),
    "warning",
    /the image is example\.com\/hoge:1/,
    /was not applied, or/,
    /pulumi up/,
  );
  const same = { ...staging, services: { ...staging.services, hoge: { ...hoge, image: "example.com/hoge:1" } } };
  assert.equal(pods(all, workload, same, now).state, "ok");
});

test("a probe that differs from the config's was changed in the cluster", () => {
  const changed = pod("hoge", { ready: false, state: { running: {} } });
  for (const [httpGet, message] of [
    [{ path: "/nowhere", port: "http" }, "HTTP probe failed with statuscode: 404"],
    [{ path: "/readyz", port: 9 }, "connect: connection refused"],
  ] as const) {
    const containers = changed.spec.containers.map((one) => ({ ...one, readinessProbe: { httpGet } }));
    const seen = {
      ...withPods({ ...changed, spec: { containers } }),
      events: [warning("Pod", "hoge-0", "Unhealthy", message)],
    };
    is(examined(seen), "failed", /not ready/, undefined, /^npx pulumi up .* {3}# restores the probe/);
  }
});

const unready = (message: string) => ({
  ...withPods(pod("hoge", { ready: false, state: { running: {} } })),
  events: [warning("Pod", "hoge-0", "Unhealthy", message)],
});
for (const [message, means, fix] of [
  [
    "Readiness probe failed: HTTP probe failed with statuscode: 404",
    /the path does not exist/,
    /services\.hoge\.health/,
  ],
  ["Readiness probe failed: HTTP probe failed with statuscode: 503", /cannot take requests/, /logs hoge-0/],
  [
    "Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused",
    /nothing listens there/,
    /services\.hoge\.port/,
  ],
  ["Readiness probe failed: context deadline exceeded", /gets no answer in time/, /resources\.cpu/],
  ["", /not ready yet/, /describe pod hoge-0/],
] as const)
  test(`not ready: ${message}`, () => {
    const finding = examined(unready(message));
    assert.equal(finding.state, "failed");
    assert.match(finding.means ?? "", means);
    assert.match(finding.fix ?? "", fix);
    assert.equal(finding.passing, false);
  });

const proxyPod = pod("nginx-proxy", { ready: false, state: { running: {} } });
for (const [message, fix] of [
  ["Readiness probe failed: HTTP probe failed with statuscode: 404", /^npx pulumi up --refresh --stack staging/],
  ["Readiness probe failed: dial tcp: connect: connection refused", /^npx pulumi up --refresh --stack staging/],
  ["Readiness probe failed: context deadline exceeded", /Raise proxy\.resources\.cpu/],
] as const)
  test(`the proxy is not ready, and its probe is not in the config: ${message}`, () => {
    const seen = {
      ...objects(staging, { pods: [proxyPod] }),
      events: [warning("Pod", "nginx-proxy-0", "Unhealthy", message)],
    };
    const finding = pods(seen, { name: "nginx-proxy", key: "proxy" }, staging, now);
    assertFixable(finding);
    assert.match(finding.fix ?? "", fix);
  });

test("the proxy's image and memory are in the config", () => {
  for (const status of [
    { state: { waiting: { reason: "ErrImagePull" } } },
    { state: { waiting: { reason: "CreateContainerConfigError" } } },
    { state: {}, lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } } },
    { state: { waiting: { reason: "CrashLoopBackOff" } } },
  ]) {
    const seen = objects(staging, { pods: [pod("nginx-proxy", { ready: false, ...status })] });
    assertFixable(pods(seen, { name: "nginx-proxy", key: "proxy" }, staging, now));
  }
});

test("the tests recognize a key that the config does not have", () => {
  assert.deepEqual(
    ["proxy.health", "services.hoge.health", "services.hoge.nowhere", "edge.armor", "cluster.nodePools"].map(
      isConfigKey,
    ),
    [false, true, false, true, true],
  );
});

test("a pod that was just created may still become ready", () => {
  const young = pod("hoge", { ready: false, state: { running: {} } });
  const created = { ...young, metadata: { ...young.metadata, creationTimestamp: now.toISOString() } };
  assert.equal(examined(withPods(created)).passing, true);
});

test("while one pod is ready, the trouble of another is a warning", () => {
  const other = pod("hoge", { ready: false, state: { waiting: { reason: "ImagePullBackOff" } } });
  const { state, seen, means } = examined(withPods(pod("hoge"), other));
  assert.deepEqual([state, seen], ["warning", "1 of 1 ready; ImagePullBackOff: "]);
  assert.match(means ?? "", /The other pods serve\.$/);
});

test("a terminating pod counts neither as ready nor as trouble", () => {
  const going = pod("hoge", { ready: false });
  const terminating = { ...going, metadata: { ...going.metadata, deletionTimestamp: now.toISOString() } };
  assert.deepEqual(examined(withPods(pod("hoge"), terminating)), { state: "ok", seen: "1 of 1 ready" });
  const { state, passing } = examined(withPods(terminating));
  assert.deepEqual([state, passing], ["failed", true]);
});

test("without access to the cluster, Service, endpoints and pods are unknown", () => {
  for (const finding of [
    serviceHop("no kubectl", "hoge", staging),
    endpoints("no kubectl", workload, staging),
    pods("no kubectl", workload, staging, now),
  ])
    assert.deepEqual(finding, { state: "unknown", seen: "not checked: no kubectl" });
});

test("the Service does not exist", () => {
  const { state, seen, fix } = serviceHop(objects(staging, { services: [] }), "pods-hoge", staging);
  assert.deepEqual([state, seen], ["failed", "there is no Service pods-hoge in the namespace apps"]);
  assert.equal(fix, "npx pulumi up --refresh --stack staging");
});

const endpointsWith = (changes: Partial<Objects>) =>
  endpoints(objects(staging, changes), workload, staging, "pods-hoge");
test("a Service that nginx does not need, but services that call it do", () => {
  const seen = objects(staging, { services: [service("pods-hoge")] });
  const { state, seen: found, fix } = serviceHop(seen, "pods-hoge", staging, "hoge");
  assert.deepEqual([state, found], ["warning", "there is no Service hoge in the namespace apps"]);
  assert.equal(fix, staging.apply);
});

const services = (changed: ReturnType<typeof service>) => ({ services: [changed, service("hoge")] });

test("the Service selects the pods", () => {
  assert.deepEqual(endpointsWith({}), { state: "ok", seen: "1 pod of 1 ready" });
});

test("the Service selects other pods", () => {
  const { state, seen, means } = endpointsWith(services(service("pods-hoge", { "app.kubernetes.io/name": "hogee" })));
  assert.equal(state, "failed");
  assert.equal(
    seen,
    "the Service pods-hoge selects app.kubernetes.io/name=hogee, but the pods have app.kubernetes.io/name=hoge",
  );
  assert.match(means ?? "", /selects no pod of its Deployment/);
});

test("no container has the Service's target port", () => {
  for (const target of ["web", 9090])
    assert.match(
      endpointsWith(services(service("pods-hoge", undefined, target))).seen,
      new RegExp(`target port is ${target}, which no container`),
    );
  assert.equal(endpointsWith(services(service("pods-hoge", undefined, 8080))).state, "ok");
});

test("scaled to 0, or without its Deployment", () => {
  const { seen, fix } = endpointsWith({ deployments: [deployment("hoge", 0)] });
  assert.equal(seen, "the Deployment hoge is scaled to 0");
  assert.equal(fix, "kubectl --context here -n apps scale deployment/hoge --replicas=1");
  assert.equal(endpointsWith({ deployments: [] }).seen, "there is no Deployment hoge");
});

test("autoscalers: missing, another's, blind, unable, and at the most", () => {
  const replicas = { min: 2, max: 4, cpu: 70, memory: undefined };
  const scaled = { ...staging, services: { ...staging.services, hoge: { ...hoge, replicas } } };
  const two = [pod("hoge"), pod("hoge")];
  const of = (conditions: readonly Condition[] | undefined, age = 600): Objects => ({
    ...withPods(...two),
    deployments: [deployment("hoge", 2)],
    autoscalers:
      conditions === undefined
        ? []
        : [
            {
              metadata: { name: "hoge", creationTimestamp: new Date(now.getTime() - age * 1000).toISOString() },
              spec: { scaleTargetRef: { kind: "Deployment", name: "hoge" } },
              status: { conditions },
            },
          ],
  });
  const at = (seen: Objects) => {
    const finding = pods(seen, workload, scaled, now);
    assertFixable(finding);
    return finding;
  };
  const blind = (message: string) => ({
    type: "ScalingActive",
    status: "False",
    reason: "FailedGetResourceMetric",
    message,
  });
  assert.equal(at(of([{ type: "ScalingActive", status: "True" }])).state, "ok");
  is(at(of(undefined)), "warning", /there is no autoscaler$/, /never applied, or somebody deleted/, /^npx pulumi up/);
  is(
    pods(of([]), workload, staging, now),
    "warning",
    /the autoscaler hoge chooses/,
    /The config has 1, and no/,
    /delete horizontalpodautoscaler hoge/,
  );
  const gone = at(
    of([blind("unable to get metrics for resource cpu: the server could not find the requested resource")]),
  );
  is(
    gone,
    "warning",
    /has no metrics \(unable to get/,
    /metrics-server measures/,
    /get apiservice v1beta1\.metrics\.k8s\.io/,
  );
  assert.equal(gone.passing, false);
  assert.equal(at(of([blind("no metrics returned")], 30)).passing, true);
  is(
    at(of([blind("missing request for cpu")])),
    "warning",
    /missing request/,
    /cannot tell how many/,
    /describe horizontal/,
  );
  assert.equal(at(of([{ type: "ScalingActive", status: "False", reason: "ScalingDisabled" }])).state, "ok");
  const unable = { type: "AbleToScale", status: "False", reason: "FailedGetScale", message: "forbidden" };
  is(at(of([unable])), "warning", /cannot scale \(forbidden\)/, /stays as it is/, /describe horizontalpodautoscaler/);
  const most = { type: "ScalingLimited", status: "True", reason: "TooManyReplicas" };
  is(at(of([most])), "warning", /wants more than 4 pods/, /use more than/, /^Raise services\.hoge\.replicas\.max in/);
  assert.equal(at(of([{ ...most, reason: "TooFewReplicas" }])).state, "ok");
});
