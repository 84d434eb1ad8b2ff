/** Why a service has no ready pods: each finding from the reports of kubelet, scheduler and controllers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints, pods, service as serviceHop } from "../../../tools/doctor/diagnose/behindProxy.ts";
import type { ContainerStatus, Objects, Pod } from "../../../tools/doctor/gather/objects.ts";
import { deployment, now, objects, pod, service, subject, warning } from "./examples.ts";
import { assertFixable, isConfigKey } from "./fixes.ts";

const staging = subject("staging");
const workload = { name: "hoge", key: "services.hoge", healthPath: "/readyz" };
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
  assert.match(fix ?? "", /services\.hoge in Pulumi\.staging\.yaml/);
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

test("a pod that fits on no node", () => {
  const message = "0/1 nodes are available: 1 Insufficient cpu.";
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
  const { seen, means, fix } = examined(
    withPods(pod("hoge", { ready: false }, { phase: "Pending", conditions, containerStatuses: [] })),
  );
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
  ["Failed", 'Error: secret "hoge-env-1" not found', /CreateContainerError: Error: secret/, /services\.hoge in/],
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

test("pods that the API server rejects", () => {
  const conditions = [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }];
  const replicaSets = [
    { metadata: { name: "hoge-1", labels: pod("hoge").metadata.labels ?? {} }, status: { conditions } },
  ];
  const { seen, means } = examined({ ...withPods(), replicaSets });
  assert.match(seen, /pods are rejected: exceeded quota/);
  assert.match(means ?? "", /quota is exhausted, or the pod violates/);
});

const unready = (message: string) => ({
  ...withPods(pod("hoge", { ready: false, state: { running: {} } })),
  events: [warning("Pod", "hoge-0", "Unhealthy", message)],
});
for (const [message, means, fix] of [
  ["Readiness probe failed: HTTP probe failed with statuscode: 404", /the path does not exist/, /healthPath/],
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
    ["proxy.healthPath", "services.hoge.healthPath", "services.hoge.nowhere", "edge.armor", "cluster.nodePools"].map(
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
const services = (changed: ReturnType<typeof service>) => ({ services: [changed] });

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
  assert.equal(fix, "kubectl --context here -n apps scale deployment/hoge --replicas=2");
  assert.equal(endpointsWith({ deployments: [] }).seen, "there is no Deployment hoge");
});
