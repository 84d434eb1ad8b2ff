/** Pods and nodes: the formula of GKE, and what a stack asks for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readStackFile, stackFile } from "../../tools/stack/stackFile.ts";
import { allocatable, machine } from "../../config/allocatable.ts";
import { checkConfig } from "../../config/config.ts";
import { fullKey } from "../../names/project.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const mebibyte = 2 ** 20;
const { image } = valid.services.hoge;

/** CPU and memory are Google's examples; the memory of the first is within 1.1 % of that node's 13498416Ki. */
for (const [machineType, milliCpu, mebibytes] of [
  ["e2-standard-4", 3920, 13_324],
  ["e2-standard-2", 1930, 6_064],
  ["e2-medium", 940, 2_832],
  ["n2-standard-96", 95_690, 372_267],
  ["n1-standard-1", 940, 2_640],
  ["n2-custom-4-8192", 3920, 6_064],
  ["custom-2-4096", 1930, 2_832],
] as const)
  test(`pods get ${milliCpu}m of a ${machineType}`, () => {
    assert.deepEqual(allocatable(machineType), { milliCpu, bytes: mebibytes * mebibyte });
  });

test("machines that the program does not know are left out of every check", () => {
  for (const type of ["a2-highgpu-1g", "f1-micro", "e2-micro-2"]) assert.equal(machine(type), undefined, type);
  const nodePools = { main: { machineType: "a2-highgpu-1g", maxPerZone: 1 } };
  assert.deepEqual(warnings(nodePools, { replicas: 100, resources: { cpu: "90" } }), []);
});

function config(nodePools: object, service: object, cluster: object = {}) {
  return {
    domain: valid.domain,
    cluster: { kind: "gke", zones: ["asia-northeast1-a"], nodePools, ...cluster },
    services: { hoge: { image, ...service } },
  };
}
const warnings = (nodePools: object, service: object, cluster: object = {}) =>
  checkConfig(raw(config(nodePools, service, cluster), google), "test", projectDir).warnings.filter((text) =>
    text.includes("rollout of everything"),
  );

test("a warning names what a rollout needs and what the largest pools have beside the system", () => {
  const pool = { main: { machineType: "e2-standard-2", maxPerZone: 2 } };
  // 2 × 1930 − 2 × 450 − 1000 = 1960 for pods; the proxy's three ask for 330 of the rollout's half.
  assert.deepEqual(warnings(pool, { replicas: 2, resources: { cpu: "325m" } }), []);
  assert.deepEqual(warnings(pool, { replicas: 2, resources: { cpu: "326m" } }), [
    "gke-microservices:cluster.nodePools: 2 nodes, the most that there may be, have about 1960m of CPU beside the system's pods, and a rollout of everything needs 1964m of CPU, the old pods and the new ones; raise maxPerZone or machineType",
  ]);
  // In three zones.
  assert.equal(warnings(pool, { replicas: { min: 1, max: 2 }, resources: { cpu: "326m" } }).length, 1);
  assert.deepEqual(warnings(pool, { replicas: 2, resources: { cpu: "326m" } }, { zones: undefined }), []);
  const [memory, ...more] = warnings(pool, { replicas: 2, resources: { memory: "5Gi" } });
  assert.match(memory ?? "", /have about 9728Mi of memory .* needs 21632Mi of memory/);
  assert.deepEqual(more, []);
});

test("pools that keep pods away do not count, those that prefer others do", () => {
  const main = { machineType: "e2-standard-2", maxPerZone: 1 };
  const big = (effect: string) => ({ machineType: "e2-standard-32", taints: [{ key: "for", value: "batch", effect }] });
  const service = { replicas: 2, resources: { cpu: "325m" } };
  assert.equal(warnings({ main, big: big("NO_SCHEDULE") }, service).length, 1);
  assert.deepEqual(warnings({ main, big: big("PREFER_NO_SCHEDULE") }, service), []);
});

test("a pod that is larger than what any node has is refused", () => {
  const pools = { main: { machineType: "e2-standard-2" }, more: { machineType: "e2-standard-4" } };
  const refused = (resources: object) => refusal(config(pools, { resources }), google);
  assert.match(
    refused({ cpu: "4" }),
    /services\.hoge\.resources\.cpu\n\s+"4" makes a pod of 4000m of CPU, which no node has: pods get 3920m of CPU of machineType e2-standard-4; lower it, or choose a larger machineType in cluster\.nodePools/,
  );
  assert.match(
    refused({ memory: "14Gi" }),
    /resources\.memory\n\s+"14Gi" makes a pod of 14336Mi of memory, which no node has: pods get 13324Mi of memory/,
  );
  const proxy = { resources: { cpu: "3915m" } };
  assert.match(
    refusal({ ...config(pools, {}), proxy }, google),
    /proxy\.resources\.cpu\n\s+"3915m" makes a pod of 3925m of CPU, /,
  );
  checkConfig(raw({ ...config(pools, {}), proxy: { ...proxy, metrics: { scrape: "none" } } }, google), "t", projectDir);
  checkConfig(raw(config(pools, { resources: { cpu: "3920m", memory: "13324Mi" } }), google), "t", projectDir);
});

test("an existing cluster and Autopilot have no known nodes", () => {
  checkConfig(raw({ ...valid, services: { hoge: { image, resources: { cpu: "50" } } } }), "test", projectDir);
  const autopilot = config({}, { resources: { cpu: "30", memory: "110Gi" } }, { mode: "autopilot", zones: undefined });
  const { nodePools: _, ...cluster } = autopilot.cluster;
  checkConfig(raw({ ...autopilot, cluster }, google), "test", projectDir);
});

test("a rollout has ten minutes on the stack's own GKE cluster, three elsewhere, or as long as it says", () => {
  const seconds = (settings: Record<string, unknown>) =>
    checkConfig(raw(settings, google), "test", projectDir).settings.rolloutSeconds;
  const gke = config({ main: {} }, {});
  assert.equal(seconds(gke), 600);
  assert.equal(seconds(valid), 180);
  assert.equal(seconds({ ...gke, rolloutSeconds: 60 }), 60);
  assert.equal(seconds({ ...valid, rolloutSeconds: 60 }), 60);
});

test("staging's smallest pool holds a rollout of everything", () => {
  const staging = readStackFile(stackFile("staging"));
  const key = fullKey("cluster");
  const cluster = JSON.parse(staging[key] ?? "") as { nodePools: { main: { minPerZone: number } } };
  const { main } = cluster.nodePools;
  const most = (maxPerZone: number) => {
    const nodePools = { main: { ...main, minPerZone: 1, maxPerZone } };
    const config = { ...staging, [key]: JSON.stringify({ ...cluster, nodePools }) };
    return checkConfig(config, "staging", projectDir).warnings.filter((text) => text.includes("rollout of everything"));
  };
  assert.deepEqual(most(main.minPerZone), []);
  assert.equal(most(1).length, 1);
});
