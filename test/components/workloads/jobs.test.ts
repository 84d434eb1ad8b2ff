/** What runs to its end: a release's job before the new pods, and a schedule. The policy pack accepts each. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { Microservice } from "../../../components/workloads/microservice.ts";
import type { ProgramArgs } from "../../../components/workloads/program.ts";
import type { Release } from "../../../components/workloads/releaseJob.ts";
import { ScheduledJob, type Schedule } from "../../../components/workloads/scheduledJob.ts";
import { findings } from "../../../policy/allRules.ts";
import { mockPulumi, settled } from "../../../tools/testing/mocks.ts";

const args: ProgramArgs = {
  namespace: "apps",
  image: "registry.example.com/shop:1.4.2",
  env: [{ name: "LOG", value: "info" }],
  secretEnv: { DB_PASSWORD: "canary" },
  files: { plain: { "/etc/shop.yaml": { text: "a: 1" } }, secret: {} },
  resources: { cpu: "100m", memory: "128Mi" },
  serviceAccount: "shop",
  shutdownSeconds: 90,
};
const server = { port: 8080, replicas: 2, rolloutSeconds: 180, routed: false };
const release: Release = { args: ["migrate", "$(LOG)"], timeoutSeconds: 300, imageKey: "shop:1", dependsOn: [] };

interface Job {
  readonly metadata: { readonly name: string; readonly labels: unknown };
  readonly spec: Record<string, unknown> & { readonly template: Template };
}
interface Template {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: {
    readonly restartPolicy: string;
    readonly containers: readonly Record<string, unknown>[];
    readonly initContainers?: readonly Record<string, unknown>[];
  };
}

async function recorded(make: () => void) {
  const recording = await mockPulumi();
  make();
  await settled();
  const objects = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
  for (const { type, inputs } of objects) assert.deepEqual(findings(type, inputs), [], type);
  return recording;
}

describe("a release", () => {
  const opts = () => ({ provider: new k8s.Provider("cluster") });
  const made = async (change: Partial<Release> = {}, program: Partial<ProgramArgs> = {}) => {
    const recording = await recorded(
      () => new Microservice("shop", { ...args, ...server, ...program, release: { ...release, ...change } }, opts()),
    );
    const job = recording.one("kubernetes:batch/v1:Job");
    return { recording, job, inputs: job.inputs as unknown as Job };
  };

  test("runs the service's program once, with its variables and files, and says why it failed", async () => {
    const { recording, inputs } = await made();
    const { template, ...spec } = inputs.spec;
    assert.deepEqual(spec, {
      backoffLimit: 0,
      activeDeadlineSeconds: 300,
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
    });
    const deployment = recording.one("kubernetes:apps/v1:Deployment").inputs["spec"] as { template: Template };
    const [container = {}] = template.spec.containers;
    const [own = {}] = deployment.template.spec.containers;
    for (const key of ["image", "env", "envFrom", "volumeMounts", "resources", "securityContext"])
      assert.deepEqual(container[key], own[key], key);
    assert.deepEqual(container["args"], ["migrate", "$(LOG)"]);
    assert.equal(container["terminationMessagePolicy"], "FallbackToLogsOnError");
    assert.equal(template.spec.restartPolicy, "Never");
    assert.equal(container["lifecycle"], undefined);
  });

  test("has a name label of its own, so that no Service, budget or autoscaler counts its pods", async () => {
    const { inputs } = await made();
    assert.equal(inputs.spec.template.metadata.labels["app.kubernetes.io/name"], "shop-release");
    assert.match(inputs.metadata.name, /^shop-release-[0-9a-f]{10}$/);
  });

  test("is named after all that its pod is: the image before it is built, secrets, files, arguments", async () => {
    const nameOf = async (...change: Parameters<typeof made>) => (await made(...change)).inputs.metadata.name;
    const name = await nameOf();
    assert.equal(await nameOf(), name);
    assert.equal(await nameOf({}, { image: "registry.example.com/shop@sha256:1" }), name);
    const changes: readonly Parameters<typeof made>[] = [
      [{ imageKey: "shop:2" }],
      [{ args: ["other"] }],
      [{ timeoutSeconds: 301 }],
      [{}, { secretEnv: { DB_PASSWORD: "other" } }],
      [{}, { files: { plain: { "/etc/shop.yaml": { text: "a: 2" } }, secret: {} } }],
      [{}, { env: [] }],
    ];
    const others: string[] = [];
    for (const change of changes) others.push(await nameOf(...change));
    assert.equal(new Set([name, ...others]).size, 7);
  });

  const sql = { name: "sql", image: "registry.example.com/sql:2", env: [], resources: args.resources };
  const wait = { name: "wait", env: [], resources: args.resources, args: ["wait"] };

  test("has the service's sidecars and init containers, whose last log lines say why they failed", async () => {
    const { recording, inputs } = await made({}, { sidecars: [sql], init: [wait] });
    const deployment = recording.one("kubernetes:apps/v1:Deployment").inputs["spec"] as { template: Template };
    const own = deployment.template.spec.initContainers ?? [];
    assert.deepEqual(
      own.map(({ name, restartPolicy }) => [name, restartPolicy]),
      [
        ["sql", "Always"],
        ["wait", undefined],
      ],
    );
    const terminationMessagePolicy = "FallbackToLogsOnError";
    assert.deepEqual(
      inputs.spec.template.spec.initContainers,
      own.map((each) => ({ ...each, terminationMessagePolicy })),
    );
  });

  test("is named after the images of its containers, of which those of the service are not yet built", async () => {
    const nameOf = async (key: string, digest: string, sidecar = sql.image, own?: string) =>
      (
        await made(
          { imageKey: key },
          {
            image: `registry.example.com/shop@sha256:${digest}`,
            sidecars: [{ ...sql, image: sidecar }],
            init: [{ ...wait, image: own }],
          },
        )
      ).inputs.metadata.name;
    const name = await nameOf("shop:1", "1");
    assert.equal(await nameOf("shop:1", "2"), name);
    const others = [
      await nameOf("shop:2", "1"),
      await nameOf("shop:1", "1", "registry.example.com/sql:3"),
      await nameOf("shop:1", "1", sql.image, "registry.example.com/wait:1"),
      (await made()).inputs.metadata.name,
    ];
    assert.equal(new Set([name, ...others]).size, 5);
  });

  test("has a name that a preview knows before the image is built", async () => {
    const recording = await mockPulumi({ preview: true });
    const image = new k8s.core.v1.ConfigMap("image", {}).metadata.uid; // Known once it exists, as a digest.
    new Microservice("shop", { ...args, ...server, image, release }, opts());
    await settled();
    const { metadata } = recording.one("kubernetes:batch/v1:Job").inputs as unknown as Job;
    assert.equal(metadata.name, (await made()).inputs.metadata.name);
  });

  test("succeeds before the new pods, is never there twice, and is tried again after it failed", async () => {
    const { recording, job, inputs } = await made();
    assert.equal(job.name, "shop-release");
    const annotations = (inputs.metadata as unknown as { annotations: unknown }).annotations;
    assert.deepEqual(annotations, { "pulumi.com/replaceUnready": "true" });
    const of = (name: string) => recording.named(name);
    assert.ok(of("shop-deployment").dependencies.some((urn) => urn.endsWith("::shop-release")));
    assert.equal(job.deleteBeforeReplace, true);
  });
});

describe("a schedule", () => {
  const made = async (change: Partial<Schedule> = {}, program: Partial<ProgramArgs> = {}) => {
    const recording = await recorded(
      () =>
        new ScheduledJob(
          "cleanup",
          { ...args, ...program, schedule: { schedule: "0 3 * * *", ...change } },
          { provider: new k8s.Provider("cluster") },
        ),
    );
    assert.equal(recording.all("kubernetes:core/v1:Service").length, 0);
    assert.equal(recording.all("kubernetes:policy/v1:PodDisruptionBudget").length, 0);
    const { spec, metadata } = recording.one("kubernetes:batch/v1:CronJob").inputs as unknown as Job;
    return { metadata, spec: spec as unknown as { jobTemplate: { spec: Job["spec"] } } & Record<string, unknown> };
  };

  test("has safe defaults", async () => {
    const { metadata, spec } = await made();
    const { jobTemplate, ...times } = spec;
    assert.equal(metadata.name, "cleanup");
    assert.deepEqual(times, {
      schedule: "0 3 * * *",
      timeZone: "Etc/UTC",
      concurrencyPolicy: "Forbid",
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
    });
    const { template, backoffLimit, activeDeadlineSeconds } = jobTemplate.spec;
    assert.deepEqual([backoffLimit, activeDeadlineSeconds], [0, 21_600]);
    assert.equal(template.spec.restartPolicy, "Never");
    assert.equal(template.metadata.labels["app.kubernetes.io/name"], "cleanup");
  });

  test("has sidecars and init containers, whose last log lines say why they failed", async () => {
    const { resources } = args;
    const { spec } = await made(
      {},
      {
        sidecars: [{ name: "sql", image: "registry.example.com/sql:2", env: [], resources }],
        init: [{ name: "wait", env: [], resources, args: ["wait"] }],
      },
    );
    assert.deepEqual(
      spec.jobTemplate.spec.template.spec.initContainers?.map((each) =>
        ["name", "image", "restartPolicy", "terminationMessagePolicy"].map((key) => each[key]),
      ),
      [
        ["sql", "registry.example.com/sql:2", "Always", "FallbackToLogsOnError"],
        ["wait", args.image, undefined, "FallbackToLogsOnError"],
      ],
    );
  });

  test("takes what the config says", async () => {
    const { spec } = await made({ timeZone: "Asia/Tokyo", concurrency: "replace", deadlineSeconds: 60, retries: 2 });
    const { backoffLimit, activeDeadlineSeconds } = spec.jobTemplate.spec;
    assert.deepEqual(
      [spec["timeZone"], spec["concurrencyPolicy"], backoffLimit, activeDeadlineSeconds],
      ["Asia/Tokyo", "Replace", 2, 60],
    );
  });
});
