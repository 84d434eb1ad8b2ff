/** Rollouts that do not complete, with a script instead of kubectl. */
import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../../../tools/cli/problem.ts";
import { isRolledOut, rollouts } from "../../../tools/apply/rollout.ts";
import { folder, installKubectl, program } from "./kubectlScript.ts";

const target = { kubectl: program, context: "test" };
const pace = { pause: 10, patience: 100 };

/** Installs a kubectl that returns these objects and events, and this log of a container's previous run. */
function play(objects: readonly object[], events: readonly object[] = [], log?: string): void {
  const list = (items: readonly object[]) => JSON.stringify({ kind: "List", items });
  writeFileSync(join(folder, "objects.json"), list(objects));
  writeFileSync(join(folder, "events.json"), list(events));
  writeFileSync(join(folder, "log"), log ?? "");
  installKubectl(
    `*"get events"*) cat ${folder}/events.json`,
    `*"logs hoge-new-pod -c hoge -n apps"*--previous) ${log === undefined ? "exit 1" : `cat ${folder}/log`}`,
    `*"logs hoge-new-pod -c sql -n apps"*--previous) echo sql crashed`,
    `*"logs hoge-new-pod -c wait -n apps"*--previous) echo wait crashed`,
    `*"logs hoge-new-pod -c wait -n apps"*) echo waiting for cart`,
    `*"logs "*) exit 1`,
    `*) cat ${folder}/objects.json`,
  );
}

const revision = (number: string) => ({ "deployment.kubernetes.io/revision": number });
const deployment = (
  status: object = { observedGeneration: 2, updatedReplicas: 1, availableReplicas: 1, replicas: 2 },
) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "hoge", uid: "d", generation: 2, annotations: revision("2") },
  spec: { replicas: 1 },
  status,
});
const done = { observedGeneration: 2, updatedReplicas: 1, availableReplicas: 1, replicas: 1 };
const replicaSet = (uid: string, number: string, conditions: object[] = []) => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name: `hoge-${uid}`, uid, annotations: revision(number), ownerReferences: [{ uid: "d" }] },
  status: { conditions },
});
const pod = (set: string, state: object, restartCount = 0) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `hoge-${set}-pod`, ownerReferences: [{ uid: set }] },
  status: { containerStatuses: [{ name: "hoge", ready: false, restartCount, state }] },
});
/** The same pod, made before this rollout. */
const older = <Pod extends { metadata: object }>(pod: Pod) => ({
  ...pod,
  metadata: { ...pod.metadata, creationTimestamp: "2026-01-01T00:00:00Z" },
});
const waiting = (reason: string) => ({ waiting: { reason, message: "kubelet's message" } });
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const warning = (reason: string, message: string) => ({
  involvedObject: { name: "hoge-new-pod" },
  type: "Warning",
  reason,
  message,
});
const unhealthy = (message: string) => warning("Unhealthy", message);
const sets = [replicaSet("old", "1"), replicaSet("new", "2")];

const certain: [string, object[], object[], RegExp][] = [
  [
    "an image that does not exist",
    [pod("new", waiting("ImagePullBackOff"))],
    [],
    /ImagePullBackOff: kubelet's message/,
  ],
  ["a process in a crash loop", [pod("new", waiting("CrashLoopBackOff"), 2)], [], /CrashLoopBackOff.*2 restarts/],
  [
    "a health path that does not exist",
    [pod("new", running)],
    [unhealthy("Startup probe failed: HTTP probe failed with statuscode: 404")],
    /statuscode: 404/,
  ],
];
for (const [what, pods, events, expected] of certain)
  test(`${what} fails at once, with the cause`, async () => {
    play([deployment(), ...sets, ...pods], events);
    await assert.rejects(rollouts(target, "apps", ["hoge"], 20, pace), (error: Error) => {
      assert.match(error.message, /^The rollout of hoge cannot complete; the previous release still serves/);
      assert.match(error.message, expected);
      return true;
    });
  });

test("pods that the API server rejects fail at once", async () => {
  const refused = { type: "ReplicaFailure", status: "True", message: "exceeded quota" };
  play([deployment(), replicaSet("old", "1"), replicaSet("new", "2", [refused])]);
  await assert.rejects(rollouts(target, "apps", ["hoge"], 20, pace), {
    message: /exceeded quota/,
    fix: /^Raise the quota that it names, or fix services\.hoge in /,
  });
});

const patient: [string, object[], object[]][] = [
  ["a pod that starts slowly", [pod("new", running)], [unhealthy("Startup probe failed: connection refused")]],
  ["a pod that is not ready", [pod("new", running)], [unhealthy("HTTP probe failed with statuscode: 503")]],
  ["a pod from before, restarted with its node", [older(pod("new", waiting("CrashLoopBackOff"), 3))], []],
  ["a failing revision that is being replaced", [pod("old", waiting("ImagePullBackOff"))], []],
];
for (const [what, pods, events] of patient)
  test(`${what} is waited for`, async () => {
    play([deployment(), ...sets, ...pods], events);
    const ended = rollouts(target, "apps", ["hoge"], 20, pace);
    await sleep(4 * pace.patience);
    play([deployment(done), ...sets]);
    await ended;
  });

test("a pod from before that goes on restarting fails at once", async () => {
  play([deployment(), ...sets, older(pod("new", waiting("CrashLoopBackOff"), 3))]);
  const ended = rollouts(target, "apps", ["hoge"], 20, pace);
  const failed = assert.rejects(ended, /cannot complete.*\n.*CrashLoopBackOff.*5 restarts/);
  await sleep(2 * pace.patience);
  play([deployment(), ...sets, older(pod("new", waiting("CrashLoopBackOff"), 5))]);
  await failed;
});

test("a Deployment that is deleted meanwhile times out", async () => {
  play([]);
  await assert.rejects(
    rollouts(target, "apps", ["hoge"], 1, pace),
    /of hoge did not complete within 1 s.*\n.*no such Deployment/,
  );
});

test("a short outage of the API server is not a failure, a long one is", async () => {
  play([deployment(done)]);
  const objects = join(folder, "objects.json");
  renameSync(objects, `${objects}.away`);
  const ended = rollouts(target, "apps", ["hoge"], 20, pace);
  await sleep(200);
  renameSync(`${objects}.away`, objects);
  await ended;
  rmSync(objects);
  await assert.rejects(rollouts(target, "apps", ["hoge"], 1, pace), /objects\.json/);
});

test("without a certain cause, the rollout times out with the state of the pods", async () => {
  play([deployment(), ...sets, pod("new", running)], [unhealthy("HTTP probe failed with statuscode: 503")]);
  await assert.rejects(
    rollouts(target, "apps", ["hoge"], 1, pace),
    /^Problem: The rollout of hoge did not complete within 1 s.*\n.*statuscode: 503/,
  );
});

test("a rollout is complete when only new pods exist and they are available", () => {
  assert.ok(isRolledOut(deployment(done)));
  for (const status of [
    {},
    { ...done, observedGeneration: 1 },
    { ...done, updatedReplicas: 0 },
    { ...done, availableReplicas: 0 },
    { ...done, replicas: 2 },
  ])
    assert.ok(!isRolledOut(deployment(status)), JSON.stringify(status));
});

/** The Deployment, its ReplicaSets and a pod of another service. @param available how many of its pods serve */
const another = (name: string, state: object, available: number): object[] => {
  const rename = (each: { metadata: { name: string; uid?: string; ownerReferences?: { uid: string }[] } }) => ({
    ...each,
    metadata: {
      ...each.metadata,
      name: each.metadata.name.replace("hoge", name),
      uid: `${name} ${each.metadata.uid ?? ""}`,
      ownerReferences: each.metadata.ownerReferences?.map(({ uid }) => ({ uid: `${name} ${uid}` })),
    },
  });
  return [
    rename(deployment({ observedGeneration: 2, updatedReplicas: 1, availableReplicas: available, replicas: 2 })),
    ...sets.map(rename),
    rename(pod("new", state)),
  ];
};

test("each rollout that fails has its cause, and what serves meanwhile", async () => {
  const all = [...another("slow", running, 0), ...another("image", waiting("ErrImagePull"), 1)];
  play(all, [unhealthy("HTTP probe failed with statuscode: 503")]);
  // One is certain, and named alone; the other may still complete.
  await assert.rejects(rollouts(target, "apps", ["slow", "image"], 20, pace), {
    message:
      "The rollout of image cannot complete; the previous release still serves.\n  pod image-new-pod: ErrImagePull: kubelet's message",
    fix: "Fix services.image in the stack's config and run this again.",
  });
  await assert.rejects(rollouts(target, "apps", ["slow", "image"], 0, { ...pace, patience: 5000 }), {
    message: [
      "2 rollouts did not complete within 0 s:",
      "slow: none of its pods serves",
      "  pod slow-new-pod: running, but not ready",
      "image: the previous release still serves",
      "  pod image-new-pod: ErrImagePull: kubelet's message",
    ].join("\n  "),
    fix: "Fix services.slow in the stack's config; fix services.image in the stack's config and run this again.",
  });
  play([...another("crash", waiting("CrashLoopBackOff"), 0), ...another("image", waiting("ErrImagePull"), 0)]);
  await assert.rejects(
    rollouts(target, "apps", ["crash", "image", "more"], 0, { ...pace, patience: 5000 }),
    /^Problem: 3 rollouts .*\n {2}crash: none .*\n.*\n {2}image: none .*\n.*\n {2}more: none .*\n {4}there is no such Deployment$/,
  );
  const many = Array.from({ length: 8 }, (_, index) => `s${index}`);
  play(many.flatMap((name) => another(name, waiting("ErrImagePull"), 0)));
  await assert.rejects(
    rollouts(target, "apps", many, 20, pace),
    /^Problem: 8 rollouts cannot complete:[^]*\n {2}and 3 others$/,
  );
});

/** The message and the fix of a rollout that does not complete within a second. */
async function failing(pods: object[], events: object[] = [], log?: string, builds?: Record<string, string>) {
  play([deployment(), ...sets, ...pods], events, log);
  const failed = await rollouts(target, "apps", ["hoge"], 1, { ...pace, ...(builds && { builds }) }).then(
    () => assert.fail("the rollout succeeded"),
    (error: unknown) => error as Problem,
  );
  assert.ok(failed instanceof Problem, String(failed));
  const [, ...lines] = failed.message.split("\n");
  return { lines, fix: failed.fix };
}
const unstarted = (status: object) => ({ ...pod("new", {}), status });

test("a pod that no node takes: the scheduler's reason, and the resources to lower", async () => {
  const message = "0/1 nodes are available: 1 Insufficient cpu.";
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
  const { lines, fix } = await failing([unstarted({ phase: "Pending", conditions })]);
  assert.deepEqual(lines, [`  pod hoge-new-pod: Pending: ${message}`]);
  assert.equal(
    fix,
    "Lower services.hoge.resources in the stack's config, or give the cluster more room, and run this again.",
  );
});

test("a pod that cordoned nodes do not take: uncordon one, unless there is also no room", async () => {
  for (const [message, expected] of [
    ["2 node(s) were unschedulable", /^Uncordon a node /],
    ["1 Insufficient cpu, 1 node(s) were unschedulable", /^Lower services\.hoge\.resources in /],
  ] as const) {
    const text = `0/2 nodes are available: ${message}.`;
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: text }];
    assert.match((await failing([unstarted({ phase: "Pending", conditions })])).fix, expected);
  }
});

test("a container that its node cannot create: what the node warns of", async () => {
  const created = pod("new", { waiting: { reason: "ContainerCreating" } });
  for (const [reason, message] of [
    ["FailedMount", 'MountVolume.SetUp failed for volume "env" : secret "hoge-env" not found'],
    ["FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=bridge failed"],
  ] as const) {
    const events = [warning("FailedScheduling", "0/1 nodes"), warning(reason, `${message}\n`)];
    assert.deepEqual((await failing([created], events)).lines, [
      `  pod hoge-new-pod: ContainerCreating: ${reason}: ${message}`,
    ]);
  }
  assert.deepEqual((await failing([created])).lines, [
    "  pod hoge-new-pod: ContainerCreating: its node has not created the containers yet",
  ]);
});

test("a crash loop: the last lines of the log without control characters, and the folder of the build", async () => {
  const crashing = [pod("new", waiting("CrashLoopBackOff"), 2)];
  const log = `${Array.from({ length: 3 }, (_, index) => `line ${index}\n`).join("")}\u001b[31mno DATABASE\u0007\r\n\n`;
  const seen = await failing(crashing, [], log, { hoge: "./services/hoge" });
  assert.deepEqual(seen.lines, [
    "  pod hoge-new-pod: CrashLoopBackOff: kubelet's message; 2 restarts",
    "  its last log lines:",
    ...["line 0", "line 1", "line 2", String.raw`\u001b[31mno DATABASE\u0007`].map((line) => `    ${line}`),
  ]);
  assert.equal(
    seen.fix,
    "Fix the program in ./services/hoge, which the image of hoge is built from, or services.hoge in the stack's config, and run this again.",
  );
  const pulled = await failing(crashing, [], "");
  assert.deepEqual(pulled.lines.slice(1), ["  its log is empty"]);
  assert.equal(pulled.fix, "Fix services.hoge in the stack's config and run this again.");
  const gone = await failing(crashing);
  assert.equal(gone.lines.length, 1, "without a log, the error has the rest");
});

const initializing = { name: "hoge", ready: false, restartCount: 0, state: { waiting: { reason: "PodInitializing" } } };
/** A pod with a sidecar and an init container, of which these are the states. */
const podWith = (sql: object, wait: object = {}, program: object = {}) => ({
  ...pod("new", {}),
  spec: {
    containers: [{ name: "hoge", image: "hoge:1" }],
    initContainers: [
      { name: "sql", image: "sql:1", restartPolicy: "Always" },
      { name: "before", image: "hoge:1" },
      { name: "wait", image: "hoge:1" },
    ],
  },
  status: {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "True" }],
    initContainerStatuses: [
      { name: "sql", ready: true, started: true, restartCount: 0, state: running, ...sql },
      { name: "before", ready: true, restartCount: 0, state: { terminated: { exitCode: 0, reason: "Completed" } } },
      { ...initializing, name: "wait", ...wait },
    ],
    containerStatuses: [{ ...initializing, ...program }],
  },
});

test("an init container that the program waits for: named, with what it says, and the key", async () => {
  const seen = await failing([podWith({}, { state: running })], [], undefined, { hoge: "./services/hoge" });
  assert.deepEqual(seen.lines, [
    "  pod hoge-new-pod: the init container wait: running, and the program waits for its end",
    "  the last log lines of the init container wait:",
    "    waiting for cart",
  ]);
  assert.equal(seen.fix, "Fix services.hoge.init[1] in the stack's config, or what it waits for, and run this again.");
});

test("an init container that crashes: its last lines, and the folder of the build that it shares", async () => {
  const lastState = { terminated: { exitCode: 3, reason: "Error" } };
  const crashing = podWith({}, { state: waiting("CrashLoopBackOff"), restartCount: 2, lastState });
  const seen = await failing([crashing], [], undefined, { hoge: "./services/hoge" });
  assert.deepEqual(seen.lines, [
    "  pod hoge-new-pod: the init container wait: CrashLoopBackOff: kubelet's message; last exited with status 3 (Error); 2 restarts",
    "  the last log lines of the init container wait:",
    "    wait crashed",
  ]);
  assert.equal(
    seen.fix,
    "Fix the program in ./services/hoge, which the image of hoge is built from, or services.hoge.init[1] in the stack's config, and run this again.",
  );
  const ended = await failing([podWith({}, { state: lastState, restartCount: 1 })]);
  assert.deepEqual(ended.lines, [
    "  pod hoge-new-pod: the init container wait: ended with status 3 (Error); 1 restarts",
    "  the last log lines of the init container wait:",
    "    waiting for cart",
  ]);
});

test("a sidecar that crashes or cannot be pulled is certain to fail, and named with its key", async () => {
  const builds = { hoge: "./services/hoge" };
  for (const [state, restartCount, reason] of [
    [waiting("CrashLoopBackOff"), 2, /^ {2}pod hoge-new-pod: the sidecar sql: CrashLoopBackOff: .*; 2 restarts$/],
    [waiting("ErrImagePull"), 0, /^ {2}pod hoge-new-pod: the sidecar sql: ErrImagePull: kubelet's message$/],
  ] as const) {
    play([deployment(), ...sets, podWith({ ready: false, started: false, state, restartCount })]);
    await assert.rejects(rollouts(target, "apps", ["hoge"], 20, { ...pace, builds }), (error: Problem) => {
      const [first = "", second = "", ...rest] = error.message.split("\n");
      assert.match(first, /cannot complete/);
      assert.match(second, reason);
      assert.deepEqual(rest, restartCount === 0 ? [] : ["  the last log lines of the sidecar sql:", "    sql crashed"]);
      assert.equal(error.fix, "Fix services.hoge.sidecars.sql in the stack's config and run this again.");
      return true;
    });
  }
});

test("a sidecar that is not ready: what its own probe says", async () => {
  const sidecar = { ready: false, state: running };
  const of = (container: string, message: string) => ({
    ...unhealthy(message),
    involvedObject: { name: "hoge-new-pod", fieldPath: `spec.${container}` },
  });
  const { lines, fix } = await failing(
    [podWith(sidecar, { ready: true, state: lastEnd }, { ready: true, state: running })],
    [of("initContainers{sql}", "Readiness probe failed: 503"), of("containers{hoge}", "Startup probe failed")],
  );
  assert.deepEqual(lines, [
    "  pod hoge-new-pod: the sidecar sql: running, but not ready (Readiness probe failed: 503)",
  ]);
  assert.equal(fix, "Fix services.hoge.sidecars.sql in the stack's config and run this again.");
});
const lastEnd = { terminated: { exitCode: 0, reason: "Completed" } };

test("a volume that is missing is not the fault of the first container", async () => {
  const state = { waiting: { reason: "PodInitializing" } };
  const { lines, fix } = await failing(
    [podWith({ ready: false, started: false, state })],
    [warning("FailedMount", 'secret "hoge.sql-env" not found')],
  );
  assert.deepEqual(lines, ['  pod hoge-new-pod: PodInitializing: FailedMount: secret "hoge.sql-env" not found']);
  assert.equal(fix, "Fix services.hoge in the stack's config and run this again.");
});

test("a crash of the program counts before a sidecar that is not ready", async () => {
  const { lines, fix } = await failing(
    [
      podWith(
        { ready: false },
        { ready: true, state: lastEnd },
        { state: waiting("CrashLoopBackOff"), restartCount: 2 },
      ),
    ],
    [],
    "no DATABASE",
  );
  assert.deepEqual(lines.slice(2), ["  its last log lines:", "    no DATABASE"]);
  assert.equal(fix, "Fix services.hoge in the stack's config and run this again.");
});
