/** Quotas of a new project that a stack's own numbers exceed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { readStackFile, stackFile } from "../../tools/stack/stackFile.ts";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const production = () => checkConfig(readStackFile(stackFile("production")), "production", projectDir);
const ofPools = (nodePools: object | undefined, cluster: object = {}) =>
  checkConfig(
    raw(
      {
        domain: valid.domain,
        cluster: { kind: "gke", zones: ["asia-northeast1-a"], nodePools, ...cluster },
        services: {},
      },
      google,
    ),
    "test",
    projectDir,
  ).notes;
const exceeded = (nodePools: object | undefined, cluster: object = {}) =>
  ofPools(nodePools, cluster).map((text) => /new project: ([^;]+);/.exec(text)?.[1]);

test("production's file: at most 18 nodes, and one for upgrades", () => {
  assert.deepEqual(production().notes, [
    'gke-microservices:cluster.nodePools: 19 nodes, the most that there may be, one for the upgrades of each pool included, exceed the quotas of a new project: CPUS 76 of 24, CPUS_ALL_REGIONS 76 of 32, SSD_TOTAL_GB 1900 of 500; read yours and raise them ("Quotas" in docs/first-deployment.md), or lower maxPerZone, machineType or diskGb',
    'gke-microservices:edge.armor: makes a policy of Cloud Armor, which may exceed the quota of a new project, as on a free trial: SECURITY_POLICIES 1 of 0; read yours and raise them ("Quotas" in docs/first-deployment.md), or leave armor out until then',
  ]);
});

test("quotas are no warnings: only `npm run check` shows them, as notes", () => {
  assert.deepEqual(
    production().warnings.filter((text) => text.includes("quota")),
    [],
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(projectDir, "tools/commands/check.ts"), "production"],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^production: the config is valid/);
  assert.deepEqual(
    stderr.split("\n").filter((line) => line.includes("quota")),
    production().notes.map((text) => `note: ${text}`),
  );
});

test("the default pool grows to more than a new project has", () => {
  assert.deepEqual(exceeded(undefined, { zones: undefined }), ["CPUS 40 of 24, CPUS_ALL_REGIONS 40 of 32"]);
});

test("staging's file stays within them, and so does a pool with one node less", () => {
  assert.deepEqual(checkConfig(readStackFile(stackFile("staging")), "staging", projectDir).notes, []);
  const pool = { machineType: "e2-standard-2", diskGb: 100 };
  assert.deepEqual(exceeded({ main: { ...pool, maxPerZone: 4 } }), []);
  assert.deepEqual(exceeded({ main: { ...pool, maxPerZone: 5 } }), ["SSD_TOTAL_GB 600 of 500"]);
});

test("zones and pools add up, each pool with its own node for upgrades", () => {
  const pool = { machineType: "e2-standard-2", diskGb: 20, maxPerZone: 4 };
  assert.deepEqual(exceeded({ main: pool }), []);
  assert.deepEqual(exceeded({ main: pool }, { zones: undefined }), ["CPUS 26 of 24"]);
  assert.deepEqual(exceeded({ main: { ...pool, maxPerZone: 5 }, batch: { ...pool, maxPerZone: 5 } }), []);
  assert.deepEqual(exceeded({ main: { ...pool, maxPerZone: 6 }, batch: { ...pool, maxPerZone: 5 } }), [
    "CPUS 26 of 24",
  ]);
});

test("each series has its own quota, and disks that are no SSD have another", () => {
  const pool = { maxPerZone: 2, diskGb: 200 };
  assert.deepEqual(exceeded({ main: { ...pool, machineType: "n2-standard-4" } }), [
    "N2_CPUS 12 of 8, SSD_TOTAL_GB 600 of 500",
  ]);
  assert.deepEqual(exceeded({ main: { ...pool, machineType: "n2d-standard-8", diskType: "pd-standard" } }), []);
  assert.deepEqual(exceeded({ main: { ...pool, machineType: "c4-standard-16", diskType: "hyperdisk-balanced" } }), [
    "CPUS_ALL_REGIONS 48 of 32",
  ]);
});

test("Autopilot and existing clusters have no pools of the stack's", () => {
  assert.deepEqual(ofPools(undefined, { mode: "autopilot", zones: undefined }), []);
  assert.deepEqual(checkConfig(raw(valid), "test", projectDir).notes, []);
});

test("each host of an Ingress has a certificate of Google's, and the fallback two while it changes", () => {
  const notes = (hosts: number, tls: object, edge: object = { kind: "gce" }) =>
    checkConfig(
      raw(
        {
          domain: valid.domain,
          cluster: { kind: "gke", zones: ["asia-northeast1-a"] },
          edge,
          tls,
          services: {
            web: { image: "a/b:1", routes: Array.from({ length: hosts - 1 }, (_, at) => ({ host: `h${at}` })) },
          },
        },
        google,
      ),
      "test",
      projectDir,
    ).notes;
  assert.deepEqual(notes(8, { mode: "managed" }), []);
  assert.deepEqual(notes(9, { mode: "managed" }), [
    'gke-microservices:tls.mode: a certificate for each of 9 hosts, and two while the fallback changes, exceed the quota of a new project: SSL_CERTIFICATES 11 of 10; read yours and raise them ("Quotas" in docs/first-deployment.md), or use edge.kind gateway with tls.wildcard',
  ]);
  assert.deepEqual(notes(10, { mode: "managed", fallback: "none" }), []);
  assert.match(
    notes(11, { mode: "managed", fallback: "none" })[0] ?? "",
    /of 11 hosts exceed .* SSL_CERTIFICATES 11 of 10/,
  );
  assert.match(notes(15, { mode: "managed" })[0] ?? "", /SSL_CERTIFICATES 15 of 10/); // No room for a fallback.
  assert.deepEqual(notes(15, { mode: "self-signed" }), []);
  assert.deepEqual(notes(40, { mode: "managed" }, { kind: "gateway" }), []);
});

test("Cloud Armor needs a quota that a free trial does not have", () => {
  const notes = (edge: object) =>
    checkConfig(raw({ domain: valid.domain, cluster: { kind: "gke", zones: ["asia-northeast1-a"] }, edge, services: {} }, google), "test", projectDir).notes; // prettier-ignore
  assert.deepEqual(notes({ kind: "gce" }), []);
  for (const kind of ["gce", "gateway"]) assert.match(notes({ kind, armor: {} })[0] ?? "", /SECURITY_POLICIES 1 of 0/);
});
