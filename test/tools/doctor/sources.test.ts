/** The doctor's sources, with scripts on PATH instead of the Pulumi CLI and kubectl. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { stringify } from "yaml";
import { fullKey } from "../../../names/project.ts";
import { certificate } from "../../../tools/doctor/diagnose/certificate.ts";
import { objectsOf } from "../../../tools/doctor/gather/objects.ts";
import { withSources, type Overrides, type Sources } from "../../../tools/doctor/sources.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { valid } from "../../config/refusal.ts";
import { answered, now, objects, subject } from "./examples.ts";

const folder = mkdtempSync(join(tmpdir(), "sources-"));
const bin = join(folder, "bin");
after(() => {
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  process.env["PATH"] = bin;
  process.env["PULUMI_HOME"] = folder;
});

function install(program: string, script: string): void {
  writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, program), 0o755);
}
const printing = (value: unknown) => `/bin/cat <<'END'\n${JSON.stringify(value)}\nEND`;

const kubeconfig = "apiVersion: v1\ncurrent-context: gke_acme\n";
const outputs = {
  address: "203.0.113.7",
  kubeconfig,
  caCertificate: "the stack's CA",
  certificates: { "staging.example.com": { name: "cert-1" }, "hoge.staging.example.com": {} },
};
const ports = { httpPort: 80, httpsPort: 443 };
const sourcesOf = <T>(
  use: (sources: Sources) => T,
  overrides: Partial<Overrides> = {},
  stack = "staging",
  project?: string,
) => withSources(stack, { ...ports, ...overrides }, (sources) => Promise.resolve(use(sources)), project);

test("address, cluster, CA and certificates come from the stack's outputs; the kubeconfig is removed afterwards", async () => {
  install("kubectl", "exit 0");
  install("pulumi", `echo "$@" > ${folder}/asked\n${printing(outputs)}`);
  const { target, ...sources } = await sourcesOf((sources) => {
    const { target } = sources;
    assert.ok(typeof target === "object" && target.kubeconfig !== undefined);
    assert.equal(readFileSync(target.kubeconfig, "utf8"), kubeconfig);
    assert.equal(statSync(target.kubeconfig).mode & 0o777, 0o600);
    return { ...sources, target };
  });
  assert.match(readFileSync(join(folder, "asked"), "utf8"), /^stack output --json --show-secrets --stack staging /);
  assert.deepEqual([target.context, existsSync(target.kubeconfig ?? "")], ["gke_acme", false]);
  assert.deepEqual([sources.address, sources.outputsError], ["203.0.113.7", undefined]);
  assert.ok(sources.ca.endsWith("the stack's CA"));
  assert.deepEqual(sources.certificates, { "staging.example.com": "cert-1" });
  assert.equal(sources.subject.kubectl, "kubectl --context gke-microservices-staging -n apps");
});

for (const [what, script, why] of [
  ["no Pulumi CLI", undefined, /there is no Pulumi CLI on PATH\. Install it .* or run "npx pulumi version" once\.$/],
  [
    "a stack that the backend does not have",
    "echo \"error: no stack named 'staging' found\" >&2; exit 255",
    /has no stack/,
  ],
  ["a missing passphrase", "echo 'error: passphrase must be set' >&2; exit 255", /status 255: error: passphrase/],
] as const)
  test(`${what}: the cluster is unknown, but requests to the edge are possible`, async () => {
    install("kubectl", "exit 0");
    if (script !== undefined) install("pulumi", script);
    const { target, outputsError, address } = await sourcesOf((sources) => sources);
    assert.match(outputsError ?? "", why);
    // The fix is printed once, where the outputs are asked for.
    assert.ok(typeof target === "string" && target !== outputsError && outputsError?.startsWith(`${target} `));
    assert.equal(address, undefined);
  });

test("a stack without a cluster yet", async () => {
  install("kubectl", "exit 0");
  install("pulumi", printing({}));
  const { target, outputsError } = await sourcesOf((sources) => sources);
  assert.deepEqual([target, outputsError], ["the stack staging has no kubeconfig yet", undefined]);
});

test("options take precedence over the stack's values", async () => {
  install("kubectl", "exit 0");
  install("pulumi", printing(outputs));
  const ca = join(folder, "ca.crt");
  writeFileSync(ca, "a private CA");
  const sources = await sourcesOf((found) => found, { address: "198.51.100.1", context: "mine", ca });
  assert.deepEqual(
    [sources.address, sources.target],
    ["198.51.100.1", { kubectl: join(bin, "kubectl"), context: "mine" }],
  );
  assert.ok(sources.ca.includes("a private CA"));
  await assert.rejects(
    sourcesOf(() => undefined, { ca: join(folder, "nowhere") }),
    Problem,
  );
});

test("on an existing cluster, the CA of a self-signed stack is trusted", async () => {
  install("kubectl", "exit 0");
  const config = { ...valid, tls: { mode: "self-signed" } };
  const full = Object.fromEntries(Object.entries(config).map(([key, value]) => [fullKey(key), value]));
  writeFileSync(join(folder, "Pulumi.theirs.yaml"), stringify({ config: full }));
  const theirs = () => sourcesOf((sources) => sources, {}, "theirs", folder);
  install("pulumi", printing({ caCertificate: "the stack's CA" }));
  const { ca, target, outputsError } = await theirs();
  assert.deepEqual([typeof target === "object" && target.context, outputsError], ["somewhere", undefined]);
  assert.ok(ca.endsWith("the stack's CA"));

  rmSync(join(bin, "pulumi"));
  const without = await theirs();
  assert.match(without.outputsError ?? "", /no Pulumi CLI/);
  const presented = { host: "shop.example.com", untrusted: "SELF_SIGNED_CERT_IN_CHAIN", fits: true, issuer: "CN=x" };
  const seen = { presented: [{ ...presented, to: new Date(now.getTime() + 1e10) }], http: answered(200), now };
  assert.equal(certificate({ ...seen, outputsError: without.outputsError }, without.subject).state, "unknown");
});

test("a stopped local stack says so, and npm start is the fix: no cluster is asked", async () => {
  install("kubectl", `echo "$@" >> ${folder}/asked-stopped; exit 0`);
  const local = (overrides: Partial<Overrides>, runs: boolean) =>
    withSources(
      "local",
      { ...ports, ...overrides },
      (sources) => Promise.resolve(sources),
      undefined,
      () => runs,
    );
  await assert.rejects(local({}, false), {
    name: "Problem",
    message: "The stack local is stopped: the Kubernetes of npm start does not run on this machine.",
    fix: "Run npm start.",
  });
  assert.equal(existsSync(join(folder, "asked-stopped")), false);
  // Who names another place means that one.
  const elsewhere = await local({ context: "kind" }, false);
  assert.ok(typeof elsewhere.target === "object");
  assert.equal(elsewhere.target.context, "kind");
  assert.equal((await local({ address: "198.51.100.1" }, false)).address, "198.51.100.1");
  assert.equal((await local({}, true)).subject.kubectl, "kubectl --kubeconfig .local/kubeconfig -n apps");
});

test("commands never go to the current context, even if the cluster cannot be reached", async () => {
  const { subject: without, target } = await sourcesOf((sources) => sources);
  assert.equal(typeof target, "string");
  assert.equal(without.kubectl, "kubectl --context gke-microservices-staging -n apps");
  const named = await sourcesOf((sources) => sources, { context: "mine" });
  assert.equal(named.subject.kubectl, "kubectl --context mine -n apps");
});

const of = subject("staging");
const target = () => ({ kubectl: join(bin, "kubectl"), context: "here" });

test("objects are read in one call, Secrets only by name", async () => {
  const { services, deployments, pods, ingress } = objects(of);
  const kinds = (kind: string, list: readonly object[]) => list.map((one) => ({ kind, ...one }));
  const tls = { ...ingress, spec: { ...ingress?.spec, tls: [{ secretName: "there" }, { secretName: "gone" }] } };
  const items = [
    ...kinds("Service", services),
    ...kinds("Deployment", deployments),
    ...kinds("Pod", pods),
    { kind: "Ingress", ...tls },
  ];
  const event = (reason: string, lastTimestamp: string) => ({ kind: "Event", reason, lastTimestamp });
  const events = { items: [event("late", "2026-01-02T00:00:00Z"), event("early", "2026-01-01T00:00:00Z")] };
  install(
    "kubectl",
    `echo "$@" >> ${folder}/kubectl
case "$*" in
*services,deployments*) ${printing({ items })}
;;
*backendconfigs*) ${printing({ items: [{ kind: "BackendConfig", metadata: { name: "nginx-proxy" }, spec: {} }] })}
;;
*"get events"*) ${printing(events)}
;;
*"get secret there"*) echo secret/there ;;
esac`,
  );
  const found = await objectsOf(target(), of);
  assert.ok(typeof found === "object");
  assert.deepEqual(
    [found.services.length, found.deployments.length, found.pods.length],
    [services.length, deployments.length, pods.length],
  );
  assert.deepEqual(found.missingSecrets, ["gone"]);
  assert.deepEqual([found.ingress?.metadata.name, found.backendConfig?.metadata.name], ["ingress", "nginx-proxy"]);
  assert.deepEqual(
    found.events.map(({ reason }) => reason),
    ["early", "late"],
  );
  const asked = readFileSync(join(folder, "kubectl"), "utf8").trim().split("\n");
  for (const line of asked) assert.match(line, /^--context here get (nodes |.*-n apps)/);
  for (const line of asked.filter((one) => one.includes("secret"))) assert.match(line, /-o name$/);
});

test("Jobs are read only for a stack that has some: not everybody has the right to", async () => {
  const asked = async (services: Record<string, object>) => {
    const log = join(folder, "jobs");
    rmSync(log, { force: true });
    install("kubectl", `echo "$@" >> ${log}; echo '{"items":[]}'`);
    assert.equal(typeof (await objectsOf(target(), subject("staging", { services }))), "object");
    const all = readFileSync(log, "utf8");
    return { jobs: all.includes("jobs.batch -n"), cronJobs: all.includes("get cronjobs.batch --show-managed-fields") };
  };
  const image = "example.com/a:1";
  const web = { image, routes: [{ path: "/" }] };
  assert.deepEqual(await asked({ web }), { jobs: false, cronJobs: false });
  const release = { args: ["migrate"] };
  assert.deepEqual(await asked({ web: { ...web, release } }), { jobs: true, cronJobs: false });
  const cleanup = { image, args: ["cleanup"], schedule: "0 3 * * *" };
  assert.deepEqual(await asked({ web, cleanup }), { jobs: true, cronJobs: true });
});

test("without the right to read Secrets, none counts as missing", async () => {
  const { ingress } = objects(of);
  const items = [{ kind: "Ingress", ...ingress, spec: { ...ingress?.spec, tls: [{ secretName: "there" }] } }];
  install(
    "kubectl",
    `case "$*" in
*"get secret"*) echo 'Error from server (Forbidden)' >&2; exit 1 ;;
*services,deployments*) ${printing({ items })}
;;
*) echo '{"items":[]}' ;;
esac`,
  );
  const found = await objectsOf(target(), of);
  assert.deepEqual(typeof found === "object" && found.missingSecrets, []);
});

test("the reason why the cluster cannot be read is kubectl's last line", async () => {
  install("kubectl", "echo 'E1 memcache' >&2; echo 'error: You must be logged in to the server' >&2; exit 1");
  assert.equal(await objectsOf(target(), of), "kubectl: error: You must be logged in to the server");
  rmSync(join(bin, "kubectl"));
  assert.equal(await objectsOf(target(), of), "there is no kubectl on PATH");
  assert.equal(await objectsOf("no way", of), "no way");
});
