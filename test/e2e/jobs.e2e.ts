/**
 * Releases' jobs that migrate a real PostgreSQL, and schedules. Releases with the Pulumi CLI too where it is installed, in the
 * version that runs alone: `npm run e2e -- jobs`.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, kubectlObjects, type LiveObject } from "../../tools/cli/kubectl.ts";
import { caFile } from "../../tools/stack/localCertificate.ts";
import { findPulumi } from "../../tools/stack/pulumiCli.ts";
import { get } from "../../tools/verify/request.ts";
import { command, local, localTarget, stackFile, stop } from "./support/commands.ts";
import { killAfter } from "./support/kill.ts";
import { underLoad } from "./support/load.ts";
import { endpoint } from "./support/path.ts";
import { random } from "./support/random.ts";

const original = readFileSync(stackFile, "utf8");
const program = findPulumi();
const isShort = process.env["SHORT"] !== undefined;

/** @param release arguments of the migration, behind `main.mjs migrate` @param more services */
function write(release: string, more = ""): void {
  writeFileSync(
    stackFile,
    `${original.replace("config:", "config:\n  rolloutSeconds: 90").replace("  proxy:\n", "  proxy:\n    requestsPerClient: 3000\n")}
    shop:
      build: { context: ./test/e2e/jobs/shop }
      args: [main.mjs, serve]
      release: { args: [main.mjs, migrate, ${release}], timeoutSeconds: 120 }
      env: { DB: { service: db }, RELEASE: "${release.replaceAll('"', "")}" }
      health: /
      routes: [{ path: /shop/ }]
      resources: { cpu: 20m, memory: 64Mi }
    db:
      build: { context: ./test/e2e/jobs/db }
      port: 5432
      health: { exec: [pg_isready, -h, localhost] }
      replicas: 1
      rollout: recreate
      scratch: { /data: 1Gi }
      resources: { cpu: 50m, memory: 256Mi }
${more}`,
  );
}

const inStack = (...args: string[]) => kubectl(localTarget, ["--namespace", "apps", ...args]);
const objects = (kinds: string, ...args: string[]) =>
  kubectlObjects(localTarget, ["--namespace", "apps", "get", kinds, ...args]);
const named = (app: string) => `--selector=app.kubernetes.io/name=${app}`;
const statusOf = (object: LiveObject | undefined) => (object?.["status"] ?? {}) as Record<string, unknown>;
const condition = (job: LiveObject | undefined) =>
  ((statusOf(job)["conditions"] ?? []) as { type: string; status: string }[])
    .filter(({ status }) => status === "True")
    .map(({ type }) => type);

async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end)
      assert.fail(`${what}: not within ${seconds} s. ${await inStack("get", "pods,jobs", "-o", "wide")}`);
    await sleep(500);
  }
}

const ask = (path: string) => get(endpoint(), "https", "shop.localhost", path);
/** What the database says: how often each version was migrated to, and how many migrations met another one. */
async function migrated(): Promise<{ versions: (readonly [version: string, runs: string])[]; overlaps: number }> {
  const { status, body } = await ask("/shop/versions");
  assert.equal(status, 200, body);
  return JSON.parse(body) as { versions: [string, string][]; overlaps: number };
}
const served = async () => (JSON.parse((await ask("/shop/")).body) as { release: string }).release;
/** Old pods serve on for a while. */
const serves = (release: string) => until(`release ${release}`, 60, async () => (await served()) === release);
const good = (status: number, body: string) => status === 200 && body.includes('"service":"shop"');
const shopUnderLoad = <T>(work: () => Promise<T>) =>
  underLoad({ url: "https://shop.localhost/shop/", ca: readFileSync(caFile, "utf8"), good }, work);
const podOf = (app: string, phase: string) => async () =>
  (await objects("pods", named(app))).find(
    (pod) => statusOf(pod)["phase"] === phase && pod.metadata["deletionTimestamp"] === undefined,
  )?.metadata.name;
/** What a drain of a node does with a pod. */
const evict = (pod: string) =>
  command(localTarget.kubectl, [
    ...[
      "--kubeconfig",
      localTarget.kubeconfig,
      "create",
      "--raw",
      `/api/v1/namespaces/apps/pods/${pod}/eviction`,
      "-f",
    ],
    writeEviction(pod),
  ]);
function writeEviction(pod: string): string {
  const file = `${stackFile}.eviction`;
  writeFileSync(
    file,
    JSON.stringify({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: "apps" } }),
  );
  return file;
}

after(async () => {
  writeFileSync(stackFile, original);
  await stop();
});

for (const engine of ["kubectl", "pulumi"] as const) {
  const missing = engine === "pulumi" && (program === undefined ? "no Pulumi CLI on PATH" : isShort && "runs alone");
  describe(`a release, with ${engine}`, { skip: missing }, () => {
    const start = () => local("start.ts", "--engine", engine);
    const applied = async (release: string, more?: string) => {
      write(release, more);
      const { status, text } = await start();
      assert.equal(status, 0, text);
    };

    before(stop);

    test(
      "its job waits for the service that it calls, and the new pods wait for the job",
      { timeout: 25 * 60_000 },
      async () => {
        await applied('"1"');
        assert.deepEqual(await migrated(), { versions: [["1", "1"]], overlaps: 0 });
        const [job] = await objects("jobs", named("shop-release"));
        const [db] = await objects("pods", named("db"));
        const pods = await objects("pods", named("shop"));
        const ready = ((statusOf(db)["conditions"] ?? []) as { type: string; lastTransitionTime: string }[]).find(
          ({ type }) => type === "Ready",
        );
        const { startTime = "", completionTime = "" } = statusOf(job) as Record<string, string>;
        assert.ok(
          Date.parse(ready?.lastTransitionTime ?? "") <= Date.parse(startTime),
          "the job began before the database",
        );
        for (const pod of pods)
          assert.ok(String(pod.metadata["creationTimestamp"]) >= completionTime, pod.metadata.name);
        const { status, text } = await start();
        assert.equal(status, 0, text);
        assert.match(text, /nothing to apply/);
      },
    );

    test(
      "endpoints and the disruption budget do not see the job, and pods are evicted meanwhile",
      { timeout: 5 * 60_000 },
      async () => {
        const addresses = async () =>
          (await objects("endpointslices", "--selector=kubernetes.io/service-name=shop"))
            .flatMap((slice) => (slice["endpoints"] ?? []) as { addresses: string[] }[])
            .flatMap((each) => each.addresses)
            .sort();
        const earlier = await addresses();
        const { load } = await shopUnderLoad(async () => {
          const running = applied('"2", "25"');
          await until("a migration", 60, podOf("shop-release", "Running"));
          assert.deepEqual(await addresses(), earlier);
          const [budget] = await objects("pdb", "shop");
          assert.deepEqual(
            [budget].map(statusOf).map(({ expectedPods, disruptionsAllowed }) => [expectedPods, disruptionsAllowed]),
            [[2, 1]],
          );
          const [pod] = await objects("pods", named("shop"));
          const evicted = await evict(pod?.metadata.name ?? "");
          assert.equal(evicted.status, 0, evicted.text);
          await running;
        });
        await serves("2, 25");
        assert.deepEqual(load.failures, []);
      },
    );

    test(
      "a job that is evicted goes on in another pod, never beside the first one",
      { timeout: 5 * 60_000 },
      async () => {
        const running = applied('"3", "8"');
        const pod = await until("a migration", 60, podOf("shop-release", "Running"));
        const evicted = await evict(pod);
        assert.equal(evicted.status, 0, evicted.text);
        await running;
        const { versions, overlaps } = await migrated();
        assert.deepEqual(versions.at(-1), ["3", "1"]);
        assert.equal(overlaps, 0);
      },
    );

    test(
      "one that fails keeps the release before, and says why; the next try works",
      { timeout: 5 * 60_000 },
      async () => {
        const { result, load } = await shopUnderLoad(async () => {
          write('"4", "1", "3"');
          return start();
        });
        assert.equal(result.status, 1, result.text);
        assert.match(result.text, /column "price" of relation "products" already exists \(4\)/);
        await serves("3, 8");
        assert.deepEqual(load.failures, []);
        const found = await local("doctor.ts", "local");
        assert.equal(found.status, 21, found.text);
        assert.match(found.text, /it failed \(.*\): it exited with status 3.*already exists \(4\)/s);
        // The same once more: the job that failed is not taken for one that succeeded.
        const again = await start();
        assert.equal(again.status, 1, again.text);
        assert.match(again.text, /already exists \(4\)/);
        await applied('"4"');
        await serves("4");
        assert.deepEqual((await migrated()).versions.at(-1), ["4", "1"]);
      },
    );

    test("a change back runs it again", { timeout: 5 * 60_000 }, async () => {
      await applied('"3", "8"');
      await serves("3, 8");
      assert.deepEqual(
        (await migrated()).versions.find(([version]) => version === "3"),
        ["3", "2"],
      );
    });

    test("interrupted at random moments, the next start ends it", { timeout: 15 * 60_000 }, async () => {
      for (let time = 0; time < (isShort ? 2 : 10); time += 1) {
        write(`"i${time}", "4"`);
        await killAfter(2000 + random() * 14_000, process.execPath, [
          new URL("../../tools/commands/start.ts", import.meta.url).pathname,
          ...["--engine", engine],
        ]);
        const { status, text } = await start();
        assert.equal(status, 0, text);
        await serves(`i${time}, 4`);
        const { versions, overlaps } = await migrated();
        assert.equal(overlaps, 0);
        assert.ok(
          versions.some(([version]) => version === `i${time}`),
          JSON.stringify(versions),
        );
      }
      assert.equal((await objects("jobs", named("shop-release"))).length, 1);
    });
  });
}

describe("a schedule", () => {
  const nightly = (args: string, more = "") => `    cleanup:
      like: shop
      args: [main.mjs, clean, ${args}]
      schedule: "* * * * *"
      timeZone: Asia/Tokyo
${more}`;
  const applied = async (more: string) => {
    write('"1"', more);
    const { status, text } = await local("start.ts", "--engine", "kubectl");
    assert.equal(status, 0, text);
  };
  const runs = async () =>
    (await objects("jobs", named("cleanup"))).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const doctorSays = async (what: RegExp) => {
    const { status, text } = await local("doctor.ts", "local");
    assert.equal(status, 22, text);
    assert.match(text, what);
  };
  const running = async () => (await runs()).find((job) => condition(job).length === 0);

  before(async () => {
    if (!isShort) await stop(); // The stack before is Pulumi's.
    await applied(nightly('"0"'));
  });

  test("runs each minute, and a run that fails is seen", { timeout: 5 * 60_000 }, async () => {
    const done = await until("a run that succeeds", 90, async () =>
      (await runs()).find((job) => condition(job).includes("Complete")),
    );
    assert.match(await inStack("logs", `job/${done.metadata.name}`), /cleaning/);
    await applied(nightly('"0", "5"'));
    await until("a run that fails", 90, async () => (await runs()).some((job) => condition(job).includes("Failed")));
    await doctorSays(/exited with status 5/);
  });

  test("the doctor says that it is suspended, and that it is gone", { timeout: 3 * 60_000 }, async () => {
    await inStack("patch", "cronjob", "cleanup", "--patch", '{"spec":{"suspend":true}}');
    await doctorSays(/the CronJob cleanup is suspended/);
    await inStack("delete", "cronjob", "cleanup");
    await doctorSays(/there is no CronJob cleanup/);
    await applied(nightly('"0"'));
    const { status, text } = await local("doctor.ts", "local");
    assert.equal(status, 0, text);
  });

  test(
    "does not overlap, is not killed by a change, and keeps the files that it mounts",
    { timeout: 8 * 60_000 },
    async () => {
      const files = (text: string) => `      files: { /etc/cleanup.txt: { text: "${text}" } }\n`;
      await applied(nightly('"75"', files("one")));
      const stored = async () => (await objects("configmaps", named("cleanup"))).map(({ metadata }) => metadata.name);
      const [first = ""] = await stored();
      const run = await until("a run", 90, running);
      const pod = await until("its pod", 60, podOf("cleanup", "Running"));
      await applied(nightly('"75"', files("two")));
      assert.deepEqual(condition(await running()), [], "the run was killed");
      // A pod that takes the place of this one still finds its file.
      const evicted = await evict(pod);
      assert.equal(evicted.status, 0, evicted.text);
      const next = await until("another pod", 90, podOf("cleanup", "Running"));
      assert.notEqual(next, pod);
      assert.equal((await running())?.metadata.name, run.metadata.name);
      await until("more than a minute of the run", 120, async () => {
        const { startTime = "" } = statusOf(await running()) as Record<string, string>;
        return Date.now() - Date.parse(startTime) > 65_000;
      });
      assert.equal((await runs()).filter((job) => condition(job).length === 0).length, 1);
      // They go with the next change after its end.
      assert.ok((await stored()).includes(first));
      await until("the end of the run", 150, async () => {
        const job = (await runs()).find(({ metadata }) => metadata.name === run.metadata.name);
        return job === undefined || condition(job).includes("Complete");
      });
      await applied(nightly('"0"', files("three")));
      assert.ok(!(await stored()).includes(first));
    },
  );

  test("goes with its key", { timeout: 3 * 60_000 }, async () => {
    await applied("");
    assert.deepEqual(await objects("cronjobs"), []);
    await until("no run", 90, async () => (await runs()).length === 0);
  });
});
