/** Quotas of a new project that a stack's own numbers exceed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readStackFile, stackFile } from "../../tools/stack/stackFile.ts";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const about = (warnings: readonly string[]) => warnings.filter((text) => text.includes("quotas of a new project"));
const ofPools = (nodePools: object | undefined, cluster: object = {}) =>
  about(
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
    ).warnings,
  );
const exceeded = (nodePools: object, cluster: object = {}) =>
  ofPools(nodePools, cluster).map((text) => /new project: ([^;]+);/.exec(text)?.[1]);

test("production's file: at most 18 nodes, and one for upgrades", () => {
  const { warnings } = checkConfig(readStackFile(stackFile("production")), "production", projectDir);
  assert.deepEqual(about(warnings), [
    'gke-microservices:cluster.nodePools: 19 nodes, the most that there may be, one for the upgrades of each pool included, exceed the quotas of a new project: CPUS 76 of 24, CPUS_ALL_REGIONS 76 of 32, SSD_TOTAL_GB 1900 of 500; read yours and raise them ("Quotas" in docs/first-deployment.md), or lower maxPerZone, machineType or diskGb',
  ]);
});

test("staging's file stays within them, and so does a pool with one node less", () => {
  assert.deepEqual(about(checkConfig(readStackFile(stackFile("staging")), "staging", projectDir).warnings), []);
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
  assert.deepEqual(about(checkConfig(raw(valid), "test", projectDir).warnings), []);
});
