/** `npm run bootstrap`: its steps, its script in a real shell, and --run, with mocks of gcloud, npm and npx. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { parse, stringify } from "yaml";
import { keyNameOf } from "../../../tools/bootstrap/keyName.ts";
import { projectNumber } from "../../../tools/bootstrap/commands.ts";
import { bootstrapScript, quote } from "../../../tools/bootstrap/script.ts";
import { bootstrapSteps, type BootstrapArgs } from "../../../tools/bootstrap/steps.ts";
import { projectDir, stacksDir } from "../../../tools/cli/paths.ts";
import { mocked, type Mocked } from "./mockGcloud.ts";

const args: BootstrapArgs = {
  stack: "staging",
  project: "acme-staging",
  region: "asia-northeast1",
  pulumiProject: "gke-microservices",
  keyName: "gke-microservices",
  bucket: "acme-staging-pulumi-state",
  grants: ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"],
  scan: false,
  dns: false,
  certificateManager: false,
  iap: false,
  requestMetrics: false,
  repository: "acme/shop",
  branch: "main",
};
const at = "--location=asia-northeast1 --project=acme-staging";
const key = `gke-microservices --keyring=pulumi ${at}`;
const deployer = "pulumi-deployer@acme-staging.iam.gserviceaccount.com";
const previewer = "pulumi-previewer@acme-staging.iam.gserviceaccount.com";
const pool = "gke-microservices --location=global --project=acme-staging";
const provider = "github-acme-shop --workload-identity-pool=gke-microservices --location=global --project=acme-staging";
const only = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly";
const principals = `principalSet://iam.googleapis.com/projects/$PROJECT_NUMBER/locations/global/workloadIdentityPools/gke-microservices`;
const may = (member: string, role: string, condition = "None") =>
  `gcloud projects add-iam-policy-binding acme-staging --role=${role} --member=serviceAccount:${member} --condition=${condition}`;
const onBucket = (member: string, role: string) =>
  `gcloud storage buckets add-iam-policy-binding gs://acme-staging-pulumi-state --role=${role} --member=serviceAccount:${member}`;
const onKey = (member: string, role: string) =>
  `gcloud kms keys add-iam-policy-binding ${key} --role=${role} --member=serviceAccount:${member}`;
const ofAccounts = `^;^title=pods-act-as-accounts;expression=${only}(['roles/iam.workloadIdentityUser'])`;
const ofRoles = (...roles: string[]) =>
  `^;^title=roles-of-gke-microservices;expression=${only}([${roles.map((role) => `'${role}'`).join(", ")}])`;

/** The commands in order. The check whether a step is done comes before "||". */
const expected = [
  "gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com iam.googleapis.com iamcredentials.googleapis.com sts.googleapis.com storage.googleapis.com cloudkms.googleapis.com compute.googleapis.com container.googleapis.com binaryauthorization.googleapis.com artifactregistry.googleapis.com dns.googleapis.com certificatemanager.googleapis.com iap.googleapis.com logging.googleapis.com --project=acme-staging",
  "gcloud services list --enabled --limit=1 --project=acme-staging",
  "gcloud iam service-accounts list --limit=1 --project=acme-staging",
  "gcloud storage buckets list --limit=1 --project=acme-staging",
  "gcloud kms keyrings list --location=asia-northeast1 --limit=1 --project=acme-staging",
  "gcloud compute regions describe asia-northeast1 --project=acme-staging",
  "gcloud container clusters list --region=asia-northeast1 --limit=1 --project=acme-staging",
  "gcloud container binauthz policy export --project=acme-staging",
  "gcloud artifacts repositories list --location=asia-northeast1 --limit=1 --project=acme-staging",
  "gcloud dns managed-zones list --limit=1 --project=acme-staging",
  "gcloud certificate-manager maps list --limit=1 --project=acme-staging",
  "gcloud iap web get-iam-policy --project=acme-staging",
  "gcloud logging metrics list --limit=1 --project=acme-staging",
  "gcloud projects describe acme-staging --format=value(projectNumber)",

  `gcloud storage buckets describe gs://acme-staging-pulumi-state || gcloud storage buckets create gs://acme-staging-pulumi-state ${at} --uniform-bucket-level-access --public-access-prevention`,
  "gcloud storage buckets update gs://acme-staging-pulumi-state --uniform-bucket-level-access --public-access-prevention --versioning",
  `gcloud kms keyrings describe pulumi ${at} || gcloud kms keyrings create pulumi ${at}`,
  `gcloud kms keys describe ${key} || gcloud kms keys create ${key} --purpose=encryption --rotation-period=90d --next-rotation-time=+p90d`,

  `gcloud iam service-accounts describe ${deployer} --project=acme-staging || gcloud iam service-accounts create pulumi-deployer --project=acme-staging --display-name=Pulumi deployer of gke-microservices`,
  may(deployer, "roles/container.admin"),
  may(deployer, "roles/compute.networkAdmin"),
  may(deployer, "roles/compute.securityAdmin"),
  may(deployer, "roles/artifactregistry.admin"),
  may(deployer, "roles/serviceusage.serviceUsageAdmin"),
  may(deployer, "roles/compute.viewer"),
  may(deployer, "roles/iam.serviceAccountUser"),
  may(deployer, "roles/iam.serviceAccountAdmin", ofAccounts),
  may(
    deployer,
    "roles/resourcemanager.projectIamAdmin",
    ofRoles("roles/artifactregistry.reader", "roles/container.defaultNodeServiceAccount"),
  ),
  onBucket(deployer, "roles/storage.objectUser"),
  onKey(deployer, "roles/cloudkms.cryptoKeyEncrypterDecrypter"),

  `gcloud iam service-accounts describe ${previewer} --project=acme-staging || gcloud iam service-accounts create pulumi-previewer --project=acme-staging --display-name=Pulumi previewer of gke-microservices`,
  "gcloud iam roles describe pulumiSecretsReader --project=acme-staging || gcloud iam roles create pulumiSecretsReader --project=acme-staging --title=Pulumi secrets reader --permissions=container.secrets.get,container.secrets.list",
  may(previewer, "roles/container.viewer"),
  may(previewer, "roles/compute.viewer"),
  may(previewer, "roles/artifactregistry.reader"),
  may(previewer, "roles/iam.serviceAccountViewer"),
  may(previewer, "roles/iam.securityReviewer"),
  may(previewer, "roles/serviceusage.serviceUsageViewer"),
  may(previewer, "projects/acme-staging/roles/pulumiSecretsReader"),
  onBucket(previewer, "roles/storage.objectViewer"),
  onKey(previewer, "roles/cloudkms.cryptoKeyDecrypter"),

  `gcloud iam workload-identity-pools describe ${pool} || gcloud iam workload-identity-pools create ${pool}`,
  `gcloud iam workload-identity-pools providers describe ${provider} || gcloud iam workload-identity-pools providers create-oidc ${provider} --issuer-uri=https://token.actions.githubusercontent.com --attribute-mapping=google.subject=assertion.sub,attribute.ref=assertion.repository + '/' + assertion.ref,attribute.event=assertion.repository + '/' + assertion.event_name --attribute-condition=assertion.repository == 'acme/shop' && assertion.event_name != 'pull_request_target'`,
  `gcloud iam service-accounts add-iam-policy-binding ${deployer} --project=acme-staging --role=roles/iam.workloadIdentityUser --member=${principals}/attribute.ref/acme/shop/refs/heads/main`,
  `gcloud iam service-accounts add-iam-policy-binding ${previewer} --project=acme-staging --role=roles/iam.workloadIdentityUser --member=${principals}/attribute.event/acme/shop/pull_request`,

  "npx pulumi login gs://acme-staging-pulumi-state",
  "npm run --silent full-keys -- staging",
  "npx pulumi stack select staging || npx pulumi stack init staging --secrets-provider gcpkms://projects/acme-staging/locations/asia-northeast1/keyRings/pulumi/cryptoKeys/gke-microservices",
];
const commandsOf = (of: BootstrapArgs) =>
  bootstrapSteps(of).flatMap((step) =>
    "list" in step ? [] : [[...(step.exists ? [step.exists.join(" ")] : []), step.command.join(" ")].join(" || ")],
  );

test("the steps are in order, each with a reason", () => {
  assert.deepEqual(commandsOf(args), expected);
  for (const { why } of bootstrapSteps(args)) assert.match(why, /^[A-Z][^\n]{10,}$/);
});

test("one call enables all APIs; scans of images, which cost money, only if a stack has them", () => {
  const enabled = (of: BootstrapArgs) => commandsOf(of)[0]?.match(/\w+\.googleapis\.com/g) ?? [];
  assert.equal(enabled(args).length, 15);
  assert.deepEqual(enabled({ ...args, scan: true }), [...enabled(args), "containerscanning.googleapis.com"]);
  // https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchEnable
  assert.ok(enabled({ ...args, scan: true }).length <= 20);
});

test("without a repository there is no workload identity pool; a zone, certificates, IAP and a metric add roles", () => {
  const { repository: _, ...alone } = args;
  assert.deepEqual(
    commandsOf(alone),
    expected.filter((command) => !/workload-identity-pools|principalSet/.test(command)),
  );
  const more = commandsOf({ ...args, dns: true, certificateManager: true, iap: true, requestMetrics: true }).filter(
    (each) => !expected.includes(each),
  );
  assert.deepEqual(more, [
    may(deployer, "roles/dns.admin"),
    may(deployer, "roles/certificatemanager.owner"),
    may(deployer, "roles/iap.admin"),
    may(deployer, "roles/logging.configWriter"),
    may(previewer, "roles/dns.reader"),
    may(previewer, "roles/certificatemanager.viewer"),
    may(previewer, "roles/logging.viewer"),
  ]);
});

const encryptionKey = "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets";
const lending = `^;^title=gke-uses-key;expression=${only}(['roles/cloudkms.cryptoKeyEncrypterDecrypter'])`;

test("with an encryption key, the owner lets GKE use it, and the deployer can neither destroy nor lend it to others", () => {
  assert.deepEqual(
    commandsOf({ ...args, encryptionKey }).filter((each) => !expected.includes(each)),
    [
      "gcloud beta services identity create --service=container.googleapis.com --project=acme-staging",
      `gcloud kms keys add-iam-policy-binding ${encryptionKey} --role=roles/cloudkms.cryptoKeyEncrypterDecrypter --member=serviceAccount:service-$PROJECT_NUMBER@container-engine-robot.iam.gserviceaccount.com --condition=None`,
      "gcloud iam roles describe pulumiKeyLender --project=acme-keys || gcloud iam roles create pulumiKeyLender --project=acme-keys --title=Pulumi key lender --permissions=cloudkms.cryptoKeys.getIamPolicy,cloudkms.cryptoKeys.setIamPolicy",
      `gcloud kms keys add-iam-policy-binding ${encryptionKey} --role=projects/acme-keys/roles/pulumiKeyLender --member=serviceAccount:${deployer} --condition=${lending}`,
    ],
  );
  assert.doesNotMatch(commandsOf({ ...args, encryptionKey }).join("\n"), /cloudkms\.admin/);
});

test("the roles that the deployer may grant are in lists of ten, ten lists in a condition, without duplicates", () => {
  const grants = Array.from({ length: 112 }, (_, index) => `roles/api.r${String(index).padStart(3, "0")}`);
  const conditions = (of: readonly string[]) =>
    commandsOf({ ...args, grants: of }).flatMap((command) => {
      const [, condition] = command.split(" --condition=^;^title=roles-of-gke-microservices;expression=");
      return condition === undefined ? [] : [condition];
    });
  const list = (from: number, to: number) => `${only}(['${grants.slice(from, to).join("', '")}'])`;
  assert.deepEqual(conditions(grants.slice(0, 12).reverse()), [`${list(0, 10)} || ${list(10, 12)}`]);
  const [first, second, ...others] = conditions(grants);
  assert.equal(first?.split(" || ").length, 10);
  assert.equal(second, `${list(100, 110)} || ${list(110, 112)}`);
  assert.deepEqual(others, []);
  assert.deepEqual(conditions([...grants, ...grants]), conditions(grants));
});

test("a quoted word is one word for a shell, which expands only the script's variables", () => {
  const words = fc.sample(
    fc.string({ unit: "grapheme" }).map((word) => word.replaceAll("\0", "")),
    300,
  );
  const hard = ["", "a'b", '$HOME `id` "x" \\', "^;^a;b", `x/${projectNumber}/"$HOME"\\`, "--role=$role", "$roles"];
  const all = [...words, ...hard];
  const { stdout } = spawnSync("sh", ["-c", `PROJECT_NUMBER=42 role=r; printf '%s\\0' ${all.map(quote).join(" ")}`]);
  assert.deepEqual(
    stdout.toString().split("\0").slice(0, -1),
    all.map((word) => word.replaceAll(projectNumber, "42").replaceAll(/\$role\b/g, "r")),
  );
});

function runScript(of: BootstrapArgs, { folder }: Mocked, env: Record<string, string> = {}) {
  const options = { input: bootstrapScript(of), env: { PATH: `${folder}:/usr/bin:/bin`, ...env }, timeout: 60_000 };
  const { status, stdout, stderr } = spawnSync("sh", options);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

async function bootstrap(path: string, words: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(projectDir, "tools/commands/bootstrap.ts"), ...words], {
    cwd: tmpdir(),
    env: { ...process.env, ...env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, stdout, stderr };
}

/** The commands that change an empty project. */
const isRead = (command: string) => / (describe|select) [^|]*$| get-iam-policy /.test(command);
const changes = expected
  .filter((command) => !isRead(command))
  .map((command) => (command.split(" || ").at(-1) ?? "").replace("$PROJECT_NUMBER", "123456789"));
const repeated = expected
  .filter((command) => !isRead(command) && !command.includes(" || "))
  .map((command) => command.replace("$PROJECT_NUMBER", "123456789"));

test("the printed script runs the steps; a second run skips those that are done, and grants the same", (t) => {
  const mock = mocked(t);
  const first = runScript(args, mock);
  assert.equal(first.status, 0, first.stderr);
  assert.deepEqual(mock.commandsRun(), changes);
  assert.equal(
    first.stdout.slice(first.stdout.indexOf("gh variable")),
    [
      "gh variable set STAGING_STATE --repo acme/shop --body gs://acme-staging-pulumi-state",
      `gh variable set STAGING_DEPLOYER --repo acme/shop --body ${deployer}`,
      `gh variable set STAGING_PREVIEWER --repo acme/shop --body ${previewer}`,
      "gh variable set STAGING_IDENTITY_PROVIDER --repo acme/shop --body projects/123456789/locations/global/workloadIdentityPools/gke-microservices/providers/github-acme-shop\n",
    ].join("\n"),
  );
  const granted = mock.grants();
  assert.equal(granted.length, 22);
  const again = runScript(args, mock);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /^\[15\/\d+\] A bucket for Pulumi's state\n {2}already exists$/m);
  assert.deepEqual(mock.commandsRun(), [...changes, ...repeated]);
  assert.deepEqual(mock.grants(), granted);
});

/** Grants that an earlier run did not make: other members, other roles, other conditions. */
const ofOthers = [
  "acme-staging|user:owner@example.com|roles/dns.admin  ",
  `acme-staging|serviceAccount:${deployer}|roles/storage.admin  `,
  `acme-staging|serviceAccount:${deployer}|roles/dns.admin until-may request.time < timestamp('2030-05-01T00:00:00Z')`,
  "acme-staging|serviceAccount:other@acme-staging.iam.gserviceaccount.com|roles/resourcemanager.projectIamAdmin roles-of-gke-microservices true",
  `${deployer}|user:owner@example.com|roles/iam.workloadIdentityUser  `,
];

test("property: after any runs, the grants are those of the last run, and those of others stay", () => {
  const pick = (...roles: string[]) => fc.subarray(roles);
  const run = fc.record({
    grants: pick("roles/a.a", "roles/b.b", "roles/c.c", ...Array.from({ length: 9 }, (_, i) => `roles/d.d${i}`)),
    ...{ dns: fc.boolean(), certificateManager: fc.boolean(), iap: fc.boolean(), requestMetrics: fc.boolean() },
    branch: fc.constantFrom("main", "release/1"),
    repository: fc.constantFrom("acme/shop", "acme/store"),
    encryptionKey: fc.constantFrom(undefined, encryptionKey),
  });
  const grantsAfter = (runs: readonly Partial<BootstrapArgs>[]) => {
    const cleanups: (() => void)[] = [];
    const mock = mocked({ after: (action) => void cleanups.push(action as () => void) });
    mock.grant(...ofOthers);
    for (const each of runs) {
      const { status, stderr } = runScript(
        { ...args, ...each, grants: [...args.grants, ...(each.grants ?? [])] },
        mock,
      );
      assert.equal(status, 0, stderr);
    }
    const grants = mock.grants();
    cleanups.forEach((action) => {
      action();
    });
    return grants;
  };
  // A key that the config no longer names keeps its grants: data may still be encrypted with it.
  const ofKey = (line: string) => line.startsWith(encryptionKey);
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 3 }), (runs) => {
      const [last = { encryptionKey: undefined }] = runs.slice(-1);
      const found = grantsAfter(runs);
      assert.deepEqual(
        found.filter((line) => last.encryptionKey !== undefined || !ofKey(line)),
        grantsAfter([last]),
      );
      for (const line of ofOthers) assert.ok(found.includes(line), line);
    }),
    { numRuns: 8 },
  );
});

test("what an earlier version granted is taken back, and each removal is printed", (t) => {
  const mock = mocked(t);
  const old = `roles/resourcemanager.projectIamAdmin roles-of-gke-microservices ${only}(['roles/old.role'])`;
  const admin = `roles/cloudkms.admin gke-uses-key ${only}(['roles/cloudkms.cryptoKeyEncrypterDecrypter'])`;
  const branch = `${principals.replace("$PROJECT_NUMBER", "123456789")}/attribute.ref/acme/shop/refs/heads/old`;
  mock.grant(
    `acme-staging|serviceAccount:${deployer}|${old}`,
    `${encryptionKey}|serviceAccount:${deployer}|${admin}`,
    `${deployer}|${branch}|roles/iam.workloadIdentityUser  `,
  );
  const { status, stdout, stderr } = runScript({ ...args, encryptionKey }, mock);
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.match(/^ {2}takes back .*$/gm), [
    `  takes back ${old}`,
    `  takes back ${admin}`,
    `  takes back ${branch}`,
  ]);
  assert.deepEqual(
    mock.grants().filter((line) => /old|cloudkms\.admin/.test(line)),
    [],
  );
  // New grants come first, so that the deployer never lacks one.
  const run = mock.commandsRun();
  const isOf = (verb: string) => (command: string) => command.includes(`${verb}-iam-policy-binding acme-staging `);
  assert.ok(run.findIndex(isOf("remove")) > run.findIndex(isOf("add")));
});

test("a new account that Google does not know yet is tried again, ever less often, and not for ever", (t) => {
  const mock = mocked(t);
  const naps = () => mock.commandsRun().filter((command) => command.startsWith("sleep"));
  mock.delay(3);
  const unknown = { UNKNOWN: "add-iam-policy-binding acme-staging" };
  const first = runScript(args, mock, unknown);
  assert.equal(first.status, 0, first.stderr);
  assert.deepEqual(naps(), ["sleep 2", "sleep 4", "sleep 8"]);
  assert.match(
    first.stdout,
    /^\[20\/\d+\] The deployer may manage the cluster.*\n {2}not ready yet: next attempt in 2 s\n/m,
  );
  assert.deepEqual(
    mock.commandsRun().filter((command) => !command.startsWith("sleep")),
    changes,
  );

  mock.delay(50);
  const second = runScript(args, mock, unknown);
  assert.equal(second.status, 1);
  assert.deepEqual(
    naps().slice(3),
    [2, 4, 8, 16, 32, 64, 128].map((seconds) => `sleep ${seconds}`),
  );
  assert.match(second.stderr, /^ERROR: .*does not exist\.\n$/);
});

test("the guide quotes what the script prints", () => {
  const guide = readFileSync(join(projectDir, "docs/first-deployment.md"), "utf8");
  const [, quoted] = /`(not ready yet: next attempt in )8 s`/.exec(guide) ?? [];
  assert.ok(quoted !== undefined && bootstrapScript(args).includes(`say "  ${quoted}$seconds s"`));
});

/** A stack in a project of its own: other tests write files of staging's project at the same time. */
function stackFile(t: TestContext, name: string, changes: object = {}): string {
  const stack = `${name}-${process.pid}`;
  const file = join(stacksDir, `Pulumi.${stack}.yaml`);
  t.after(() => {
    rmSync(file, { force: true });
  });
  const { config } = parse(readFileSync(join(stacksDir, "Pulumi.staging.yaml"), "utf8")) as { config: object };
  writeFileSync(file, stringify({ config: { ...config, "gcp:project": "acme-boot", ...changes } }));
  return stack;
}
const boot = { ...args, project: "acme-boot", bucket: "acme-boot-pulumi-state", scan: true };
const github = ["--repository", "acme/shop"];

test("without --run, the command only prints the script", async (t) => {
  const mock = mocked(t);
  const stack = stackFile(t, "boot");
  const { status, stdout, stderr } = await bootstrap(mock.folder, [stack, ...github]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, bootstrapScript({ ...boot, stack }));
  assert.deepEqual(mock.commandsRun(), []);
});

test("the roles follow from the stack's config, and from the other stacks of the project", async (t) => {
  const { folder } = mocked(t);
  const service = (roles: readonly string[]) => ({ image: "a/b:1", routes: [{ path: "/" }], roles });
  const iap = { members: ["group:developers@example.com"] };
  const gateway = stackFile(t, "gateway", {
    cluster: { kind: "gke", encryptionKey },
    edge: { kind: "gateway" },
    tls: { mode: "managed" },
    dns: { create: true },
    proxy: { image: "a/proxy:1", metrics: { byService: true } },
    services: { web: service(["roles/cloudtrace.agent"]) },
    registry: { kind: "artifact-registry", scan: false },
  });
  const needs = { ...boot, bucket: "acme-state", branch: "main", repository: undefined, scan: false };
  const alone = await bootstrap(folder, [gateway, "--bucket", "acme-state"]);
  const grants = [...args.grants, "roles/cloudtrace.agent"];
  const ofGateway = { grants, encryptionKey, dns: true, certificateManager: true, requestMetrics: true };
  assert.equal(alone.stdout, bootstrapScript({ ...needs, stack: gateway, ...ofGateway }), alone.stderr);

  const ingress = stackFile(t, "ingress", {
    edge: { kind: "gce", iap },
    services: { web: service(["roles/pubsub.publisher"]) },
  });
  stackFile(t, "elsewhere", { "gcp:project": "acme-boot-2", services: { web: service(["roles/other.role"]) } });
  const both = await bootstrap(folder, [ingress, "--bucket", "acme-state"]);
  const { encryptionKey: _, ...shared } = ofGateway;
  assert.equal(
    both.stdout,
    bootstrapScript({
      ...{ ...needs, ...shared, scan: true, iap: true, stack: ingress },
      grants: [...args.grants, "roles/pubsub.publisher", "roles/cloudtrace.agent"],
    }),
    both.stderr,
  );

  const broken = stackFile(t, "broken", { services: { web: service(["roles/owner"]) } });
  const refused = await bootstrap(folder, [ingress]);
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout, "");
  assert.match(refused.stderr, new RegExp(`The stack ${broken} may share the project of ${ingress}[^]*roles/owner`));
  assert.match(refused.stderr, new RegExp(`\nFix Pulumi\\.${broken}\\.yaml, or delete it if the stack is gone\\.`));
});

test("--run stops at a failed step with the reason, and continues from there when run again", async (t) => {
  const mock = mocked(t);
  const words = [stackFile(t, "run"), ...github, "--run"];
  const path = `${mock.folder}:/usr/bin:/bin`;
  const stopped = await bootstrap(path, words, { FAILING: "kms keys create" });
  assert.equal(stopped.status, 1);
  assert.match(
    stopped.stderr,
    /^\nerror: \[18\/52\] failed: ERROR: \(gcloud\) denied\nFix that and run the same command again\. Completed steps are skipped\.$/m,
  );
  assert.match(
    stopped.stdout,
    /^\[18\/52\] The key that encrypts secrets in config and state, rotated every 90 days$/m,
  );
  assert.equal(mock.commandsRun().at(-1)?.startsWith("gcloud kms keyrings create pulumi"), true);

  const again = await bootstrap(path, words);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /^\[17\/52\] A key ring for the key below\n {2}already exists$/m);
  assert.match(
    again.stdout,
    /^gh variable set RUN_\d+_IDENTITY_PROVIDER --repo acme\/shop --body projects\/123456789\//m,
  );
});

test("for a missing program, the problem says where to get it", async (t) => {
  const words = [stackFile(t, "missing"), ...github, "--run"];
  const shell = mocked(t, []);
  const noGcloud = await bootstrap(`${shell.folder}:/usr/bin/nowhere`, words);
  assert.equal(noGcloud.status, 1);
  assert.match(noGcloud.stderr, /There is no sh on this machine\.\nRun the script on a machine that has it/);
  symlinkSync("/bin/sh", join(shell.folder, "sh"));
  const { status, stderr } = await bootstrap(shell.folder, words);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /The first step failed: There is no gcloud on this machine\. Install it: https:\/\/cloud\.google\.com\/sdk\/docs\/install\nFix that/,
  );
});

const refused: [string, string[], RegExp][] = [
  ["no stack", [], /Name exactly one stack/],
  ["two stacks", ["staging", "local"], /Name exactly one stack/],
  ["a stack without a file", ["nowhere"], /There is no .*Pulumi\.nowhere\.yaml/],
  ["a stack that is not on Google", ["local"], /has nothing on Google Cloud: its cluster\.kind is existing/],
  ["a repository without its owner", ["staging", "--repository", "shop"], /--repository "shop" is not owner\/name/],
  [
    "a repository that would end the condition",
    ["staging", "--repository", "a/b' || '"],
    /--repository .* is not owner/,
  ],
  ["a branch that is a pattern", ["staging", "--branch", "*"], /--branch "\*" is not the name of a branch/],
  [
    "a placeholder project",
    ["staging"],
    /The stack staging still has the placeholder "acme-staging" as gcp:project\.\nSet the id/,
  ],
  [
    "a bucket with a reserved prefix",
    ["staging", "--bucket", "goog-state"],
    /Google takes no bucket named goog-state: "goog" is reserved/,
  ],
  [
    "a bucket with a reserved word",
    ["staging", "--bucket", "acme-google-state"],
    /named acme-google-state: "google" is reserved[^]*--bucket acme-pulumi-state/,
  ],
  ["a bucket with its scheme", ["staging", "--bucket", "gs://x"], /--bucket "gs:\/\/x" is not 3 to 63/],
];
test("the project of a stack file as it comes is refused with --run, and a warning without", async (t) => {
  const { folder } = mocked(t);
  const { status, stdout, stderr } = await bootstrap(folder, ["staging"]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^# Run for the project acme-staging, /m);
  assert.equal(
    stderr,
    'warning: The stack staging still has the placeholder "acme-staging" as gcp:project. Set the id of your own project as gcp:project in Pulumi.staging.yaml.\n',
  );
});

for (const [what, words, message] of refused)
  test(`rejected: ${what}`, async (t) => {
    const { folder, commandsRun } = mocked(t);
    const { status, stdout, stderr } = await bootstrap(folder, [...words, "--run"]);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.deepEqual(commandsRun(), []);
  });

test("the key has the project's name, and the pool and the condition the same in every copy", () => {
  const renamed = bootstrapScript({ ...args, pulumiProject: "acme-shop", keyName: "acme-shop" });
  const changed = bootstrapScript(args)
    .replaceAll("kms keys describe gke-microservices ", "kms keys describe acme-shop ")
    .replaceAll("kms keys create gke-microservices ", "kms keys create acme-shop ")
    .replaceAll("kms keys add-iam-policy-binding gke-microservices ", "kms keys add-iam-policy-binding acme-shop ")
    .replaceAll("/cryptoKeys/gke-microservices", "/cryptoKeys/acme-shop")
    .replaceAll("er of gke-microservices", "er of acme-shop");
  assert.equal(renamed, changed);
  assert.notEqual(renamed, bootstrapScript(args));
  assert.match(renamed, /workload-identity-pools create gke-microservices /);
  assert.match(renamed, /title=roles-of-gke-microservices;/);
});

test("a stack keeps the key that its file names", () => {
  const place = { pulumiProject: "acme-shop", project: "acme-staging", region: "asia-northeast1" };
  const ring = "projects/acme-staging/locations/asia-northeast1/keyRings/pulumi/cryptoKeys";
  const name = (stackFile: string, pulumiProject = place.pulumiProject) =>
    keyNameOf({ ...place, pulumiProject }, stackFile);
  assert.equal(name("config:\n  domain: shop.example.com\n"), "acme-shop");
  assert.equal(name("", "gke-microservices"), "gke-microservices");
  assert.equal(name("", "Acme.Shop"), "acme-shop-984f18");
  assert.equal(name(`secretsprovider: gcpkms://${ring}/gke-microservices\nencryptedkey: CiQA\n`), "gke-microservices");
  assert.equal(name(`secretsprovider: "gcpkms://${ring}/older"\n`), "older");
  for (const other of [
    "passphrase",
    `gcpkms://${ring.replace("acme-staging", "acme-other")}/gke-microservices`,
    `gcpkms://${ring.replace("keyRings/pulumi", "keyRings/own")}/gke-microservices`,
    `gcpkms://${ring}/a/b`,
  ])
    assert.equal(name(`secretsprovider: ${other}\n`), "acme-shop", other);
});
