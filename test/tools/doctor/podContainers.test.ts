/** Sidecars and init containers that keep a pod from being ready: each finding names the container and its key. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pods } from "../../../tools/doctor/diagnose/behindProxy.ts";
import { secretsOf, type ContainerStatus, type Objects, type Pod } from "../../../tools/doctor/gather/objects.ts";
import { deployment, now, objects, pod, subject, warning } from "./examples.ts";
import { assertFixable } from "./fixes.ts";

const staging = subject("staging");
const workload = {
  name: "hoge",
  key: "services.hoge",
  port: 8080,
  health: { kind: "http", path: "/readyz", port: 8080, startSeconds: 60 },
  sidecars: { sql: { kind: "http", path: "/readiness", port: 9090, startSeconds: 30 } },
} as const;

const completed = { terminated: { exitCode: 0, reason: "Completed" } };
const failed = { terminated: { exitCode: 3, reason: "Error" } };
const running = (seconds: number) => ({
  running: { startedAt: new Date(now.getTime() - seconds * 1000).toISOString() },
});
const initializing = { waiting: { reason: "PodInitializing" } };
const status = (name: string, more: Partial<ContainerStatus>): ContainerStatus => ({
  ...{ name, ready: false, restartCount: 0, image: `example.com/${name}:1`, state: initializing },
  ...more,
});

/** A pod with a sidecar, and two init containers of the service's own image. */
function podWith(
  sql: Partial<ContainerStatus>,
  wait: Partial<ContainerStatus> = {},
  program: Partial<ContainerStatus> = {},
): Pod {
  const base = pod("hoge", { ready: false, state: initializing, ...program }, { phase: "Pending" });
  const own = base.spec.containers[0]?.image ?? "";
  const readinessProbe = { httpGet: { path: "/readiness", port: 9090 } };
  return {
    ...base,
    spec: {
      ...base.spec,
      initContainers: [
        {
          name: "sql",
          image: "example.com/sql:1",
          restartPolicy: "Always",
          readinessProbe,
          startupProbe: { ...readinessProbe, periodSeconds: 1, failureThreshold: 30 },
        },
        { name: "before", image: own },
        { name: "wait", image: own, command: ["bin/wait"] },
      ],
    },
    status: {
      ...base.status,
      conditions: [{ type: "PodScheduled", status: "True" }],
      initContainerStatuses: [
        status("sql", { ready: true, started: true, state: running(600), ...sql }),
        status("before", { ready: true, state: completed }),
        status("wait", wait),
      ],
    },
  };
}
function examined(own: Pod, events: Objects["events"] = [], of: object = {}) {
  const all = objects(staging).pods.filter(({ metadata }) => metadata.name !== "hoge-0");
  const finding = pods(objects(staging, { pods: [...all, own], events }), { ...workload, ...of }, staging, now);
  assertFixable(finding);
  return finding;
}
const unhealthy = (container: string, message: string) => {
  const event = warning("Pod", "hoge-0", "Unhealthy", message);
  return { ...event, involvedObject: { ...event.involvedObject, fieldPath: `spec.${container}` } };
};

test("an init container that does not end: for how long, its log, and its key", () => {
  const { state, seen, means, fix } = examined(podWith({}, { state: running(75) }));
  assert.deepEqual([state, seen], ["failed", "0 of 1 ready; the init container wait: running for 75 s"]);
  assert.match(means ?? "", /The program starts when it has ended with 0/);
  assert.equal(
    fix,
    "kubectl --context here -n apps logs hoge-0 -c wait   # then: Fix services.hoge.init[1] in Pulumi.staging.yaml, then: npx pulumi up --refresh --stack staging",
  );
  assert.deepEqual(
    [20, 75].map((seconds) => examined(podWith({}, { state: running(seconds) })).passing),
    [true, false],
  );
});

test("an init container that fails: between two attempts, and while it waits for the next", () => {
  const waiting = { waiting: { reason: "CrashLoopBackOff", message: "back-off" } };
  for (const [wait, seen] of [
    [
      { state: waiting, lastState: failed, restartCount: 4 },
      /^0 of 1 ready; the init container wait: CrashLoop.*3 \(E.*4/,
    ],
    [{ state: failed, restartCount: 1 }, /; the init container wait: ended: status 3 \(Error\), 1 restarts$/],
  ] as const) {
    const finding = examined(podWith({}, wait));
    assert.match(finding.seen, seen);
    assert.match(finding.means ?? "", /It fails, and the program starts only when it has ended with 0/);
    // Its image is the service's own.
    assert.match(
      finding.fix ?? "",
      /logs hoge-0 -c wait --previous {3}# then: Fix services\.hoge\.image or services\.hoge\.init\[1\]\.env in /,
    );
    assert.match(
      examined(podWith({}, wait), [], { folder: "./services/hoge" }).fix ?? "",
      /Fix the program in \.\/services\/hoge or services\.hoge\.init\[1\]\.env in /,
    );
  }
});

test("a sidecar: its image, its memory, its command, its end", () => {
  const of = (more: Partial<ContainerStatus>) => examined(podWith({ ready: false, started: false, ...more }));
  const pulled = of({ state: { waiting: { reason: "ErrImagePull", message: "not found" } } });
  assert.equal(pulled.seen, "0 of 1 ready; the sidecar sql: ErrImagePull: not found");
  assert.match(pulled.means ?? "", /cannot pull the image example\.com\/sql:1:/);
  assert.match(pulled.fix ?? "", /^Fix services\.hoge\.sidecars\.sql\.image in /);
  const killed = { terminated: { reason: "OOMKilled", exitCode: 137 } };
  const memory = of({ state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: killed, restartCount: 2 });
  assert.match(memory.fix ?? "", /^Raise services\.hoge\.sidecars\.sql\.resources\.memory in/);
  const ended = of({ state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: completed, restartCount: 2 });
  assert.match(ended.means ?? "", /ends by itself, without an error\. A sidecar must run/);
  assert.match(
    ended.fix ?? "",
    /# then: Fix services\.hoge\.sidecars\.sql\.image or services\.hoge\.sidecars\.sql\.env/,
  );
  const message = "no such file or directory";
  const missing = examined(podWith({}, { state: { waiting: { reason: "CreateContainerError", message } } }));
  assert.match(missing.fix ?? "", /^Fix services\.hoge\.init\[1\]\.command in /);
});

test("a sidecar that is not ready keeps its pod from being ready, by its own probe", () => {
  const events = [
    unhealthy("initContainers{sql}", "Readiness probe failed: HTTP probe failed with statuscode: 404"),
    unhealthy("containers{hoge}", "Startup probe failed: connection refused"),
  ];
  const own = podWith(
    { ready: false, state: running(600) },
    { ready: true, state: completed },
    { ready: true, state: running(500) },
  );
  const { seen, means, fix } = examined(own, events);
  assert.match(seen, /^0 of 1 ready; the sidecar sql: running, but not ready: Readiness probe failed: .* 404$/);
  assert.match(
    means ?? "",
    /The probe of \/readiness on port 9090 fails, because the path does not exist: the health path/,
  );
  assert.match(fix ?? "", /^Fix services\.hoge\.sidecars\.sql\.health in /);
  const refused = examined(own, [unhealthy("initContainers{sql}", "connection refused")]);
  assert.match(refused.fix ?? "", /^Fix services\.hoge\.sidecars\.sql\.port in .* logs hoge-0 -c sql$/);
  const changed = examined(own, events, { sidecars: { sql: { ...workload.sidecars.sql, path: "/other" } } });
  assert.match(changed.fix ?? "", /# restores the probe$/);
});

test("a sidecar that does not start: what comes after it waits", () => {
  const starting = podWith({ ready: false, started: false, state: running(10) });
  assert.match(
    examined(starting, [unhealthy("initContainers{sql}", "statuscode: 503")]).seen,
    /; the sidecar sql: running/,
  );
  const event = warning("Pod", "hoge-0", "Killing", "Container sql failed startup probe, will be restarted");
  const restarted = podWith({ ready: false, started: false, state: running(10), restartCount: 3 });
  const { seen, means } = examined(restarted, [event, unhealthy("initContainers{sql}", "connection refused")]);
  assert.match(seen, /; the sidecar sql: restarted 3 times, because its startup probe failed: connection refused$/);
  assert.match(means ?? "", /did not pass its health check within 30 s\. The probe of \/readiness/);
});

test("a program may take its time after a sidecar that took its own", () => {
  const slow = { ...workload.sidecars.sql, startSeconds: 3600 };
  const started = podWith({}, { ready: true, state: completed }, { state: running(30) });
  assert.equal(examined(started).passing, false);
  assert.equal(examined(started, [], { sidecars: { sql: slow } }).passing, true);
});

test("kubelet's event about an init container is newer than the pod's status", () => {
  const event = warning("Pod", "hoge-0", "Failed", "Error: ErrImagePull");
  const of = { ...event, involvedObject: { ...event.involvedObject, fieldPath: "spec.initContainers{sql}" } };
  const unreported = podWith({});
  const { seen } = examined({ ...unreported, status: { phase: "Pending" } }, [of]);
  assert.match(seen, /; the sidecar sql: ErrImagePull: /);
});

test("a Secret that only a sidecar has its variables from is one of the Deployment's", () => {
  const { spec } = deployment("hoge");
  const envFrom = [{ secretRef: { name: "hoge.sql-env-1" } }];
  const initContainers = [{ name: "sql", image: "example.com/sql:1", envFrom }];
  const template = { spec: { ...spec.template.spec, initContainers } };
  assert.deepEqual(secretsOf(template), ["hoge.sql-env-1"]);
});

test("the exporter beside nginx has its keys below proxy.metrics", () => {
  const { spec, status: base, ...rest } = pod("nginx-proxy", { ready: false, state: initializing });
  const exporter = { name: "metrics", image: "example.com/exporter:1", restartPolicy: "Always" };
  const waiting = { waiting: { reason: "ErrImagePull", message: "not found" } };
  const own: Pod = {
    ...rest,
    spec: { ...spec, initContainers: [exporter] },
    status: { ...base, initContainerStatuses: [status("metrics", { state: waiting })] },
  };
  const seen = objects(staging, { pods: [own] });
  const finding = pods(seen, { name: "nginx-proxy", key: "proxy" }, staging, now);
  assertFixable(finding);
  assert.match(finding.fix ?? "", /^Fix proxy\.metrics\.image in /);
});
