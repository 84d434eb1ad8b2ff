/** Numbers and quantities in the wrong unit: each is refused, or a warning, with what was probably meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const onGoogle = (pool: object, resources: object = {}, edge: object = {}, cluster: object = {}) => ({
  domain: valid.domain,
  cluster: { kind: "gke", nodePools: { main: pool }, ...cluster },
  edge: { kind: "gce", ...edge },
  services: { hoge: { ...valid.services.hoge, resources } },
});
const autopilot = { mode: "autopilot", nodePools: undefined };

/** Key and message of each problem. */
const problems = (config: Record<string, unknown>): string[] =>
  refusal(config, google)
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim().replace(/^gke-microservices:(services\.hoge\.)?/, ""));
const warnings = (config: Record<string, unknown>) =>
  checkConfig(raw(config, google), "test", projectDir)
    .warnings.filter((text) => !text.includes("a rollout of everything"))
    .map((text) => text.replace(/^gke-microservices:(services\.hoge\.)?/, ""));

const tooLittle = "must be at least 6Mi: no container starts with less, and without a unit it is bytes";
const noMemory = "must be an amount of memory above 0, such as 128Mi or 2Gi";
const noCpu = "must be an amount of CPU above 0, such as 250m or 1.5";
const tooManyCpus =
  "must be less than 100, because without m it is whole CPUs; write more in thousandths, such as 128000m";

for (const [key, value, rule, meant] of [
  ["memory", 128, tooLittle, "128Mi"],
  ["memory", "1", tooLittle, "1Gi"],
  ["memory", "128k", tooLittle, "128Mi"],
  ["memory", "512Ki", tooLittle, "512Mi"],
  ["memory", "5Mi", tooLittle, undefined],
  ["memory", "128m", noMemory, "128Mi"],
  ["memory", "128K", noMemory, "128Mi"],
  ["memory", "128MB", noMemory, "128Mi"],
  ["memory", "128mi", noMemory, "128Mi"],
  ["memory", "128 MiB", noMemory, "128Mi"],
  ["memory", "1g", noMemory, "1Gi"],
  ["memory", "1GB", noMemory, "1Gi"],
  ["memory", "half", noMemory, undefined],
  ["memory", "40000Gi", "must be at most 32768Gi, which is what the largest machine has", undefined],
  ["cpu", 1000, tooManyCpus, "1000m"],
  ["cpu", "100", tooManyCpus, "100m"],
  ["cpu", "250M", noCpu, "250m"],
  ["cpu", "250Mi", noCpu, "250m"],
  ["cpu", "250 m", noCpu, "250m"],
  ["cpu", "0,5", noCpu, "500m"],
  ["cpu", "2 cores", noCpu, "2"],
  ["cpu", "1vCPU", noCpu, "1"],
  ["cpu", "50%", noCpu, "500m"],
  ["cpu", "0", noCpu, undefined],
] as const)
  test(`${key}: ${value} is refused`, () => {
    assert.deepEqual(problems(hoge({ resources: { [key]: value } })), [
      `resources.${key}`,
      `"${value}" ${rule}${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    ]);
  });

test("amounts at the limits, and in every unit, are accepted without a warning", () => {
  for (const memory of ["6Mi", "6291456", "7M", "7000k", "6144Ki", "1G", "63Gi", "65536Mi"])
    assert.deepEqual(warnings(hoge({ resources: { memory } })), [], memory);
  for (const cpu of ["1m", "0.001", "1.5", 2, "15", "99000m", "128000m"])
    assert.deepEqual(warnings(hoge({ resources: { cpu } })), [], String(cpu));
});

const tooLarge = "which no node has: pods get";
test("more than any node has is refused with the smaller unit", () => {
  assert.deepEqual(problems(onGoogle({}, { cpu: 50, memory: "128Gi" })), [
    "resources.cpu",
    `"50" makes a pod of 50000m of CPU, ${tooLarge} 3920m of CPU of machineType e2-standard-4; lower it, or choose a larger machineType in cluster.nodePools; did you mean "50m"?`,
    "resources.memory",
    `"128Gi" makes a pod of 131072Mi of memory, ${tooLarge} 13324Mi of memory of machineType e2-standard-4; lower it, or choose a larger machineType in cluster.nodePools; did you mean "128Mi"?`,
  ]);
  assert.match(problems(onGoogle({}, { cpu: 5 }))[1] ?? "", /choose a larger machineType in cluster\.nodePools$/);
});

test("more than Autopilot takes is refused", () => {
  assert.deepEqual(problems(onGoogle({}, { cpu: 50, memory: "200Gi" }, {}, autopilot)), [
    "resources.cpu",
    '"50" is above the maximum of Autopilot, which is 30; set 30 or less; did you mean "50m"?',
    "resources.memory",
    '"200Gi" is above the maximum of Autopilot, which is 110Gi; set 110Gi or less; did you mean "200Mi"?',
  ]);
  assert.deepEqual(warnings(onGoogle({}, { cpu: 30, memory: "110Gi" }, {}, autopilot)), []);
});

test("where the nodes are unknown, a large amount is a warning", () => {
  const cpu = 'resources.cpu: 50 CPUs for each pod, which few nodes have; did you mean "50m"? To keep it, write 50000m';
  assert.deepEqual(warnings(hoge({ resources: { cpu: 50 } })), [cpu]);
  assert.deepEqual(warnings(onGoogle({ machineType: "a2-highgpu-1g" }, { cpu: 50 })), [cpu]);
  assert.deepEqual(warnings(hoge({ resources: { memory: "512Gi" } })), [
    'resources.memory: 512Gi for each pod, which few nodes have; did you mean "512Mi"? To keep it, write 524288Mi',
  ]);
});

const numbers: readonly (readonly [path: string, value: unknown, message: string])[] = [
  ["diskGb", "50Gi", "must be a number from 20 to 2000, without quotes and unit; did you mean 50?"],
  ["diskGb", "1TB", "must be a number from 20 to 2000, without quotes and unit; did you mean 1024?"],
  ["diskGb", "100", "must be a number from 20 to 2000, without quotes and unit; did you mean 100?"],
  ["diskGb", 51200, "must be at most 2000; did you mean 50?"],
  ["diskGb", 3000, "must be at most 2000"],
  ["timeoutSeconds", "30s", "must be a number from 10 to 86400, without quotes and unit; did you mean 30?"],
  ["timeoutSeconds", "5m", "must be a number from 10 to 86400, without quotes and unit; did you mean 300?"],
  ["timeoutSeconds", "30000ms", "must be a number from 10 to 86400, without quotes and unit; did you mean 30?"],
  ["timeoutSeconds", 300000, "must be at most 86400; did you mean 300?"],
  ["timeoutSeconds", 5, "must be at least 10"],
  ["drainSeconds", 30000, "must be at most 3600; did you mean 30?"],
  ["drainSeconds", "1m", "must be a number from 0 to 3600, without quotes and unit; did you mean 60?"],
];
for (const [key, value, message] of numbers)
  test(`${key}: ${JSON.stringify(value)} is refused`, () => {
    const config = key === "diskGb" ? onGoogle({ diskGb: value }) : onGoogle({}, {}, { [key]: value });
    const path = key === "diskGb" ? "cluster.nodePools.main.diskGb" : `edge.${key}`;
    assert.deepEqual(problems(config), [path, `${JSON.stringify(value)} ${message}`]);
  });

const canary = (percent: unknown) => ({
  ...valid,
  services: {
    web: { image: "a/b:1" },
    hoge: { image: "a/b:1", routes: [{ path: "/", canary: { service: "web", percent } }] },
  },
});
const defaults = (routeDefaults: object) => hoge({ routeDefaults });
for (const [config, message] of [
  [defaults({ maxBodyMb: 10485760 }), "10485760 must be at most 1000000; did you mean 10?"],
  [
    defaults({ maxBodyMb: "10MB" }),
    '"10MB" must be a number from 0 to 1000000, without quotes and unit; did you mean 10?',
  ],
  [defaults({ maxBodyMb: 0.5 }), "0.5 must be a whole number from 0 to 1000000, without quotes and unit"],
  [
    defaults({ maxBodyMb: 10240 }),
    "10240 is more than the 512 MiB that the proxy can keep of a body before it passes it on; set buffering to false beside it, or at most 512",
  ],
  [
    defaults({ limit: { requestsPerSecond: "10r/s" } }),
    '"10r/s" must be a number from 1 to 1000000, without quotes and unit; did you mean 10?',
  ],
  [hoge({ port: "8080/tcp" }), '"8080/tcp" must be a port from 1 to 65535, or none for a worker; did you mean 8080?'],
  [hoge({ port: "8080:80" }), '"8080:80" must be a port from 1 to 65535, or none for a worker'],
  [hoge({ port: 80_000 }), "80000 must be at most 65535"],
  [
    hoge({ egress: [{ cidr: "203.0.113.0/24", ports: ["443/tcp"] }] }),
    '"443/tcp" must be a number from 1 to 65535, without quotes and unit; did you mean 443?',
  ],
  [canary(0.1), "0.1 must be a whole number from 1 to 99, without quotes and unit"],
  [canary("10%"), '"10%" must be a number from 1 to 99, without quotes and unit; did you mean 10?'],
  [{ ...valid, rolloutSeconds: 600000 }, "600000 must be at most 3600; did you mean 600?"],
  [
    { ...valid, rolloutSeconds: "10m" },
    '"10m" must be a number from 10 to 3600, without quotes and unit; did you mean 600?',
  ],
  [
    { ...valid, tls: { mode: "self-signed", hsts: { days: 31536000 } } },
    "31536000 must be at most 3650; did you mean 365?",
  ],
] as const)
  test(`the number is refused: ${message}`, () => {
    // Once, however many routes have it.
    assert.deepEqual(problems(config).slice(1), [message]);
  });

test("seconds that look like milliseconds are a warning, and hours are not", () => {
  const warning = (path: string) =>
    `${path}timeoutSeconds: 30000 seconds are 8.3 hours; if milliseconds are meant, set 30`;
  assert.deepEqual(warnings(defaults({ timeoutSeconds: 30000 })), [warning("routeDefaults.")]);
  assert.deepEqual(warnings(hoge({ routes: [{ path: "/", timeoutSeconds: 30000 }] })), [warning("routes[0].")]);
  assert.deepEqual(warnings({ ...valid, proxy: { wildcards: { path: { allow: ["a"], timeoutSeconds: 30000 } } } }), [
    warning("proxy.wildcards.path."),
  ]);
  assert.deepEqual(warnings(onGoogle({}, {}, { timeoutSeconds: 30000 })), [warning("edge.")]);
  for (const timeoutSeconds of [25, 300, 1000, 4000, 3600, 18000, 36000, 86400])
    assert.deepEqual(warnings(defaults({ timeoutSeconds })), [], String(timeoutSeconds));
});
