/** Why a service has no ready pods: each row of what kubelet, scheduler and controllers say. */
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
  test(`${reason}: the image is named, and its key in the config`, () => {
    const { state, seen, means, fix } = examined(waiting(reason, "not found"));
    assert.deepEqual([state, seen], ["failed", `0 of 1 ready; ${reason}: not found`]);
    assert.match(means ?? "", /cannot get the image example\.com\/hoge:1:/);
    assert.equal(fix, "Fix services.hoge.image in Pulumi.staging.yaml, then: npx pulumi up --refresh --stack staging");
  });

test("a container that cannot be made is told from one that ends", () => {
  const { means, fix } = examined(waiting("CreateContainerConfigError", 'secret "hoge-env-1" not found'));
  assert.match(means ?? "", /Secret or ConfigMap that it names is not there/);
  assert.match(fix ?? "", /services\.hoge in Pulumi\.staging\.yaml/);
});

const crashed = { terminated: { reason: "Error", exitCode: 3 } };
test("a crash loop: the status that it ends with, and the log of the last attempt", () => {
  const { seen, means, fix } = examined(
    waiting("CrashLoopBackOff", "back-off", { restartCount: 4, lastState: crashed }),
  );
  assert.equal(seen, "0 of 1 ready; CrashLoopBackOff: status 3 (Error), 4 restarts");
  assert.match(means ?? "", /ends by itself soon after its start/);
  assert.match(
    fix ?? "",
    /^kubectl --context here -n apps logs hoge-0 -c hoge --previous {3}# then: Fix services\.hoge\.image/,
  );
});

test("between two attempts it is a crash as well", () => {
  const seen = withPods(pod("hoge", { ready: false, restartCount: 1, state: { running: {} }, lastState: crashed }));
  assert.match(examined(seen).seen, /ended: status 3 \(Error\), 1 restarts/);
});

test("an end long ago is not why a pod is not ready now", () => {
  const running = { running: { startedAt: "2026-06-01T11:30:00Z" } };
  const seen = withPods(pod("hoge", { ready: false, restartCount: 1, state: running, lastState: crashed }));
  assert.match(examined(seen).seen, /runs, and is not ready/);
});

test("used up memory goes before the crash that it looks like", () => {
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
  assert.match(means ?? "", /No node has room/);
  assert.match(fix ?? "", /^Lower services\.hoge\.resources in/);
});

test("a pod that the node has ended", () => {
  const evicted = pod(
    "hoge",
    { ready: false },
    { phase: "Failed", reason: "Evicted", message: "low on disk", containerStatuses: [] },
  );
  const { seen, means } = examined(withPods(evicted));
  assert.match(seen, /Evicted: low on disk/);
  assert.match(means ?? "", /node ended the pod/);
});

test("pods that are not let in", () => {
  const conditions = [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }];
  const replicaSets = [
    { metadata: { name: "hoge-1", labels: pod("hoge").metadata.labels ?? {} }, status: { conditions } },
  ];
  const { seen, means } = examined({ ...withPods(), replicaSets });
  assert.match(seen, /pods are refused: exceeded quota/);
  assert.match(means ?? "", /quota is used up, or the pod does not keep to/);
});

const unready = (message: string) => ({
  ...withPods(pod("hoge", { ready: false, state: { running: {} } })),
  events: [warning("Pod", "hoge-0", "Unhealthy", message)],
});
for (const [message, means, fix] of [
  ["Readiness probe failed: HTTP probe failed with statuscode: 404", /knows no such path/, /healthPath/],
  ["Readiness probe failed: HTTP probe failed with statuscode: 503", /cannot take requests/, /logs hoge-0/],
  [
    "Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused",
    /nothing listens there/,
    /services\.hoge\.port/,
  ],
  ["Readiness probe failed: context deadline exceeded", /does not answer in time/, /resources\.cpu/],
  ["", /does not count as ready/, /describe pod hoge-0/],
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
  test(`the proxy is not ready, whose health check is no config: ${message}`, () => {
    const seen = {
      ...objects(staging, { pods: [proxyPod] }),
      events: [warning("Pod", "nginx-proxy-0", "Unhealthy", message)],
    };
    const finding = pods(seen, { name: "nginx-proxy", key: "proxy" }, staging, now);
    assertFixable(finding);
    assert.match(finding.fix ?? "", fix);
  });

test("the proxy's image and memory are config", () => {
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

test("a key that the config does not have is seen", () => {
  assert.deepEqual(
    ["proxy.healthPath", "services.hoge.healthPath", "services.hoge.nowhere", "edge.armor", "cluster.nodePools"].map(
      isConfigKey,
    ),
    [false, true, false, true, true],
  );
});

test("a pod that has just been made may become ready by itself", () => {
  const young = pod("hoge", { ready: false, state: { running: {} } });
  const made = { ...young, metadata: { ...young.metadata, creationTimestamp: now.toISOString() } };
  assert.equal(examined(withPods(made)).passing, true);
});

test("one that is ready serves: what is wrong with the other is a warning", () => {
  const other = pod("hoge", { ready: false, state: { waiting: { reason: "ImagePullBackOff" } } });
  const { state, seen, means } = examined(withPods(pod("hoge"), other));
  assert.deepEqual([state, seen], ["warning", "1 of 1 ready; ImagePullBackOff: "]);
  assert.match(means ?? "", /The others serve\.$/);
});

test("a pod that is going away counts neither as ready nor as trouble", () => {
  const going = pod("hoge", { ready: false });
  const leaving = { ...going, metadata: { ...going.metadata, deletionTimestamp: now.toISOString() } };
  assert.deepEqual(examined(withPods(pod("hoge"), leaving)), { state: "ok", seen: "1 of 1 ready" });
  const { state, passing } = examined(withPods(leaving));
  assert.deepEqual([state, passing], ["failed", true]);
});

test("without the cluster nothing is said of Service, endpoints and pods", () => {
  for (const finding of [
    serviceHop("no kubectl", "hoge", staging),
    endpoints("no kubectl", workload, staging),
    pods("no kubectl", workload, staging, now),
  ])
    assert.deepEqual(finding, { state: "unknown", seen: "not looked at: no kubectl" });
});

test("the Service is not there", () => {
  const { state, seen, fix } = serviceHop(objects(staging, { services: [] }), "pods-hoge", staging);
  assert.deepEqual([state, seen], ["failed", "there is no Service pods-hoge in the namespace apps"]);
  assert.equal(fix, "npx pulumi up --refresh --stack staging");
});

const wired = (changes: Partial<Objects>) => endpoints(objects(staging, changes), workload, staging, "pods-hoge");
const services = (changed: ReturnType<typeof service>) => ({ services: [changed] });

test("the Service leads to the pods", () => {
  assert.deepEqual(wired({}), { state: "ok", seen: "1 pod of 1 ready" });
});

test("the Service selects other pods", () => {
  const { state, seen, means } = wired(services(service("pods-hoge", { "app.kubernetes.io/name": "hogee" })));
  assert.equal(state, "failed");
  assert.equal(
    seen,
    "the Service pods-hoge selects app.kubernetes.io/name=hogee, and the pods are app.kubernetes.io/name=hoge",
  );
  assert.match(means ?? "", /selects no pod of its Deployment/);
});

test("the Service's port is none of the container's", () => {
  for (const target of ["web", 9090])
    assert.match(
      wired(services(service("pods-hoge", undefined, target))).seen,
      new RegExp(`leads to ${target}, which no container`),
    );
  assert.equal(wired(services(service("pods-hoge", undefined, 8080))).state, "ok");
});

test("scaled to 0, or without its Deployment", () => {
  const { seen, fix } = wired({ deployments: [deployment("hoge", 0)] });
  assert.equal(seen, "the Deployment hoge is scaled to 0");
  assert.equal(fix, "kubectl --context here -n apps scale deployment/hoge --replicas=2");
  assert.equal(wired({ deployments: [] }).seen, "there is no Deployment hoge");
});
