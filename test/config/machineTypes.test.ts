/** Machine types: each that exists is accepted, and each misspelled one refused with what was meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { badMachine, unknownSeries } from "../../config/checks/machineTypes.ts";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const config = (machineType: string, diskType = "pd-balanced") => ({
  domain: valid.domain,
  cluster: { kind: "gke", nodePools: { main: { machineType, diskType } } },
  services: {},
});
const warningsOf = (machineType: string, diskType?: string) =>
  checkConfig(raw(config(machineType, diskType), google), "test", projectDir).warnings.filter((text) =>
    text.includes("machineType:"),
  );

const existing = [
  ...["e2-micro", "e2-small", "e2-medium", "e2-standard-32", "e2-highmem-16", "e2-highcpu-2"],
  ...["n1-standard-1", "n1-highcpu-96", "n1-ultramem-40", "g1-small", "n2-standard-128", "n2-highcpu-96"],
  ...["n2d-standard-224", "n2d-highmem-96", "n4-highcpu-80", "n4a-standard-1", "n4d-highmem-96"],
  ...["t2d-standard-60", "t2a-standard-48", "c2-standard-30", "c2d-highmem-112", "c3-standard-4-lssd"],
  ...["c3-highmem-192-metal", "c3d-highmem-8-lssd", "c3d-highcpu-360", "c4-standard-288-lssd-metal"],
  ...["c4-highmem-4-lssd", "c4-highcpu-24", "c4a-highmem-96-metal", "c4a-standard-72-lssd", "c4d-highcpu-384-metal"],
  ...["c4n-standard-192-lssd", "h3-standard-88", "h4d-highmem-192-lssd", "z3-highmem-14-standardlssd"],
  ...["z3-highmem-192-highlssd-metal", "z4d-highmem-384-standardlssd", "m1-megamem-96", "m2-hypermem-416"],
  ...["m2-ultramem2x-96", "m3-ultramem-32", "m4-hypermem-64", "m4n-ultramem-224", "x4-480-6t-metal"],
  ...["x4-megamem-960-metal", "a2-megagpu-16g", "a2-ultragpu-1g", "a3-highgpu-8g", "a3-ultragpu-8g-nolssd"],
  ...["a3-edgegpu-8g", "a4-highgpu-8g", "a4x-highgpu-4g", "a4x-maxgpu-4g-metal", "g2-standard-12", "g4-standard-6"],
  ...["ct4p-hightpu-4t", "ct5lp-hightpu-8t", "ct5p-hightpu-4t", "ct6e-standard-1t", "tpu7x-standard-4t"],
  ...["custom-1-2048", "custom-4-8192-ext", "n1-custom-2-4096", "n2-custom-4-8192", "n2-custom-2-40960-ext"],
  ...["n2d-custom-96-49152", "e2-custom-32-16384", "e2-custom-medium-4096", "n4-custom-80-163840", "n4a-custom-1-2048"],
];
for (const machineType of existing)
  test(`${machineType} exists`, () => {
    assert.equal(badMachine(machineType), undefined);
    const disk = /^(?:c4|n4|a3-ultra|a4|g4|m4|x4|h4|z4)/.test(machineType) ? "hyperdisk-balanced" : "pd-balanced";
    assert.deepEqual(warningsOf(machineType, disk), []);
  });

const e2 =
  "machines of the series e2 are e2-micro, e2-small, e2-medium, e2-standard, e2-highmem, e2-highcpu, e2-custom";
const n2 = "machines of the series n2 are n2-standard, n2-highmem, n2-highcpu, n2-custom";
const one = "choose one of those";
const customSizes = "4 CPUs of n2-custom have 2048 to 32768 MiB of memory, or more with -ext, in steps of 256";
for (const [machineType, rule, fix] of [
  ["e2-standrad-4", e2, `${one}; did you mean "e2-standard-4"?`],
  ["e2-stadard-4", e2, `${one}; did you mean "e2-standard-4"?`],
  ["e2-highmen-8", e2, `${one}; did you mean "e2-highmem-8"?`],
  ["e2-hicpu-4", e2, `${one}; did you mean "e2-highcpu-4"?`],
  ["e2-meduim", e2, `${one}; did you mean "e2-medium"?`],
  ["e2-large", e2, one],
  ["e2-standrad-3", e2, one],
  ["n2-foo-4", n2, one],
  ["n2-standart-4", n2, `${one}; did you mean "n2-standard-4"?`],
  ["n2-megamem-4", n2, one],
  ["n2-micro", n2, one],
  ["n2-4", n2, one],
  ["n2-costum-4-8192", n2, `${one}; did you mean "n2-custom-4-8192"?`],
  ["t2d-highmem-4", "machines of the series t2d are t2d-standard", one],
  ["c3-custom-4-8192", "machines of the series c3 are c3-standard, c3-highmem, c3-highcpu", one],
  ["c3-ultramem-4", "machines of the series c3 are c3-standard, c3-highmem, c3-highcpu", one],
  [
    "a3-hightgpu-8g",
    "machines of the series a3 are a3-highgpu, a3-megagpu, a3-ultragpu, a3-edgegpu",
    `${one}; did you mean "a3-highgpu-8g"?`,
  ],
  ["m3-megamen-64", "machines of the series m3 are m3-ultramem, m3-megamem", `${one}; did you mean "m3-megamem-64"?`],
  ["g2-standar-8", "machines of the series g2 are g2-standard, g2-custom", `${one}; did you mean "g2-standard-8"?`],
  ["ct5lp-hitpu-4t", "machines of the series ct5lp are ct5lp-hightpu", `${one}; did you mean "ct5lp-hightpu-4t"?`],
  ["e2-standard-3", "e2-standard comes in 2, 4, 8, 16, 32", `${one}, such as e2-standard-4`],
  ["e2-standard-64", "e2-standard comes in 2, 4, 8, 16, 32", `${one}, such as e2-standard-32`],
  ["e2-standard", "e2-standard comes in 2, 4, 8, 16, 32", `${one}, such as e2-standard-4`],
  ["e2-highmem-32", "e2-highmem comes in 2, 4, 8, 16", `${one}, such as e2-highmem-16`],
  ["e2-standard-4-lssd", "e2-standard comes in 2, 4, 8, 16, 32", `${one}, such as e2-standard-4`],
  ["t2a-standard-60", "t2a-standard comes in 1, 2, 4, 8, 16, 32, 48", `${one}, such as t2a-standard-48`],
  ["m1-megamem-64", "m1-megamem comes in 96", `${one}, such as m1-megamem-96`],
  ["a2-highgpu-8", "a2-highgpu comes in 1g, 2g, 4g, 8g", `${one}, such as a2-highgpu-8g`],
  ["h4d-standard-192-lssd", "h4d-standard comes in 192", `${one}, such as h4d-standard-192`],
  ["ct6e-standard-2t", "ct6e-standard comes in 1t, 4t, 8t", `${one}, such as ct6e-standard-1t`],
  ["c3d-standard-4-lssd", /^c3d-standard comes in 4, 8, 16, /, `${one}, such as c3d-standard-8-lssd`],
  ["c4-standard-288-lsd", /288-lssd, 288-metal, 288-lssd-metal$/, `${one}, such as c4-standard-288-lssd`],
  ["e2-medium-4", "nothing follows e2-medium", "use e2-medium"],
  ["n2-custom-4-8", customSizes, 'choose such an amount; did you mean "n2-custom-4-8192"?'],
  ["n2-custom-4-8000", customSizes, "choose such an amount"],
  ["n2-custom-4-65536", customSizes, "choose such an amount"],
  [
    "n2-custom-3-8192",
    "n2-custom has an even number of CPUs up to 128",
    "choose such a number, as in n2-custom-4-8192",
  ],
  ["custom-3-8192", "custom has 1, or an even number of CPUs up to 96", "choose such a number, as in custom-4-8192"],
  [
    "e2-custom-64-65536",
    "e2-custom has an even number of CPUs up to 32",
    "choose such a number, as in e2-custom-4-8192",
  ],
  ["e2-custom-4-8192-ext", "e2-custom has no extended memory", "leave -ext out"],
] as const)
  test(`${machineType} does not exist`, () => {
    const bad = badMachine(machineType);
    const said = bad?.rule.replace(/^does not exist: /, "") ?? "";
    if (typeof rule === "string") assert.equal(said, rule);
    else assert.match(said, rule);
    assert.equal(bad?.fix, fix);
    const message = refusal(config(machineType), google);
    assert.ok(
      message.includes(`cluster.nodePools.main.machineType\n    "${machineType}" ${bad.rule}; ${bad.fix}\n`),
      message,
    );
  });

test("a custom type without its numbers is refused", () => {
  for (const machineType of ["n2-custom", "n2-custom-4", "n2-custom-4-8gb"])
    assert.deepEqual(badMachine(machineType), {
      rule: "is not a custom type, which has CPUs and memory in MiB",
      fix: "write it as n2-custom-4-8192",
    });
});

test("a series that the program does not know is a warning: it may be new", () => {
  for (const [machineType, series] of [
    ["n5-standard-4", "n5"],
    ["c5d-highmem-8-lssd", "c5d"],
    ["e22-standard-4", "e22"],
    ["ct9x-standard-4t", "ct9x"],
  ] as const) {
    const [warning = "", ...more] = warningsOf(machineType);
    assert.deepEqual(more, []);
    assert.ok(
      warning.startsWith(
        `gke-microservices:cluster.nodePools.main.machineType: "${machineType}" is of the series ${series}, which this program does not know; if it is new, go on: Google refuses what does not exist when it creates the pool. Known: f1, g1, e2, n1, `,
      ),
      warning,
    );
  }
  assert.equal(unknownSeries("custom-4-8192"), undefined);
});

test("what has not the form of a machine type is refused", () => {
  for (const machineType of ["big", "E2-standard-4", "e2standard4", "standard-4", "e2_standard_4", "n2-", "custom-4"])
    assert.match(
      refusal(config(machineType), google),
      /machineType\n {4}"[^"]+" must be a machine type such as e2-standard-4/,
    );
});
