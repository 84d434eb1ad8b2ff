/** The jobs of releases, as the kubectl engine runs them; a script plays kubectl. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { clearFor, succeeded, usedByJobs } from "../../../tools/apply/jobs.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import type { KubernetesObject } from "../../../tools/stack/evaluate.ts";
import type { LiveObject } from "../../../tools/cli/kubectl.ts";
import { folder, installKubectl, program } from "./kubectlScript.ts";

const target = { kubectl: program, context: "jobs.test" };
const [live, deployment, calls] = [join(folder, "jobs"), join(folder, "deployment"), join(folder, "job-calls")];

const job = (name: string, condition?: Record<string, string>): LiveObject & KubernetesObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name, namespace: "apps", labels: { "app.kubernetes.io/name": name.replace(/-\w+$/, "") } },
  spec: { activeDeadlineSeconds: 300, template: { spec: { volumes: [{ configMap: { name: "shop-files-1" } }] } } },
  ...(condition && { status: { conditions: [{ status: "True", ...condition }] } }),
});
const complete = { type: "Complete" };
const failed = { type: "Failed", reason: "BackoffLimitExceeded" };
const pod = (owner: string, status: Record<string, unknown>) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `${owner}-x`, ownerReferences: [{ name: owner }] },
  status,
});
const exited = (exitCode: number, message: string) => ({
  phase: "Failed",
  containerStatuses: [{ state: { terminated: { exitCode, reason: "Error", message } } }],
});

const list = (...items: unknown[]) => JSON.stringify({ kind: "List", items });
const serve = (...items: unknown[]) => {
  writeFileSync(live, list(...items));
};
beforeEach(() => {
  writeFileSync(calls, "");
  writeFileSync(deployment, list());
  installKubectl(
    `*" delete "*) echo "$*" >> ${calls}`,
    `*"get deployment.apps"*) cat ${deployment}`,
    `*"get jobs"*) cat ${live}`,
    `*) exit 1`,
  );
});
const wait = (name: string, builds: Record<string, string> = {}) =>
  succeeded(target, "apps", [job(name)], { builds, pause: 1, patience: 20 });
const problemOf = async (...args: Parameters<typeof wait>): Promise<Problem> => {
  const error: unknown = await wait(...args).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Problem, String(error));
  return error;
};

describe("waiting for a release's job", () => {
  test("ends when it has succeeded", async () => {
    serve(job("shop-release-1", complete));
    await wait("shop-release-1");
  });

  test("shows the last lines of the one that failed, and that the release before serves", async () => {
    const text = Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n");
    serve(job("shop-release-1", failed), pod("shop-release-1", exited(3, text)), pod("other", exited(1, "canary")));
    writeFileSync(
      deployment,
      list({ kind: "Deployment", metadata: { name: "shop" }, status: { availableReplicas: 2 } }),
    );
    const { message, fix } = await problemOf("shop-release-1", { shop: "services/shop" });
    assert.match(message, /^The release job of shop \(shop-release-1\) failed; the previous release still serves\.\n/);
    assert.match(message, /it exited with status 3; its last log lines:\n {4}line 10\n/);
    assert.match(message, /line 29/);
    assert.doesNotMatch(message, /line 9\n|canary/);
    assert.match(fix, /^Fix the program in services\/shop, or services\.shop\.release in the stack's config/);
  });

  test("does not say that a release serves which is not there", async () => {
    serve(job("shop-release-1", failed), pod("shop-release-1", exited(1, "")));
    const { message, fix } = await problemOf("shop-release-1");
    assert.match(message, /failed\.\n {2}it exited with status 1, and its log is empty/);
    assert.match(fix, /^Fix services\.shop\.release/);
  });

  test("says that it took too long, and what kept its pod", async () => {
    const kept = { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", message: "0/1 nodes" }] };
    serve(job("shop-release-1", { type: "Failed", reason: "DeadlineExceeded" }), pod("shop-release-1", kept));
    const { message } = await problemOf("shop-release-1");
    assert.match(message, /did not end within 300 s\.\n {2}Pending: 0\/1 nodes/);
  });

  test("gives up on an image that does not come, and on a job that somebody deletes", async () => {
    const waiting = { reason: "ImagePullBackOff", message: "no such host" };
    serve(job("shop-release-1"), pod("shop-release-1", { containerStatuses: [{ state: { waiting } }] }));
    assert.match((await problemOf("shop-release-1")).message, /cannot start\.\n {2}ImagePullBackOff: no such host/);
    serve();
    assert.match((await problemOf("shop-release-1")).message, /The release job of shop .* was deleted/);
  });
});

describe("a sidecar or an init container of a release's job", () => {
  const name = "shop-release-1";
  const builds = { shop: "services/shop" };
  const initializing = {
    name: "shop",
    ready: false,
    restartCount: 0,
    state: { waiting: { reason: "PodInitializing" } },
  };
  const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
  const terminated = (exitCode: number, message = "") => ({ terminated: { exitCode, reason: "Error", message } });
  const crashLoop = (message: string) => ({
    restartCount: 2,
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: terminated(1, message),
  });
  const sql = { name: "sql", ready: true, started: true, restartCount: 0, state: running };
  const podWith = (change: object, wait: object, program: object = {}) => ({
    ...pod(name, {
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "True" }],
      initContainerStatuses: [
        { ...sql, ...change },
        { ...initializing, name: "wait", ...wait },
      ],
      containerStatuses: [{ ...initializing, ...program }],
    }),
    spec: {
      containers: [{ name: "shop", image: "shop:1" }],
      initContainers: [
        { name: "sql", image: "sql:1", restartPolicy: "Always" },
        { name: "wait", image: "shop:1" },
      ],
    },
  });
  const ended = { ready: true, state: { terminated: { exitCode: 0, reason: "Completed" } } };

  test("is named with its key and its last lines when it fails", async () => {
    serve(job(name, failed), podWith({}, { state: terminated(3, "no\ncart\n") }));
    const { message, fix } = await problemOf(name, builds);
    assert.match(
      message,
      /failed\.\n {2}the init container wait exited with status 3; its last log lines:\n {4}no\n {4}cart$/,
    );
    assert.equal(
      fix,
      "Fix the program in services/shop, or services.shop.init[0] in the stack's config, and run this again.",
    );
  });

  test("is not at fault when it is stopped after the program has failed", async () => {
    serve(
      job(name, failed),
      podWith({ state: terminated(143, "canary") }, ended, { state: terminated(1, "no table") }),
    );
    const { message, fix } = await problemOf(name);
    assert.match(message, /failed\.\n {2}it exited with status 1; its last log lines:\n {4}no table$/);
    assert.equal(fix, "Fix services.shop.release in the stack's config, and run this again.");
  });

  test("ends the wait when it crashes again and again before the program, or its image does not come", async () => {
    serve(job(name), podWith({ ready: false, started: false, ...crashLoop("no key") }, {}));
    const { message, fix } = await problemOf(name, builds);
    assert.match(message, /cannot start\.\n {2}the sidecar sql exited with status 1; its last log lines:\n {4}no key$/);
    assert.equal(fix, "Fix services.shop.sidecars.sql in the stack's config, and run this again.");
    serve(job(name), podWith({}, { state: { waiting: { reason: "ErrImagePull", message: "not found" } } }));
    assert.match(
      (await problemOf(name)).message,
      /cannot start\.\n {2}the init container wait: ErrImagePull: not found$/,
    );
  });

  test("that others wait for until the time is over is named with its log, which ends with its pod", async () => {
    installKubectl(
      `*"logs ${name}-x -c wait -n apps"*) echo waiting for cart; cp ${live}-end ${live}`,
      `*"get deployment.apps"*) cat ${deployment}`,
      `*"get jobs"*) cat ${live}`,
      `*) exit 1`,
    );
    writeFileSync(`${live}-end`, list(job(name, { type: "Failed", reason: "DeadlineExceeded" })));
    serve(job(name, { type: "FailureTarget", reason: "DeadlineExceeded" }), podWith({}, { state: running }));
    const { message, fix } = await problemOf(name, builds);
    assert.match(
      message,
      /did not end within 300 s\.\n {2}the init container wait: it runs, and the job waits for its end; its last log lines:\n {4}waiting for cart$/,
    );
    assert.equal(fix, "Fix services.shop.init[0] in the stack's config, or what it waits for, and run this again.");
  });

  test("is still named after its pod has been stopped", async () => {
    const unready = podWith({ ready: false, started: false }, {});
    installKubectl(
      `*"logs "*) exit 1`,
      `*"get deployment.apps"*) cat ${deployment}`,
      `*"get jobs"*) cat ${live}; cp ${live}-end ${live}`,
      `*) exit 1`,
    );
    serve(job(name), unready);
    const stopped = podWith({ state: terminated(143) }, {}, { state: terminated(137) });
    writeFileSync(`${live}-end`, list(job(name, { type: "Failed", reason: "DeadlineExceeded" }), stopped));
    const { message } = await problemOf(name);
    assert.match(message, /did not end within 300 s\.\n {2}the sidecar sql: it runs, but is not ready$/);
  });
});

describe("before a release's job", () => {
  test("one of its name that failed and one of another release that still runs are deleted, and nothing else", async () => {
    serve(
      job("shop-release-2", failed),
      job("shop-release-1"),
      job("shop-release-0", complete),
      job("cart-release-1"),
      job("cleanup-29"),
    );
    const again = await clearFor(target, "apps", [job("shop-release-2")]);
    assert.deepEqual([...again], ["shop-release-2"]);
    assert.match(readFileSync(calls, "utf8"), /--cascade=foreground shop-release-2 shop-release-1\n$/);
  });

  test("one that runs or has succeeded stays", async () => {
    serve(job("shop-release-2"), job("cart-release-2", complete));
    assert.equal((await clearFor(target, "apps", [job("shop-release-2"), job("cart-release-2")])).size, 0);
    assert.equal(readFileSync(calls, "utf8"), "");
  });
});

test("what a job that has not ended mounts is in use", async () => {
  const named = (kind: string, name: string): LiveObject => ({ apiVersion: "v1", kind, metadata: { name } });
  const objects = [
    named("ConfigMap", "shop-files-1"),
    named("ConfigMap", "shop-files"),
    named("Service", "shop-files-1"),
  ];
  serve(job("cleanup-29"));
  assert.deepEqual(await usedByJobs(target, "apps", objects), [objects[0]]);
  serve(job("cleanup-29", failed));
  assert.deepEqual(await usedByJobs(target, "apps", objects), []);
});
