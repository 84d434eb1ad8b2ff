/** Sidecars and init containers: their order at the start and at the end, and what is said of one that fails. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { kubectl, kubectlObjects } from "../../tools/cli/kubectl.ts";
import { get } from "../../tools/verify/request.ts";
import { local, localTarget, stackFile, stop, type Outcome } from "./support/commands.ts";
import { endpoint, start } from "./support/path.ts";

const kept = `${stackFile}.kept`;

/** `cart` starts slowly, so that `wait` has to wait. */
const services = `    shop:
      build: { context: ./test/e2e/containers }
      args: [main.mjs, server]
      routes: [{ path: /shop/ }]
      replicas: 1
      scratch: { /srv/shared: 8Mi }
      sidecars:
        side:
          args: [main.mjs, sidecar]
          port: 9000
          health: { path: /readiness, startSeconds: 30 }
          env: { START_SECONDS: 3, TOKEN: { secret: SIDE_TOKEN } }
          resources: { cpu: 20m, memory: 96Mi }
      init:
        - name: wait
          args: [main.mjs, wait]
          env: { WAIT_FOR: { url: cart } }
          resources: { cpu: 20m, memory: 96Mi }
        - name: fill
          args: [main.mjs, fill]
          shares: [/srv/shared]
          resources: { cpu: 20m, memory: 96Mi }
      resources: { cpu: 20m, memory: 96Mi }
    cart:
      build: { context: ./test/e2e/containers }
      args: [main.mjs, server]
      replicas: 1
      env: { START_SECONDS: 8 }
      resources: { cpu: 20m, memory: 96Mi }
`;
const secrets = `  secrets:
    shop: { SIDE_TOKEN: canary-side }
`;
const write = (edit: (text: string) => string = (text) => text) => {
  writeFileSync(stackFile, edit(readFileSync(kept, "utf8") + services + secrets));
};
async function applied(): Promise<void> {
  write();
  const { status, text } = await start();
  assert.equal(status, 0, text);
}
async function failing(edit: (text: string) => string): Promise<Outcome> {
  write((text) => edit(text).replace("config:", "config:\n  rolloutSeconds: 25"));
  const outcome = await start();
  assert.equal(outcome.status, 1, outcome.text);
  return outcome;
}
const inStack = (...args: string[]) => kubectl(localTarget, ["--namespace", "apps", ...args]);

interface Ended {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
}
interface Status {
  readonly name: string;
  readonly ready: boolean;
  readonly state: { readonly running?: { readonly startedAt: string }; readonly terminated?: Ended };
}
interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly initContainerStatuses: readonly Status[];
    readonly containerStatuses: readonly Status[];
  };
}
async function podOf(name: string): Promise<Pod> {
  const selector = ["--selector", `app.kubernetes.io/name=${name}`];
  const found = await kubectlObjects(localTarget, ["--namespace", "apps", "get", "pods", ...selector]);
  const live = (found as unknown as Pod[]).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  assert.equal(live.length, 1, `${live.length} pods of ${name}`);
  return live[0] ?? assert.fail();
}
interface Answer {
  readonly service: string;
  readonly filled: string | false;
  readonly env: Readonly<Record<string, string>>;
}
async function ask(): Promise<Answer> {
  const { status, body } = await get(endpoint(), "https", "shop.localhost", "/shop/");
  assert.equal(status, 200, body);
  return JSON.parse(body) as Answer;
}

before(
  async () => {
    copyFileSync(stackFile, kept);
    await applied();
  },
  { timeout: 25 * 60_000 },
);
after(async () => {
  copyFileSync(kept, stackFile);
  rmSync(kept);
  await stop();
});

test("the sidecar is ready before the init containers run, and they have ended before the program starts", async () => {
  const { status } = await podOf("shop");
  const [side, wait, fill] = status.initContainerStatuses;
  const [shop] = status.containerStatuses;
  assert.deepEqual(
    [side, wait, fill, shop].map((each) => [each?.name, each?.ready]),
    ["side", "wait", "fill", "shop"].map((name) => [name, true]),
  );
  const times = [
    side?.state.running?.startedAt,
    wait?.state.terminated?.startedAt,
    wait?.state.terminated?.finishedAt,
    fill?.state.terminated?.startedAt,
    fill?.state.terminated?.finishedAt,
    shop?.state.running?.startedAt,
  ].map((time) => Date.parse(time ?? ""));
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  // Its startup probe held back what comes after it: it listens after three seconds.
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 2000, times.join());
});

test("an init container waits for a service that its variable names, and no other key", async () => {
  const { metadata } = await podOf("shop");
  const log = await inStack("logs", metadata.name, "-c", "wait");
  assert.match(log.trim(), /^started as wait(\nwaiting for http:\/\/cart:8080)+$/);
});

test("a folder is shared, a sidecar answers on 127.0.0.1, and its secret is its own", async () => {
  const { filled, env } = await ask();
  assert.equal(filled, '200 "sidecar with canary-side"');
  for (const name of ["TOKEN", "SIDE_TOKEN", "WAIT_FOR"]) assert.equal(env[name], undefined, name);
});

test("the doctor and a second start see nothing to do", async () => {
  const { status, text } = await local("doctor.ts", "local");
  assert.equal(status, 0, text);
  assert.match((await start()).text, /nothing to apply/);
});

test("a sidecar lives on while the program drains, and ends after it", { timeout: 4 * 60_000 }, async () => {
  const { metadata } = await podOf("shop");
  const follow = async (container: string) => {
    const text = await inStack("logs", "--follow", "--timestamps", metadata.name, "-c", container);
    return text
      .trim()
      .split("\n")
      .map((line) => ({ time: Date.parse(line.split(" ")[0] ?? ""), text: line.slice(line.indexOf(" ") + 1) }));
  };
  const logs = Promise.all([follow("shop"), follow("side")]);
  await inStack("delete", "pod", metadata.name);
  const [shop, side] = await logs;
  const timeOf = (log: typeof shop, text: string) =>
    log.find((line) => line.text === text)?.time ?? assert.fail(`no "${text}" in ${JSON.stringify(log)}`);
  assert.ok(
    shop.some(({ text }) => text === 'at its end the sidecar says 200 "sidecar with canary-side"'),
    JSON.stringify(shop),
  );
  assert.ok(timeOf(shop, "ended") <= timeOf(side, "SIGTERM"), JSON.stringify([shop, side]));
  assert.equal((await ask()).service, "containers");
});

test("one that fails, or that does not end, is named by the rollout's error", { timeout: 10 * 60_000 }, async () => {
  const broken: readonly (readonly [what: string, edit: (text: string) => string, error: readonly RegExp[]])[] = [
    [
      "an init container that fails",
      (text) => text.replace("args: [main.mjs, fill]", "args: [main.mjs, fail]"),
      [
        /pod shop-\S+: the init container fill: .*(status 3|CrashLoopBackOff)/,
        /the last log lines of the init container fill:\n.*started as fail\n.*no such setting/,
        /services\.shop\.init\[1\]/,
      ],
    ],
    [
      "an init container that waits for ever",
      (text) =>
        text.replace(
          "env: { WAIT_FOR: { url: cart } }",
          'env: { C: { url: cart }, WAIT_FOR: { expand: "$(C)/never" } }',
        ),
      [
        /pod shop-\S+: the init container wait: running, and the program waits for its end/,
        /the last log lines of the init container wait:\n.*waiting for http:\/\/cart:8080\/never/,
        /services\.shop\.init\[0\] in the stack's config, or what it waits for/,
      ],
    ],
    [
      "a sidecar whose check fails",
      (text) => text.replace("path: /readiness", "path: /never"),
      [/pod shop-\S+: the sidecar side: .*statuscode: 404/, /services\.shop\.sidecars\.side/],
    ],
  ];
  for (const [what, edit, error] of broken) {
    const { text } = await failing(edit);
    assert.match(text, /The rollout of shop .*; the previous release still serves/, what);
    for (const expected of error) assert.match(text, expected, what);
    assert.equal((await ask()).service, "containers", what);
  }
  const { text } = await local("doctor.ts", "local");
  assert.match(text, /the sidecar side: /);
  await applied();
});
