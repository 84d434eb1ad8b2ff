/** `npm run diff` in a git repository with a copy of this project. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { copyStacks } from "../../e2e/support/checkout.ts";

let repository: string;
const stackFile = () => join(repository, "Pulumi.staging.yaml");
const who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-c", "core.hooksPath="]; // prettier-ignore
const git = (...args: string[]) => execFileSync("git", [...who, ...args], { cwd: repository, encoding: "utf8" }).trim();

before(() => {
  repository = mkdtempSync(join(tmpdir(), "diff-repository-"));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: projectDir, encoding: "utf8" }); // prettier-ignore
  const skipped = /^((test|bench|docs|\.github|\.ci)\/|Pulumi\.)/;
  for (const file of files.split("\0").filter((each) => each !== "" && !skipped.test(each)))
    cpSync(join(projectDir, file), join(repository, file), { recursive: true });
  copyStacks(repository);
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(repository, ".git/info/exclude"), "node_modules\n");
  git("add", "--all");
  git("commit", "--quiet", "--message=base");
  git("tag", "base");
  symlinkSync(join(projectDir, "node_modules"), join(repository, "node_modules"));
});
after(() => {
  rmSync(repository, { recursive: true, force: true });
});
beforeEach(() => {
  git("checkout", "--quiet", "--force", "-B", "main", "base");
  git("clean", "--quiet", "--force", "-d");
});

function diff(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(repository, "tools/commands/diff.ts"), ...args],
    {
      cwd: dirname(repository),
      encoding: "utf8",
      timeout: 110_000,
    },
  );
  return { status, stdout, stderr };
}
function edit(from: string | RegExp, to: string) {
  const text = readFileSync(stackFile(), "utf8");
  assert.notEqual(text.replace(from, to), text);
  writeFileSync(stackFile(), text.replace(from, to));
}

test("an edited route is a changed object, with the routes as lines; the checkout stays unchanged", () => {
  edit("path: /hoge/", "path: /shop/");
  const { status, stdout, stderr } = diff("main", "staging");
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /^<!-- gke-microservices diff: staging -->\n## Stack `staging`\n\nKubernetes objects, compared with `main` \(/,
  );
  assert.ok(stdout.includes(`(${git("rev-parse", "main").slice(0, 12)})`));
  assert.match(stdout, /^\| changed \| 2 \| `ConfigMap apps\/nginx-proxy-routes`, `Deployment apps\/nginx-proxy` \|$/m);
  assert.match(stdout, /^- {8}location \/hoge\/ \{\n(-.*\n)*\+/m);
  assert.match(stdout, /^\+ {8}location \/shop\/ \{$/m);
  assert.doesNotMatch(stdout, /\[!CAUTION\]|\| (created|deleted|replaced) \|/);
  assert.equal(git("status", "--porcelain"), "M Pulumi.staging.yaml");
  assert.equal(git("worktree", "list").split("\n").length, 1);
});

test("removed objects are in the alert; with a preview, what the engine plans is there instead", () => {
  edit(/ {4}web:\n[^]*$/, "");
  const alone = diff("main", "staging");
  assert.equal(alone.status, 0, alone.stderr);
  assert.match(
    alone.stdout,
    /^> \[!CAUTION\]\n> \*\*THIS DELETES\*\*[^\n]*\n> - `docker:index\/image:Image staging-web`\n(> - `\w+ apps\/(pods-)?web(\.from\.nginx-proxy)?`\n){5}\n/m,
  );
  assert.match(alone.stdout, /^Other resources: 22 of Google, 5 of TLS, 3 of Docker\.$/m);

  const preview = join(repository, "preview.json");
  const urn = "urn:pulumi:staging::gke-microservices::gcp:container/cluster:Cluster::staging-cluster";
  writeFileSync(preview, JSON.stringify({ steps: [{ op: "replace", urn, replaceReasons: ["location"] }] }));
  const good = diff("main", "staging", "--preview", preview);
  assert.equal(good.status, 0, good.stderr);
  assert.match(
    good.stdout,
    /^> \[!CAUTION\]\n> \*\*THIS MEANS FOR USERS\*\*:\n> - The cluster is deleted and created again: [^\n]*\n>\n> \*\*`pulumi up` WOULD REPLACE\*\*:\n> - `gcp:container\/cluster:Cluster staging-cluster`, because of `location`\n\n/m,
  );
  assert.doesNotMatch(good.stdout, /according to the config|^Other resources/m);
});

test("another region replaces the cluster: the alert says so, but it is no failure", () => {
  edit("region: asia-northeast1", "region: us-central1");
  edit("[asia-northeast1-a]", "[us-central1-a]");
  const { status, stdout, stderr } = diff("main", "staging");
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /^> \[!CAUTION\]\n> \*\*THIS MEANS FOR USERS\*\*:\n> - The cluster is deleted and created again/m,
  );
  assert.match(stdout, /^> - `gcp:container\/cluster:Cluster staging-cluster`, because of `location` \(`asia-northeast1` → `us-central1`\), `subnetwork` of `staging-network-subnet`\n(> - [^\n]*\n){2}> - 23 Kubernetes objects, because of their cluster\n\nNo Kubernetes object differs but for its cluster, compared with `main` \([0-9a-f]{12}\): 23 in all\.$/m); // prettier-ignore
  assert.match(stdout, /^\| replaced \| 7 \| /m);
  assert.match(stdout, /^- `cluster-deletion-protection` by `gcp:container\/cluster:Cluster staging-cluster`: /m);
});

test("what the engine refuses, because it is protected, is a failure", () => {
  edit("deletionProtection: false", "deletionProtection: true");
  git("commit", "--quiet", "--all", "--message=protected");
  edit("region: asia-northeast1", "region: us-central1");
  edit("[asia-northeast1-a]", "[us-central1-a]");
  const { status, stdout } = diff("HEAD", "staging");
  assert.equal(status, 1);
  const [, refused = ""] = /^> \*\*`pulumi up` WOULD FAIL\*\*, because these are protected:\n((> - .*\n)*)/m.exec(stdout) ?? []; // prettier-ignore
  assert.deepEqual(
    refused.match(/[\w-]+(?=`)/g),
    ["staging-network-router", "staging-network-subnet", "staging-network-nat", "staging-cluster"],
    stdout,
  );
});

test("a base whose program cannot list its other resources yet", () => {
  const render = join(repository, "tools/commands/render.ts");
  writeFileSync(render, readFileSync(render, "utf8").replace(', resources: { type: "string" }', ""));
  git("commit", "--quiet", "--all", "--message=older");
  git("checkout", "--quiet", "base");
  edit("region: asia-northeast1", "region: us-central1");
  edit("[asia-northeast1-a]", "[us-central1-a]");
  edit("replicas: 3", "replicas: 4");
  const { status, stdout, stderr } = diff("main", "staging");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /\n\nOnly Kubernetes objects were compared: the base's program cannot list its other resources yet\.\n\nKubernetes objects/); // prettier-ignore
  assert.match(stdout, /^\| changed \| \d \| /m);
  assert.doesNotMatch(stdout, /CAUTION|[oO]ther resources?:|No other resource/);
});

test("the local stack has only Kubernetes objects", () => {
  const { status, stdout, stderr } = diff("main", "local");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^## Stack `local`\n\nNo Kubernetes object differs, compared with `main` \([0-9a-f]{12}\): 20 in all\.\n\n### Rules$/m); // prettier-ignore
});

test("an invalid config is reported with its errors, and so is a failed preview: both are failures", () => {
  edit("replicas: 3", "replicas: three\n    canary: 1");
  const preview = join(repository, "preview.json");
  writeFileSync(preview, "error: no credentials");
  const { status, stdout } = diff("HEAD", "staging", "--preview", preview);
  assert.equal(status, 1);
  assert.match(stdout, /`pulumi preview` FAILED/);
  assert.match(stdout, /THE PROGRAM FAILS[^]*```text\nerror: 2 problems in the config of stack staging; nothing was changed:\n {2}[\w-]+:proxy\.replicas\n/); // prettier-ignore
  assert.ok(!stdout.includes(repository) && !/^ +at /m.test(stdout));
});

test("a new stack, and a deleted one", () => {
  writeFileSync(join(repository, "Pulumi.demo.yaml"), readFileSync(stackFile()));
  const added = diff("main", "demo");
  assert.equal(added.status, 0, added.stderr);
  assert.match(added.stdout, /\n\nThe stack is new\.\n\nKubernetes objects[^]*^\| created \| \d\d \| /m);

  rmSync(join(repository, "Pulumi.production.yaml"));
  const deleted = diff("main", "production");
  assert.equal(deleted.status, 0, deleted.stderr);
  assert.match(
    deleted.stdout,
    /THIS DELETES[^]*\n\nThe stack file was deleted\. The stack's resources stay until `pulumi destroy`/,
  );
  assert.match(deleted.stdout, /^> - `gcp:container\/cluster:Cluster production-cluster`$/m);
  // No update can fail, and nothing changes for users before somebody destroys the stack.
  assert.doesNotMatch(deleted.stdout, /WOULD FAIL|FOR USERS/);
});

test("with an invalid base there is nothing to compare with", () => {
  edit("replicas: 3", "replicas: three");
  git("commit", "--quiet", "--all", "--message=refused");
  git("checkout", "--quiet", "base");
  const fixed = diff("main", "staging");
  assert.equal(fixed.status, 0, fixed.stderr);
  assert.match(fixed.stdout, /<summary>The base cannot be rendered, so there is nothing to compare with\.<\/summary>\n\n```text\nerror: 1 problem/); // prettier-ignore
  assert.doesNotMatch(fixed.stdout, /\| created \|/);
});

test("the text has no secret, encrypted or not, of the base or of the change", () => {
  const value = "canary-8c1f2ad0";
  const secrets = (text: string) => `  secrets:\n    hoge: { API_KEY: ${text} }\n`;
  appendFileSync(stackFile(), secrets(value));
  git("commit", "--quiet", "--all", "--message=plain");
  edit(secrets(value), secrets(`{ secure: "v1:${value}" }, OTHER: ${value}`));
  const encrypted = diff("HEAD", "staging");
  assert.equal(encrypted.status, 0, encrypted.stderr);
  assert.match(encrypted.stdout, /^Encrypted values differ, which the diffs do not show: `[\w-]+:secrets\.hoge\.API_KEY`\.$/m); // prettier-ignore
  assert.match(encrypted.stdout, /^\+ +OTHER: \(secret stringData\.OTHER not shown\)$/m);
  assert.match(
    encrypted.stdout,
    /^Warnings of `npm run check`:\n\n- `gke-microservices:secrets: holds values that are not encrypted/m,
  );
  assert.ok(!encrypted.stdout.includes(value));
});

const refusals: [string, string[], RegExp][] = [
  ["no stack", ["main"], /Name a revision and a stack/],
  ["a revision that does not exist", ["nowhere", "staging"], /has no revision "nowhere"/],
  ["a revision that is an option", ["--", "--output=x", "staging"], /has no revision "--output=x"/],
  ["a stack that would end the marker", ["main", "a --> b"], /is not the name of a stack/],
  [
    "a stack without a file",
    ["main", "nowhere"],
    /There is no Pulumi\.nowhere\.yaml in the working tree, nor in the base revision/,
  ],
  [
    "a limit that is too small",
    ["main", "staging", "--limit", "100"],
    /"100" is not a limit of 20000 characters or more/,
  ],
  ["a preview file that does not exist", ["main", "staging", "--preview", "/none"], /There is no \/none/],
];
for (const [what, args, message] of refusals)
  test(`rejected: ${what}`, () => {
    const { status, stdout, stderr } = diff(...args);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
