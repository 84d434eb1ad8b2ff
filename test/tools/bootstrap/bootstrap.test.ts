/** `npm run bootstrap`: its steps, its script in a real shell, and --run, with a mock of gcloud, npm and npx. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { parse, stringify } from "yaml";
import { bootstrapScript, quote } from "../../../tools/bootstrap/script.ts";
import { bootstrapSteps, projectNumber, type BootstrapArgs } from "../../../tools/bootstrap/steps.ts";
import { projectDir } from "../../../tools/cli/paths.ts";

const args: BootstrapArgs = {
  stack: "staging",
  project: "acme-staging",
  region: "asia-northeast1",
  bucket: "acme-staging-pulumi-state",
  grants: ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"],
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

/** The commands in order. The check whether a step is done comes before "||". */
const expected = [
  "gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com iam.googleapis.com iamcredentials.googleapis.com sts.googleapis.com storage.googleapis.com cloudkms.googleapis.com --project=acme-staging",
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
  may(
    deployer,
    "roles/iam.serviceAccountAdmin",
    `^;^title=pods-act-as-accounts;expression=${only}(['roles/iam.workloadIdentityUser'])`,
  ),
  may(
    deployer,
    "roles/resourcemanager.projectIamAdmin",
    `^;^title=roles-of-gke-microservices;expression=${only}(['roles/artifactregistry.reader', 'roles/container.defaultNodeServiceAccount'])`,
  ),
  onBucket(deployer, "roles/storage.objectUser"),
  onKey(deployer, "roles/cloudkms.cryptoKeyEncrypterDecrypter"),

  `gcloud iam service-accounts describe ${previewer} --project=acme-staging || gcloud iam service-accounts create pulumi-previewer --project=acme-staging --display-name=Pulumi previewer of gke-microservices`,
  may(previewer, "roles/container.viewer"),
  may(previewer, "roles/compute.viewer"),
  may(previewer, "roles/artifactregistry.reader"),
  may(previewer, "roles/iam.serviceAccountViewer"),
  may(previewer, "roles/iam.securityReviewer"),
  may(previewer, "roles/serviceusage.serviceUsageViewer"),
  "gcloud iam roles describe pulumiSecretsReader --project=acme-staging || gcloud iam roles create pulumiSecretsReader --project=acme-staging --title=Pulumi secrets reader --permissions=container.secrets.get,container.secrets.list",
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
  bootstrapSteps(of).map(({ command, exists }) =>
    [...(exists ? [exists.join(" ")] : []), command.join(" ")].join(" || "),
  );

test("the steps are in order, each with a reason", () => {
  assert.deepEqual(commandsOf(args), expected);
  for (const { why } of bootstrapSteps(args)) assert.match(why, /^[A-Z][^\n]{10,}$/);
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

test("with an encryption key, the deployer may allow only GKE to use it", () => {
  const name = "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets";
  assert.deepEqual(
    commandsOf({ ...args, encryptionKey: name }).filter((each) => !expected.includes(each)),
    [
      `gcloud kms keys add-iam-policy-binding ${name} --role=roles/cloudkms.admin --member=serviceAccount:${deployer} --condition=^;^title=gke-uses-key;expression=${only}(['roles/cloudkms.cryptoKeyEncrypterDecrypter'])`,
    ],
  );
});

test("the roles that the deployer may grant are in lists of at most ten, without duplicates", () => {
  const grants = Array.from({ length: 12 }, (_, index) => `roles/api.r${String(index).padStart(2, "0")}`);
  const condition = (of: readonly string[]) =>
    bootstrapSteps({ ...args, grants: of })
      .flatMap(({ command }) => command)
      .find((word) => word.includes("roles-of-gke-microservices"));
  const [first, second] = [grants.slice(0, 10), grants.slice(10)].map((list) => `'${list.join("', '")}'`);
  assert.equal(
    condition([...grants].reverse()),
    `--condition=^;^title=roles-of-gke-microservices;expression=${only}([${first ?? ""}]) || ${only}([${second ?? ""}])`,
  );
  assert.equal(condition([...grants, ...grants]), condition(grants));
});

test("a quoted word is one word for a shell, which expands only the project number", () => {
  const words = fc.sample(
    fc.string({ unit: "grapheme" }).map((word) => word.replaceAll("\0", "")),
    300,
  );
  const hard = ["", "a'b", '$HOME `id` "x" \\', "^;^a;b", `x/${projectNumber}/"$HOME"\\`];
  const all = [...words, ...hard];
  const { stdout } = spawnSync("sh", ["-c", `PROJECT_NUMBER=42; printf '%s\\0' ${all.map(quote).join(" ")}`]);
  assert.deepEqual(
    stdout.toString().split("\0").slice(0, -1),
    all.map((word) => word.replaceAll(projectNumber, "42")),
  );
});

/** A mock of gcloud, npm and npx. Its log records what was created. Commands that contain $FAILING fail. */
const mock = (log: string) => `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const [, script, ...words] = process.argv;
const command = [require("node:path").basename(script), ...words];
const before = existsSync(${JSON.stringify(log)}) ? readFileSync(${JSON.stringify(log)}, "utf8").trim().split("\\n").map((line) => JSON.parse(line)) : [];
const verb = command.findIndex((word) => /^(describe|select|create|create-oidc|init)$/.test(word));
const thing = (of, at) => [...of.slice(0, at), (of[at + 1] ?? "").split("@")[0]].join(" ");
if (command.slice(1, 3).join(" ") === "projects describe") { console.log("123456789"); process.exit(0); }
if (/^(describe|select)$/.test(command[verb] ?? ""))
  process.exit(before.some((of) => of.some((word, at) => /^(create|create-oidc|init)$/.test(word) && thing(of, at) === thing(command, verb))) ? 0 : 1);
if (process.env.FAILING && command.join(" ").includes(process.env.FAILING)) { console.error("ERROR: (gcloud) denied"); process.exit(1); }
appendFileSync(${JSON.stringify(log)}, JSON.stringify(command) + "\\n");
`;

/** A folder with the mocked programs, and the changing commands that they ran so far. */
function mocked(t: TestContext, programs = ["gcloud", "npm", "npx"]) {
  const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const log = join(folder, "log");
  writeFileSync(join(folder, "mock"), mock(log), { mode: 0o755 });
  for (const program of programs) symlinkSync("mock", join(folder, program));
  const lines = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
  return { folder, commandsRun: () => lines().map((line) => (JSON.parse(line) as string[]).join(" ")) };
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
const changes = expected.map((command) => (command.split(" || ").at(-1) ?? "").replace("$PROJECT_NUMBER", "123456789"));
const repeated = expected
  .filter((command) => !/ (describe|select) /.test(command))
  .map((command) => command.replace("$PROJECT_NUMBER", "123456789"));
const staging = ["staging", "--repository", "acme/shop"];

test("the printed script runs the steps; a second run skips those that are done", (t) => {
  const { folder, commandsRun } = mocked(t);
  const options = { input: bootstrapScript(args), env: { PATH: `${folder}:/usr/bin:/bin` }, timeout: 60_000 };
  const first = spawnSync("sh", options);
  assert.equal(first.status, 0, first.stderr.toString());
  assert.deepEqual(commandsRun(), changes);
  assert.equal(
    first.stdout.toString(),
    [
      "gh variable set STAGING_STATE --repo acme/shop --body gs://acme-staging-pulumi-state",
      `gh variable set STAGING_DEPLOYER --repo acme/shop --body ${deployer}`,
      `gh variable set STAGING_PREVIEWER --repo acme/shop --body ${previewer}`,
      "gh variable set STAGING_IDENTITY_PROVIDER --repo acme/shop --body projects/123456789/locations/global/workloadIdentityPools/gke-microservices/providers/github-acme-shop\n",
    ].join("\n"),
  );
  assert.equal(spawnSync("sh", options).status, 0);
  assert.deepEqual(commandsRun(), [...changes, ...repeated]);
});

test("without --run, the command only prints the script", async (t) => {
  const { folder, commandsRun } = mocked(t);
  const { status, stdout, stderr } = await bootstrap(folder, staging);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, bootstrapScript(args));
  assert.deepEqual(commandsRun(), []);
});

test("the roles follow from the stack's config", async (t) => {
  const { folder } = mocked(t);
  const stack = `boot-${process.pid}`;
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  t.after(() => {
    rmSync(file, { force: true });
  });
  const { config } = parse(readFileSync(join(projectDir, "Pulumi.production.yaml"), "utf8")) as { config: object };
  const encryptionKey = "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets";
  const iap = { members: ["group:developers@example.com"] };
  for (const [edge, more] of [
    [{ kind: "gateway" }, { certificateManager: true, iap: false, requestMetrics: true }],
    [
      { kind: "gce", iap },
      { certificateManager: false, iap: true, requestMetrics: false },
    ],
  ] as const) {
    const changed = {
      ...config,
      cluster: { kind: "gke", encryptionKey },
      edge: edge,
      dns: { create: true },
      proxy: { metrics: { byService: more.requestMetrics } },
    };
    writeFileSync(file, stringify({ config: changed }));
    const { stdout, stderr } = await bootstrap(folder, [stack, "--bucket", "acme-state"]);
    const grants = [...args.grants, "roles/cloudtrace.agent"];
    const settings = { project: "acme-production", region: "asia-northeast1", bucket: "acme-state", branch: "main" };
    assert.equal(stdout, bootstrapScript({ stack, ...settings, grants, encryptionKey, dns: true, ...more }), stderr);
  }
});

test("--run stops at a failed step with the reason, and continues from there when run again", async (t) => {
  const { folder, commandsRun } = mocked(t);
  const failing = changes.findIndex((command) => command.includes("kms keys create"));
  const stopped = await bootstrap(folder, [...staging, "--run"], { FAILING: "kms keys create" });
  assert.equal(stopped.status, 1);
  assert.match(
    stopped.stderr,
    new RegExp(`^error: \\[${failing + 1}/${changes.length}\\] failed: "gcloud kms keys cre`, "m"),
  );
  assert.match(stopped.stderr, /ERROR: \(gcloud\) denied\nFix that and run the same command again/);
  assert.deepEqual(commandsRun(), changes.slice(0, failing));

  const again = await bootstrap(folder, [...staging, "--run"]);
  assert.equal(again.status, 0, again.stderr);
  const rest = commandsRun().slice(failing);
  assert.deepEqual(rest, [
    ...changes.slice(0, failing).filter((command) => repeated.includes(command)),
    ...changes.slice(failing),
  ]);
  assert.match(again.stdout, /^\[2\/\d+\] A bucket for Pulumi's state: already exists$/m);
  assert.match(
    again.stdout,
    /^gh variable set STAGING_IDENTITY_PROVIDER --repo acme\/shop --body projects\/123456789\//m,
  );
});

test("for a missing program, the problem says where to get it", async (t) => {
  const { folder } = mocked(t, []);
  const { status, stderr } = await bootstrap(folder, [...staging, "--run"]);
  assert.equal(status, 1);
  assert.match(stderr, /^\nerror: There is no gcloud on this machine\.\nInstall it \(https:[^]*omit --run/);
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
  ["a bucket with its scheme", ["staging", "--bucket", "gs://x"], /--bucket "gs:\/\/x" is not 3 to 63/],
];
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
