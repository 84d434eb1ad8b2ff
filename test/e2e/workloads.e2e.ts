/** Commands, workers, ports, health, files, folders and variables: what the config says is what the program sees. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, kubectlObjects } from "../../tools/cli/kubectl.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import { localSecretsFile } from "../../tools/stack/stackFile.ts";
import { get } from "../../tools/verify/request.ts";
import { local, localTarget, stackFile, stop, type Outcome } from "./support/commands.ts";
import { underLoad } from "./support/load.ts";
import { endpoint, start } from "./support/path.ts";

const kept = `${stackFile}.kept`;
const folder = join(projectDir, "test/e2e/workloads/files");
/** Secrets of this machine, which count before those of the stack file. */
const ownSecrets = join(projectDir, localSecretsFile);
const binary = Buffer.from([0, 1, 2, 255, 254]);
/** In the short version, still longer than the start that is allowed without `startSeconds`. */
const slowSeconds = process.env["SHORT"] === undefined ? 150 : 70;

/** Named by its file, so that a changed file is a new release. */
const writeBanner = (text: string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "banner.txt"), text);
  writeFileSync(join(folder, "data.bin"), binary);
};

const services = `    all:
      build: { context: ./test/e2e/workloads }
      args: [main.mjs, server, "50 $", "$(POD)", "$(NOTHING)", "$(TOKEN)"]
      port: 80
      ports: { admin: 9090 }
      health: { path: "/live?full=true", host: shop.localhost, headers: { X-Health: "1" } }
      routes: [{ path: /all/ }]
      env:
        ADMIN_PORT: 9090
        POD: { pod: name }
        PLACE: { expand: "$(POD) at $(IP) on $(NODE) in $(SPACE)" }
        IP: { pod: ip }
        NODE: { pod: node }
        HOST_IP: { pod: hostIp }
        SPACE: { pod: namespace }
        PASSWORD: { secret: DB }
        COMMON: { secret: COMMON }
        DSN: { expand: "postgres://app:$(PASSWORD)@db/shop" }
        LITERAL: "$(POD) $$ \${X}"
        OTHER: { url: other }
      files:
        /etc/all/banner.txt: { from: ./test/e2e/workloads/files/banner.txt }
        /etc/all/data.bin: { from: ./test/e2e/workloads/files/data.bin }
        /srv/scratch/inner.txt: { text: "inside a folder" }
        /keys/jwt.pem: { secret: JWT }
      scratch: { /srv/scratch: 8Mi, /srv/memory: { size: 4Mi, memory: true } }
      user: 999
      labels: { team: checkout }
      annotations: { example.com/team: checkout }
      resources: { cpu: 20m, memory: 96Mi }
    other:
      like: all
      args: [main.mjs, server]
      port: 8080
      servicePort: 81
      health: tcp
      env: { OTHER: { url: all }, DSN: null, PLACE: null, LITERAL: null, ADMIN_PORT: null, START_SECONDS: null }
      routes: [{ path: /other/ }]
      replicas: 1
    jobs:
      like: all
      args: [main.mjs, worker]
      port: none
      replicas: 2
      health: { exec: [/usr/bin/node, -e, "require('fs').statSync('/tmp/alive')"] }
      shutdownSeconds: 30
`;
const secrets = `  secrets:
    all: { DB: canary-db, JWT: replaced, TOKEN: canary-token }
    shared: { COMMON: canary-common, UNUSED: canary-unused }
`;
const write = (edit: (text: string) => string = (text) => text) => {
  writeFileSync(stackFile, edit(readFileSync(kept, "utf8") + services + secrets));
};
async function applied(edit?: (text: string) => string): Promise<string> {
  write(edit);
  const { status, text } = await start();
  assert.equal(status, 0, text);
  return text;
}
const inStack = (...args: string[]) => kubectl(localTarget, ["--namespace", "apps", ...args]);
const objects = (kind: string, ...more: string[]) =>
  kubectlObjects(localTarget, ["--namespace", "apps", "get", kind, ...more]);
const podsOf = async (name: string) => {
  const found = await objects("pods", "--selector", `app.kubernetes.io/name=${name}`);
  return found.filter(({ metadata }) => !("deletionTimestamp" in metadata)).map(({ metadata }) => metadata.name);
};

interface State {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
}
async function ask<T>(path: string, service = "all"): Promise<T> {
  const { status, body } = await get(endpoint(), "https", "shop.localhost", `/${service}${path}`);
  assert.equal(status, 200, body);
  return JSON.parse(body) as T;
}
const outcomeOf = async (path: string) => (await ask<{ outcome: string }>(`/write?path=${path}`)).outcome;

before(
  async () => {
    copyFileSync(stackFile, kept);
    writeFileSync(ownSecrets, "config:\n  secrets:\n    all: { JWT: canary-jwt }\n");
    writeBanner("first");
    await applied();
  },
  { timeout: 25 * 60_000 },
);
after(async () => {
  copyFileSync(kept, stackFile);
  rmSync(kept);
  rmSync(ownSecrets);
  rmSync(folder, { recursive: true });
  await stop();
});

test("words and variables arrive as they were written; only $(NAME) of a variable is replaced", async () => {
  const { words, env, uid } = await ask<State>("/state");
  assert.deepEqual(words, ["50 $", env["POD"], "$(NOTHING)", "canary-token"]);
  assert.match(env["POD"] ?? "", /^all-/);
  assert.equal(env["PLACE"], `${env["POD"]} at ${env["IP"]} on local in apps`);
  assert.deepEqual(
    ["PORT", "FROM_IMAGE", "PASSWORD", "COMMON", "DSN", "LITERAL", "OTHER", "TOKEN"].map((name) => env[name]),
    [
      ...["80", "1", "canary-db", "canary-common", "postgres://app:canary-db@db/shop", "$(POD) $$ ${X}"],
      ...["http://other:81", "canary-token"],
    ],
  );
  for (const name of ["DB", "JWT", "UNUSED"]) assert.equal(env[name], undefined, name);
  assert.equal(uid, 999);
});

test("files are there, unchanged and read-only; the secret one is for the program alone", async () => {
  const read = (path: string) => ask<{ mode: string; base64: string }>(`/read?path=${path}`);
  const text = async (path: string) => Buffer.from((await read(path)).base64, "base64").toString();
  assert.equal(await text("/etc/all/banner.txt"), "first");
  assert.equal(await text("/srv/scratch/inner.txt"), "inside a folder");
  assert.equal((await read("/etc/all/data.bin")).base64, binary.toString("base64"));
  const secret = await read("/keys/jwt.pem");
  assert.deepEqual([Buffer.from(secret.base64, "base64").toString(), secret.mode], ["canary-jwt", "440"]);
  for (const path of ["/etc/all/banner.txt", "/keys/jwt.pem", "/app/new", "/etc/all/new"])
    assert.match(await outcomeOf(path), /^E(ROFS|ACCES)$/, path);
});

test("/tmp and the folders of scratch are writable, also in memory", async () => {
  for (const path of ["/tmp/a", "/srv/scratch/a", "/srv/memory/a"])
    assert.equal(await outcomeOf(path), "written", path);
});

test("labels and annotations are on the pods, beside the program's own", async () => {
  const [pod] = (await objects("pods", "--selector", "app.kubernetes.io/name=all,team=checkout")) as unknown as {
    metadata: { annotations: Record<string, string> };
  }[];
  assert.equal(pod?.metadata.annotations["example.com/team"], "checkout");
});

test("services reach each other at the addresses in their variables, at further ports too, and no others", async () => {
  const reach = async (from: string, url: string) =>
    (await ask<{ status: number | string }>(`/reach?url=${encodeURIComponent(url)}`, from)).status;
  assert.equal(await reach("all", "http://other:81/"), 200);
  assert.equal(await reach("other", "http://all/"), 200);
  assert.equal(await reach("other", "http://all:9090/"), 200);
  assert.equal(await reach("all", "http://hoge:8080/"), "timeout", "no key allows it");
});

test("a worker has no Service; npm start and the doctor show its pods", async () => {
  const names = (await objects("services")).map(({ metadata }) => metadata.name);
  assert.ok(!names.some((name) => name.includes("jobs")), names.join());
  const { status, text } = await local("doctor.ts", "local");
  assert.equal(status, 0, text);
  assert.match(text, /jobs.*2 of 2 ready/);
  assert.equal((await inStack("logs", "deployment/jobs", "--tail=1")).trim(), "started as worker");
});

test("a worker gets SIGTERM at once and finishes its job; a service still answers for 40 s", async () => {
  const [[worker = ""], [server = ""]] = [await podsOf("jobs"), await podsOf("other")];
  const log = inStack("logs", "--follow", worker);
  const began = Date.now();
  await Promise.all([inStack("delete", "pod", worker), inStack("delete", "pod", server, "--wait=false")]);
  const seconds = (Date.now() - began) / 1000;
  assert.match(await log, /SIGTERM\nended/);
  assert.ok(seconds < 15, `${seconds} s`);
  assert.doesNotMatch(await inStack("logs", server), /SIGTERM/);
});

test("a worker whose check fails is restarted", { timeout: 4 * 60_000 }, async () => {
  const [worker = ""] = await podsOf("jobs");
  await inStack("exec", worker, "--", "/usr/bin/node", "-e", "require('fs').rmSync('/tmp/alive')");
  const restarts = () => inStack("get", "pod", worker, "-o", "jsonpath={.status.containerStatuses[0].restartCount}");
  for (let tries = 0; tries < 120 && (await restarts()) !== "1"; tries++) await sleep(1000);
  assert.equal(await restarts(), "1");
});

test("a changed file rolls out like a release, and no request is lost", { timeout: 5 * 60_000 }, async () => {
  writeBanner("second");
  const good = (status: number, body: string) => status === 200 && body.includes(`"service":"workloads"`);
  const target = { url: "https://shop.localhost/all/", ca: endpoint().ca, good };
  const { result, load } = await underLoad(target, () => applied());
  assert.match(result, /applied ConfigMap\/all-files-\w+, /);
  assert.match(result, /pruned .*ConfigMap\/all-files-\w+/);
  assert.deepEqual(load.failures, []);
  assert.ok(load.sent > 500, `${load.sent} requests`);
  let text = "";
  for (let tries = 0; tries < 30 && text !== "second"; tries++) {
    if (tries > 0) await sleep(1000);
    const { base64 } = await ask<{ base64: string }>("/read?path=/etc/all/banner.txt");
    text = Buffer.from(base64, "base64").toString();
  }
  assert.equal(text, "second");
  assert.match(await applied(), /nothing to apply/);
});

test("a pod that fills a folder beyond its size is replaced", { timeout: 6 * 60_000 }, async () => {
  const before = await podsOf("all");
  await ask("/fill?folder=/srv/scratch");
  const isReplaced = async () => (await podsOf("all")).some((name) => !before.includes(name));
  for (let tries = 0; tries < 150 && !(await isReplaced()); tries++) await sleep(2000);
  assert.ok(await isReplaced());
  assert.match(await inStack("get", "events"), /Evicted.*EmptyDir/s);
});

test("a program that needs long to start gets the time that health says", { timeout: 10 * 60_000 }, async () => {
  const slow = (text: string) =>
    text
      .replace("user: 999", "user: 999\n      replicas: 1")
      .replace("ADMIN_PORT: 9090", `ADMIN_PORT: 9090\n        START_SECONDS: ${slowSeconds}`)
      .replace('path: "/live', `startSeconds: ${slowSeconds + 30}, path: "/live`);
  const text = await applied(slow);
  assert.match(text, /ok +https:\/\/shop\.localhost\/all\//);
  // Pods of the release before still answer for a moment, each time another one of the proxy asks.
  let seen: string | undefined;
  for (let tries = 0; tries < 30 && seen === undefined; tries++) {
    seen = (await ask<State>("/state")).env["START_SECONDS"];
    if (seen === undefined) await sleep(1000);
  }
  assert.equal(seen, String(slowSeconds));
});

async function failing(edit: (text: string) => string): Promise<Outcome> {
  write((text) => edit(text).replace("config:", "config:\n  rolloutSeconds: 25"));
  return start();
}

test("broken: the cause and the key are named, and the old release serves", { timeout: 10 * 60_000 }, async () => {
  await applied();
  const broken: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    [
      "a command that is not in the image",
      (text) => text.replace("args: [main.mjs, worker]", "command: [/bin/nothing]\n      args: [main.mjs, worker]"),
      /pod jobs-.*no such file/,
    ],
    [
      "a check by a command that fails",
      (text) => text.replace("/tmp/alive')\"", "/tmp/dead')\""),
      /pod jobs-.*Startup probe failed/,
    ],
    [
      "a port that nothing listens on",
      (text) => text.replace("health: tcp", "health: { tcp: true, port: 82 }"),
      /pod other-.*refused/,
    ],
    [
      "a host that the framework refuses",
      (text) => text.replace("host: shop.localhost,", "host: example.com,"),
      /pod all-.*statuscode: 400/,
    ],
  ];
  for (const [what, edit, cause] of broken) {
    const { status, text } = await failing(edit);
    assert.equal(status, 1, `${what}: ${text}`);
    assert.match(text, cause, what);
    assert.equal((await ask<{ service: string }>("/")).service, "workloads", what);
  }
  await applied();
});
