/** Jobs of releases and of schedules: each finding from recorded states, and what it means for the other hops. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { release } from "../../../tools/doctor/diagnose/release.ts";
import { schedule } from "../../../tools/doctor/diagnose/schedule.ts";
import { diagnose, type Observed } from "../../../tools/doctor/examine.ts";
import type { CronJob, Event, Job, Objects, Pod } from "../../../tools/doctor/gather/objects.ts";
import { rows } from "../../../tools/doctor/print.ts";
import { exitCode, firstFailure } from "../../../tools/doctor/report.ts";
import { byService, deployment, nginx, now, objects, pod, subject, warning } from "./examples.ts";
import { assertFixable, is } from "./fixes.ts";

const image = "example.com/hoge:1";
const staging = subject("staging", {
  services: {
    hoge: { image, routes: [{ path: "/hoge/" }], release: { args: ["migrate"], timeoutSeconds: 300 } },
    web: { image: "example.com/web:1", routes: [{ path: "/" }] },
    cleanup: { image, args: ["cleanup"], schedule: "0 3 * * *", deadlineSeconds: 600 },
  },
});
const [kubectl, update] = ["kubectl --context here -n apps", "npx pulumi up --refresh --stack staging"];

const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name }] });
const complete = { type: "Complete", status: "True", lastTransitionTime: "2026-06-01T03:01:00Z" };
const backoff = { ...complete, type: "Failed", reason: "BackoffLimitExceeded", message: "Job has reached the limit" };
const deadline = { ...backoff, reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };

const template = { spec: { containers: [{ name: "cleanup", image }] } };
const job = (name: string, created: string, end?: typeof complete, more: Partial<Job["metadata"]> = {}): Job => ({
  metadata: { name, creationTimestamp: created, ...more },
  spec: { activeDeadlineSeconds: 600, template },
  status: { conditions: end === undefined ? [] : [end] },
});
/** The pod of a Job. */
const podOf = (name: string, status: Parameters<typeof pod>[1], more: Partial<Pod["status"]> = {}): Pod => {
  const made = pod(name, { ready: false, ...status }, more);
  return { ...made, metadata: { ...made.metadata, ...owned("Job", name) } };
};
const exited = (exitCode: number, message: string, reason = "Error") =>
  ({ state: { terminated: { exitCode, message, reason } } }) as const;
const failed = { phase: "Failed" };

describe("a schedule", () => {
  const cronJob = (spec: Partial<CronJob["spec"]> = {}, status: CronJob["status"] = {}): CronJob => ({
    metadata: { name: "cleanup", creationTimestamp: "2026-05-01T00:00:00Z" },
    spec: { schedule: "0 3 * * *", concurrencyPolicy: "Forbid", jobTemplate: { spec: { template } }, ...spec },
    status: { lastScheduleTime: "2026-06-01T03:00:00Z", ...status },
  });
  const run = (name: string, created: string, end?: typeof complete) =>
    job(name, created, end, owned("CronJob", "cleanup"));
  const workload = { name: "cleanup", key: "services.cleanup" };
  const examined = (seen: Partial<Objects>, of = workload) => {
    const finding = schedule(objects(staging, { cronJobs: [cronJob()], ...seen }), of, staging, now);
    assertFixable(finding);
    return finding;
  };
  const last = run("cleanup-2", "2026-06-01T03:00:00Z", backoff);

  test("whose last run succeeded, or that has not run yet, is well", () => {
    const good = run("cleanup-2", "2026-06-01T03:00:00Z", complete);
    const before = run("cleanup-1", "2026-05-31T03:00:00Z", backoff);
    const seen = "0 3 * * *: the last run succeeded (cleanup-2, 2026-06-01 03:00 UTC)";
    assert.deepEqual(examined({ jobs: [before, good] }), { state: "ok", seen });
    const fresh = {
      ...cronJob(),
      metadata: { name: "cleanup", creationTimestamp: "2026-06-01T11:00:00Z" },
      status: {},
    };
    assert.deepEqual(examined({ cronJobs: [fresh] }), { state: "ok", seen: "0 3 * * *: no run has ended yet" });
    // Its Jobs may be gone.
    const succeeded = cronJob({ timeZone: "Etc/UTC" }, { lastSuccessfulTime: "2026-06-01T03:02:00Z" });
    is(examined({ cronJobs: [succeeded] }), "ok", /Etc\/UTC: a run last succeeded 2026-06-01 03:02 UTC$/);
  });

  test("without its CronJob", () => {
    is(
      examined({ cronJobs: [] }),
      "failed",
      /^there is no CronJob cleanup$/,
      /Nothing starts its runs/,
      /^npx pulumi up/,
    );
  });

  test("that somebody suspended", () => {
    const { state, seen, fix } = examined({ cronJobs: [cronJob({ suspend: true })], jobs: [last] });
    assert.deepEqual([state, seen], ["failed", "the CronJob cleanup is suspended"]);
    assert.ok(fix?.startsWith(`${kubectl} patch cronjob cleanup -p '{"spec":{"suspend":false}}'   # `));
  });

  test("whose last run failed: the exit status, and the last lines of its log", () => {
    const own = podOf("cleanup-2", exited(3, "start\nconnecting\n\nrefused\n  by db\u001b[0m\n"), failed);
    const succeeded = cronJob({}, { lastSuccessfulTime: "2026-05-30T03:01:00Z" });
    const seen = { cronJobs: [succeeded], jobs: [last], pods: [own] };
    assert.deepEqual(examined(seen), {
      state: "failed",
      seen: "the last run failed (cleanup-2, 2026-06-01 03:00 UTC): it exited with status 3: connecting | refused | by db\\u001b[0m",
      means: "The program ended with an error. It last succeeded 2026-05-30 03:01 UTC.",
      fix: `${kubectl} logs cleanup-2-0   # then: Fix services.cleanup.image or services.cleanup.args in Pulumi.staging.yaml, then: ${update}`,
    });
    const silent = { ...seen, pods: [podOf("cleanup-2", exited(3, " \n"), failed)] };
    assert.match(examined(silent).seen, /it exited with status 3, and its log is empty$/);
    assert.match(examined({ ...seen, pods: [] }).seen, /: BackoffLimitExceeded: Job has reached the limit$/);
    assert.equal(examined({ ...seen, pods: [] }).fix, `${kubectl} describe job cleanup-2`);
  });

  test("whose runs failed one after another, none of which succeeded", () => {
    const before = run("cleanup-1", "2026-05-31T03:00:00Z", backoff);
    const { seen, means } = examined({ jobs: [before, last], pods: [podOf("cleanup-2", exited(1, "no"), failed)] });
    assert.match(seen, /^each of the last 2 runs failed \(cleanup-2, /);
    assert.match(means ?? "", /None has succeeded yet\.$/);
  });

  test("whose last run failed for a reason that the cluster knows", () => {
    const of = (status: ReturnType<typeof exited>) =>
      examined({ jobs: [last], pods: [podOf("cleanup-2", status, failed)] });
    is(
      of(exited(137, "", "OOMKilled")),
      "failed",
      /: OOMKilled$/,
      /more memory/,
      /^Raise services\.cleanup\.resources\.memory/,
    );
    const started = of(exited(128, 'exec: "cleanup": executable file not found in $PATH', "StartError"));
    is(started, "failed", /: StartError: exec/, /command is not in the image/, /^Fix services\.cleanup\.args in/);
  });

  test("whose last run took longer than deadlineSeconds", () => {
    const late = run("cleanup-2", "2026-06-01T03:00:00Z", deadline);
    const events: Event[] = [
      warning("Pod", "cleanup-2-x", "Failed", "Failed to pull image"),
      warning("Pod", "web", "A", ""),
    ];
    const finding = examined({ jobs: [late], events });
    is(finding, "failed", /did not end within 600 s; its pod: Failed: Failed to pull image$/, /Kubernetes ended it/);
    assert.match(finding.fix ?? "", /^Raise services\.cleanup\.deadlineSeconds in/);
    assert.match(examined({ jobs: [late] }).seen, /within 600 s$/);
  });

  test("that was changed after its last run failed: the next run decides", () => {
    const wrote = (time: string, subresource?: string) => ({
      ...cronJob(),
      metadata: { ...cronJob().metadata, managedFields: [{ time, ...(subresource !== undefined && { subresource }) }] },
    });
    const seen = (cronJob: CronJob) => examined({ cronJobs: [cronJob], jobs: [last] });
    const changed = seen(wrote("2026-06-01T09:00:00Z"));
    is(changed, "warning", /^the last run failed/, /changed since/);
    assert.equal(changed.fix, `${kubectl} create job --from=cronjob/cleanup cleanup-now   # runs it now`);
    assert.equal(seen(wrote("2026-06-01T09:00:00Z", "status")).state, "failed");
    assert.equal(seen(wrote("2026-06-01T02:00:00Z")).state, "failed");
  });

  test("with a run that cannot start", () => {
    const under = run("cleanup-2", "2026-06-01T03:00:00Z");
    const waiting = (reason: string) =>
      podOf("cleanup-2", { state: { waiting: { reason, message: "no" } } }, { phase: "Pending" });
    const pulled = examined({ jobs: [under], pods: [waiting("ImagePullBackOff")] });
    is(
      pulled,
      "failed",
      /^a run cannot start \(cleanup-2, .*\): ImagePullBackOff: no$/,
      /cannot pull/,
      /services\.cleanup\.image/,
    );
    const conditions = [
      { type: "PodScheduled", status: "False", message: "0/1 nodes are available: 1 Insufficient cpu." },
    ];
    const unscheduled = podOf("cleanup-2", {}, { phase: "Pending", conditions, containerStatuses: [] });
    is(examined({ jobs: [under], pods: [unscheduled] }), "failed", /Insufficient cpu/, /No node has enough/);
    // A new node may be on its way.
    const young = { ...unscheduled, metadata: { ...unscheduled.metadata, creationTimestamp: "2026-06-01T11:58:00Z" } };
    const waits = examined({ jobs: [under], pods: [young] });
    assert.deepEqual([waits.state, waits.passing], ["warning", true]);
    const events = [warning("Job", "cleanup-2", "FailedCreate", "pods is forbidden: exceeded quota: all")];
    const refused = examined({ jobs: [under], pods: [], events });
    is(refused, "failed", /pods are rejected: .*exceeded quota/, /quota of the namespace/);
    const mount = [warning("Pod", "cleanup-2-0", "FailedMount", 'secret "a" not found')];
    const creating = examined({ jobs: [under], pods: [waiting("ContainerCreating")], events: mount });
    is(creating, "failed", /FailedMount/, /cannot mount/);
  });

  const hourly = (policy: CronJob["spec"]["concurrencyPolicy"], status: CronJob["status"] = {}) =>
    cronJob({ schedule: "0 * * * *", ...(policy && { concurrencyPolicy: policy }) }, status);
  const running = podOf("cleanup-2", { ready: true, state: { running: {} } });
  const config = subject("staging", {
    services: { cleanup: { image, args: ["cleanup"], schedule: "0 * * * *" }, web: { image, routes: [{ path: "/" }] } },
  });
  const atEachHour = (seen: Partial<Objects>) => {
    const finding = schedule(
      objects(config, { pods: [running], ...seen }),
      workload,
      config,
      new Date("2026-06-01T12:30:00Z"),
    );
    assertFixable(finding);
    return finding;
  };

  test("whose run takes longer than the interval, so that others are skipped", () => {
    const long = run("cleanup-2", "2026-06-01T10:00:00Z");
    const skipped = atEachHour({ cronJobs: [hourly("Forbid")], jobs: [long] });
    assert.equal(
      skipped.seen,
      "the run of 2026-06-01 12:00 UTC was skipped, because one is in progress (cleanup-2, 2026-06-01 10:00 UTC)",
    );
    is(
      skipped,
      "warning",
      /skipped/,
      /hangs, or the schedule is too close/,
      /logs job\/cleanup-2 {3}# then: Fix services\.cleanup\.schedule/,
    );
    // One that was started by hand holds up no other.
    const byHand = {
      ...long,
      metadata: { ...long.metadata, annotations: { "cronjob.kubernetes.io/instantiate": "manual" } },
    };
    const inTime = hourly("Forbid", { lastScheduleTime: "2026-06-01T12:00:00Z" });
    assert.equal(atEachHour({ cronJobs: [inTime], jobs: [byHand] }).state, "ok");
    is(atEachHour({ cronJobs: [hourly("Forbid")], jobs: [byHand] }), "failed", /^no run has come at/);
    // The others run beside it, or in its place.
    const beside = hourly("Allow", { lastScheduleTime: "2026-06-01T12:00:00Z" });
    assert.equal(atEachHour({ cronJobs: [beside], jobs: [long] }).state, "ok");
    assert.equal(atEachHour({ cronJobs: [hourly("Replace")], jobs: [long] }).state, "ok");
    // The next time has not come.
    const fresh = run("cleanup-2", "2026-06-01T12:00:01Z");
    is(atEachHour({ cronJobs: [hourly("Forbid")], jobs: [fresh] }), "ok", /no run has ended yet; one is in progress$/);
  });

  test("whose time has passed without a run", () => {
    const events = [warning("CronJob", "cleanup", "FailedCreate", "jobs.batch is forbidden: exceeded quota")];
    const gone = atEachHour({ cronJobs: [hourly("Forbid", { lastScheduleTime: "2026-06-01T11:00:00Z" })], events });
    assert.deepEqual(gone, {
      state: "failed",
      seen: "no run has come at 2026-06-01 12:00 UTC: FailedCreate: jobs.batch is forbidden: exceeded quota",
      means: "The cluster's controller of CronJobs did not start it; it started the last one at 2026-06-01 11:00 UTC.",
      fix: `${kubectl} describe cronjob cleanup`,
    });
    // It was made, or changed, after that time; or the time is not long ago.
    const since = (metadata: Partial<CronJob["metadata"]>) => {
      const made = hourly("Forbid", { lastScheduleTime: "2026-06-01T11:00:00Z" });
      return atEachHour({ cronJobs: [{ ...made, metadata: { ...made.metadata, ...metadata } }] }).state;
    };
    assert.equal(since({ creationTimestamp: "2026-06-01T12:05:00Z" }), "ok");
    assert.equal(since({ managedFields: [{ time: "2026-06-01T12:05:00Z" }] }), "ok");
    const soon = schedule(
      objects(config, { cronJobs: [hourly("Forbid", { lastScheduleTime: "2026-06-01T11:00:00Z" })] }),
      workload,
      config,
      new Date("2026-06-01T12:05:00Z"),
    );
    assert.equal(soon.state, "ok");
  });

  test("that is not as the config says", () => {
    is(
      examined({ cronJobs: [cronJob({ schedule: "0 2 * * *" })] }),
      "warning",
      /^its schedule is 0 2/,
      /has 0 3 \* \* \*/,
    );
    is(
      examined({ cronJobs: [cronJob({ timeZone: "Asia/Tokyo" })] }),
      "warning",
      /^its time zone is Asia/,
      /has Etc\/UTC/,
    );
    const other = { spec: { template: { spec: { containers: [{ name: "cleanup", image: "example.com/hoge:0" }] } } } };
    is(
      examined({ cronJobs: [cronJob({ jobTemplate: other })] }),
      "warning",
      /^its image is .*:0$/,
      /has example.com\/hoge:1/,
    );
    const secret = { name: "cleanup", image, envFrom: [{ secretRef: { name: "cleanup-env-1" } }] };
    const withSecret = cronJob({ jobTemplate: { spec: { template: { spec: { containers: [secret] } } } } });
    const seen = { cronJobs: [withSecret], missingSecrets: ["cleanup-env-1"] };
    is(examined(seen), "warning", /^there is no Secret cleanup-env-1$/, /next run will not start/, /^npx pulumi up/);
  });

  test("in a cluster that cannot be read is unknown", () => {
    assert.equal(schedule("no kubectl", workload, staging, now).state, "unknown");
  });
});

describe("a release", () => {
  const labels = { labels: { "app.kubernetes.io/name": "hoge-release" } };
  const ofRelease = (name: string, created: string, end?: typeof complete) => job(name, created, end, labels);
  const workload = { name: "hoge", key: "services.hoge" };
  const serving = { ...deployment("hoge"), status: { readyReplicas: 1 } };
  const examined = (seen: Partial<Objects>) => {
    const finding = release(objects(staging, { deployments: [serving], ...seen }), workload, staging, now);
    assertFixable(finding);
    return finding;
  };
  const bad = ofRelease("hoge-release-2", "2026-06-01T11:00:00Z", backoff);
  const good = ofRelease("hoge-release-1", "2026-05-01T11:00:00Z", complete);
  const migration = podOf("hoge-release-2", exited(1, "relation exists\n"), failed);

  test("whose newest job succeeded is well", () => {
    const seen = "it succeeded (hoge-release-1, 2026-05-01 11:00 UTC)";
    const before = ofRelease("hoge-release-0", "2026-04-01T11:00:00Z", backoff);
    assert.deepEqual(examined({ jobs: [before, good] }), { state: "ok", seen });
  });

  test("whose job failed: what serves, the exit status, the last lines of its log", () => {
    assert.deepEqual(examined({ jobs: [good, bad], pods: [migration] }), {
      state: "failed",
      seen: "it failed (hoge-release-2, 2026-06-01 11:00 UTC): it exited with status 1: relation exists",
      means: "The program ended with an error. The new pods do not start before it succeeds; those that run serve on.",
      fix: `${kubectl} logs hoge-release-2-0   # then: Fix services.hoge.image or services.hoge.release in Pulumi.staging.yaml, then: ${update}`,
    });
    is(examined({ jobs: [bad], deployments: [] }), "failed", /^it failed/, /No pod of hoge starts before it succeeds/);
    const late = { ...bad, status: { conditions: [deadline] } };
    is(
      examined({ jobs: [late] }),
      "failed",
      /did not end within 600 s/,
      /serve on/,
      /^Raise services\.hoge\.release\.timeoutSeconds/,
    );
  });

  test("whose job cannot start, or is in progress", () => {
    const under = ofRelease("hoge-release-2", "2026-06-01T11:59:00Z");
    const waiting = podOf("hoge-release-2", { state: { waiting: { reason: "ErrImagePull" } } }, { phase: "Pending" });
    is(
      examined({ jobs: [under], pods: [waiting] }),
      "failed",
      /^it cannot start \(hoge-release-2, .*ErrImagePull/,
      /serve on/,
    );
    const running = { jobs: [under], pods: [podOf("hoge-release-2", { ready: true, state: { running: {} } })] };
    const finding = examined(running);
    is(finding, "warning", /^it is in progress/, /new pods do not start/, /logs --follow job\/hoge-release-2$/);
    assert.equal(finding.passing, true);
    // Nobody serves yet: --wait waits for it.
    assert.deepEqual(
      [examined({ ...running, deployments: [] })].map(({ state, passing }) => [state, passing]),
      [["failed", true]],
    );
  });

  test("without a job", () => {
    is(examined({ jobs: [] }), "warning", /^there is no such job$/, /The next update runs it/, /^npx pulumi up/);
    assert.equal(release("no kubectl", workload, staging, now).state, "unknown");
  });

  describe("and the other hops", () => {
    const made = objects(staging, {
      jobs: [good],
      cronJobs: [
        {
          metadata: { name: "cleanup", creationTimestamp: "2026-06-01T11:00:00Z" },
          spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template } } },
        },
      ],
    });
    const report = (seen: Partial<Objects>) =>
      diagnose(
        {
          address: "203.0.113.7",
          outputsError: undefined,
          names: [],
          google: undefined,
          http: byService(200),
          nginx,
          certificates: [],
          objects: { ...made, ...seen },
          routes: staging.routes.map((route) => ({ route, probe: byService(200) })),
          routesName: "routes-now",
          now,
        } satisfies Observed,
        staging,
      );
    const states = (seen: Partial<Objects>) => {
      const { hops } = report(seen);
      const found = hops.filter(({ service }) => service !== undefined);
      return found.flatMap(({ id, state, because }) => (state === "ok" ? [] : [[id, state, because]]));
    };

    test("a stack whose jobs have succeeded has one row for each", () => {
      assert.deepEqual(states({}), []);
      const shown = rows(report({})).map(({ mark, name }) => `${mark} ${name}`);
      assert.deepEqual(shown.slice(-2), ["ok schedule of cleanup", "ok release job of hoge"]);
    });

    test("a schedule has no pods that could be missing, and its failure is its own", () => {
      const run = job("cleanup-1", "2026-06-01T11:30:00Z", backoff, owned("CronJob", "cleanup"));
      const seen = report({ jobs: [good, run] });
      assert.deepEqual(states({ jobs: [good, run] }), [["schedule cleanup", "failed", undefined]]);
      const behind = seen.hops.filter(({ service }) => service === "cleanup");
      assert.deepEqual(
        behind.map(({ kind }) => kind),
        ["schedule"],
      );
      const only = { hops: seen.hops.filter(({ service }) => service !== undefined) };
      assert.equal(exitCode(only), 22);
    });

    test("what a failed release's job has not let start follows from it", () => {
      const deployments = made.deployments.filter(({ metadata }) => metadata.name !== "hoge");
      const seen = {
        jobs: [bad],
        deployments,
        pods: [...made.pods.filter(({ metadata }) => metadata.name !== "hoge-0"), migration],
      };
      const route = "staging.example.com/hoge/";
      assert.deepEqual(states(seen), [
        [`endpoints ${route}`, "failed", "release hoge"],
        [`pods ${route}`, "skipped", undefined],
        ["release hoge", "failed", undefined],
      ]);
      const behind = { hops: report(seen).hops.filter(({ service }) => service !== undefined) };
      assert.equal(firstFailure(behind)?.id, "release hoge");
      assert.equal(exitCode(behind), 21);
    });
  });
});
