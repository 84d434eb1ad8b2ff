/** What Google refuses when it makes the cluster is refused before: maintenance windows, machine types and disks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkConfig } from "../../config/config.ts";
import { checkMaintenance } from "../../config/checks/maintenance.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const config = (cluster: Record<string, unknown>) => ({
  ...valid,
  cluster: { kind: "gke", ...cluster },
  edge: { kind: "gce" },
  tls: { mode: "self-signed" },
  registry: { kind: "artifact-registry" },
});
const warnings = (cluster: Record<string, unknown>) =>
  checkConfig(raw(config(cluster), google), "test", projectDir).warnings;
const refused = (cluster: Record<string, unknown>) => refusal(config(cluster), google);

const window = (hours: number, recurrence: string, exclusions = {}) => ({
  maintenance: {
    start: "2026-01-03T17:00:00Z", // A Saturday.
    end: new Date(Date.parse("2026-01-03T17:00:00Z") + hours * 3_600_000).toISOString().replace(".000", ""),
    recurrence,
    exclusions,
  },
});

test("windows of 48 hours in every 32 days pass, those of 48 in 92 are a warning with both numbers, less is refused", () => {
  for (const [hours, recurrence] of [
    [8, "FREQ=WEEKLY;BYDAY=SA,SU"],
    [6, "FREQ=WEEKLY;BYDAY=SA,SU"],
    [4, "FREQ=DAILY"],
    [4, "FREQ=DAILY;BYDAY=MO,WE,FR"],
    [12, "FREQ=WEEKLY"],
    [24, "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA"],
    [48, "FREQ=WEEKLY;INTERVAL=3;BYDAY=SA,SU"],
  ] as const)
    assert.deepEqual(warnings(window(hours, recurrence)), [], `${hours} ${recurrence}`);
  for (const [hours, recurrence, left] of [
    [4, "FREQ=WEEKLY;BYDAY=SA,SU", 32],
    [4, "FREQ=WEEKLY;BYDAY=SA", 16],
    [24, "FREQ=WEEKLY;INTERVAL=4;BYDAY=SA", 24],
  ] as const) {
    const [warning, ...others] = warnings(window(hours, recurrence));
    assert.match(
      warning ?? "",
      new RegExp(
        `^gke-microservices:cluster\\.maintenance\\.recurrence: "${recurrence}" leaves ${left} hours of windows in some 32 days: .*longer than 32d without 48h.*48 hours in 92 days`,
      ),
    );
    assert.deepEqual(others, []);
  }
  for (const [hours, recurrence, left] of [
    [4, "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", 24],
    [4, "FREQ=WEEKLY;INTERVAL=99", 0],
    [12, "FREQ=WEEKLY;INTERVAL=4;BYDAY=SA", 36],
  ] as const)
    assert.match(
      refused(window(hours, recurrence)),
      new RegExp(
        `maintenance\\.recurrence\\n\\s+"${recurrence}" leaves ${left} hours of windows in some 92 days, and Google needs 48`,
      ),
    );
});

test("the defaults leave enough time, with the exclusions that Google takes beside them", () => {
  assert.deepEqual(warnings({}), []);
  const month = { start: "2026-03-01T00:00:00Z", end: "2026-03-15T00:00:00Z" };
  assert.deepEqual(warnings({ maintenance: { exclusions: { a: { ...month, scope: "NO_MINOR_UPGRADES" } } } }), []);
  const [warning] = warnings({
    maintenance: { exclusions: { a: { start: "2026-03-01T00:00:00Z", end: "2026-04-15T00:00:00Z" } } },
  });
  assert.match(warning ?? "", /leaves \d+ hours of windows in some 32 days/);
  assert.match(
    refused({ maintenance: { exclusions: { a: { start: "2026-03-01T00:00:00Z", end: "2026-07-01T00:00:00Z" } } } }),
    /exclusions\.a\.end\n\s+"2026-07-01T00:00:00Z" is 122 days after start, and Google holds all upgrades back for at most 90/,
  );
});

test("recurrences that cannot be followed are refused with the form", () => {
  for (const recurrence of [
    "FREQ=HOURLY",
    "FREQ=YEARLY",
    "FREQ=WEEKLY;BYDAY=1SA",
    "FREQ=WEEKLY;BYMONTHDAY=1",
    "FREQ=MONTHLY;BYSETPOS=1",
    "FREQ=MONTHLY;BYDAY=6SA",
    "FREQ=WEEKLY;FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=SA;",
    "RRULE:FREQ=WEEKLY",
    "BYDAY=SA",
    "FREQ=DAILY;UNTIL=20261231T000000Z",
    "WEEKLY",
    "FREQ=WEEKLY;BYDAY=SAT",
    "FREQ=WEEKLY;COUNT=3",
    "",
    "FREQ=WEEKLY;INTERVAL=0",
  ])
    assert.match(
      refused(window(8, recurrence)),
      /recurrence\n.*must be days, weeks or months of RFC 5545, without an end, such as/,
      recurrence,
    );
});

test("a rule's parts come in any order and case; months have numbered days", () => {
  for (const [hours, recurrence] of [
    [8, "BYDAY=SA,SU;FREQ=WEEKLY"],
    [8, "FREQ=WEEKLY;WKST=SU;BYDAY=SA,SU;INTERVAL=1"],
    [8, "freq=weekly;byday=sa,su"],
    [24, "FREQ=MONTHLY;BYDAY=SA"],
    [24, "FREQ=MONTHLY;BYDAY=1SA,3SA,-1SU"],
  ] as const)
    assert.deepEqual(warnings(window(hours, recurrence)), [], recurrence);
  assert.match(warnings(window(48, "FREQ=MONTHLY;BYDAY=1SA")).join(), /leaves 0 hours of windows in some 32 days/);
  assert.match(refused(window(8, "FREQ=MONTHLY;BYDAY=1SA")), /leaves 16 hours of windows in some 92 days/);
});

test("times may have an offset; Google gets them in UTC, as it returns them", () => {
  const times = (start: string, end: string) => {
    const { cluster } = checkConfig(
      raw(config({ maintenance: { start, end, exclusions: { a: { start, end } } } }), google),
      "test",
      projectDir,
    ).settings;
    assert.ok(cluster.kind === "gke");
    const { exclusions, ...window } = cluster.maintenance;
    assert.deepEqual([exclusions["a"]?.start, exclusions["a"]?.end], [window.start, window.end]);
    return [window.start, window.end];
  };
  for (const [start, end] of [
    ["2026-01-04T02:00:00+09:00", "2026-01-04T10:00:00+09:00"],
    ["2026-01-03T22:30:00+05:30", "2026-01-03T18:00:00-07:00"],
    ["2026-01-03T17:00:00.000Z", "2026-01-04T01:00:00.5Z"],
    ["2026-01-03 17:00:00 +0000 UTC", "2026-01-04 10:00:00 +0900 +0900"], // As the CLI passes them without quotes.
  ] as const)
    assert.deepEqual(times(start, end), ["2026-01-03T17:00:00Z", "2026-01-04T01:00:00Z"], start);
  for (const start of ["2026-01-03T17:00:00", "2026-01-03T17:00Z", "2026-01-03", "2026-02-30T17:00:00Z"])
    assert.match(refused({ maintenance: { start } }), /maintenance\.start\n.*must be a time such as/, start);
});

test("an exclusion years after the first window counts as one soon after it", () => {
  const daily = (end: string, start = "2026-03-01T00:00:00Z") => ({
    maintenance: {
      start: "2019-01-01T09:00:00Z",
      end: "2019-01-01T13:00:00Z",
      recurrence: "FREQ=DAILY",
      exclusions: { a: { start, end } },
    },
  });
  assert.deepEqual(warnings(daily("2026-03-15T00:00:00Z")), []);
  assert.match(warnings(daily("2026-04-10T00:00:00Z"))[0] ?? "", /leaves 0 hours of windows in some 32 days/);
  assert.match(
    refused(daily("2026-05-28T00:00:00Z")),
    /"FREQ=DAILY" leaves 16 hours of windows in some 92 days.*; name more days, make the window longer, or exclude less/,
  );
  assert.deepEqual(warnings(daily("2018-03-20T00:00:00Z", "2018-03-01T00:00:00Z")), []); // Before the first window.
});

test("a cluster takes 20 exclusions of any scope", () => {
  const exclusions = (count: number) => ({
    maintenance: {
      exclusions: Object.fromEntries(
        Array.from({ length: count }, (_, at) => [
          `e${at}`,
          { start: "2026-03-01T00:00:00Z", end: "2026-04-01T00:00:00Z", scope: "NO_MINOR_UPGRADES" },
        ]),
      ),
    },
  });
  assert.deepEqual(warnings(exclusions(20)), []);
  assert.match(refused(exclusions(21)), /exclusions\n.* has 21 exclusions, and Google takes 20; remove some/);
});

test("an exclusion has a name as people write it", () => {
  const named = (name: string) => ({
    maintenance: { exclusions: { [name]: { start: "2026-12-20T00:00:00Z", end: "2026-12-22T00:00:00Z" } } },
  });
  for (const name of [
    ...["black-friday", "black_friday", "holiday data load", "Hunt 2025", "2026-freeze", "year-end.2026", "q"],
    "a".repeat(63),
  ])
    assert.deepEqual(warnings(named(name)), [], name);
  for (const name of ["", " a", "a ", "a/b", "a\nb", "a".repeat(64), "-"])
    assert.match(
      refused(named(name)),
      /^1 problem[^]*exclusions.*\n\s+".*" must be a name of at most 63 letters, digits, blanks and - _ \., such as black-friday/,
      name,
    );
});

test("minor upgrades are held back until the end of a version's support, not for ever", () => {
  const day = 24 * 3_600_000;
  const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();
  const until = (days: number, scope: string, releaseChannel: string) => ({
    releaseChannel,
    // It may have begun long ago.
    maintenance: { exclusions: { a: { start: inDays(-900), end: inDays(days), scope } } },
  });
  for (const scope of ["NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"]) {
    for (const channel of ["RAPID", "REGULAR", "STABLE"]) {
      assert.deepEqual(warnings(until(400, scope, channel)), []);
      assert.match(
        refused(until(700, scope, channel)),
        new RegExp(
          `exclusions\\.a\\.end\\n.* is later than the support of any version in the channel ${channel}, and Google holds no minor upgrade back beyond that; choose an earlier end`,
        ),
      );
    }
    assert.deepEqual(warnings(until(720, scope, "EXTENDED")), []);
    assert.match(refused(until(1000, scope, "EXTENDED")), /in the channel EXTENDED, and Google/);
  }
});

test("property: a longer window, more days and fewer exclusions never turn a policy that passes into one that does not", () => {
  const problems = (hours: number, days: readonly string[], interval: number, exclusions: Record<string, unknown>) => {
    const found: unknown[] = [];
    const { maintenance } = window(hours, `FREQ=WEEKLY;INTERVAL=${interval};BYDAY=${days.join()}`, exclusions);
    checkMaintenance({ maintenance, releaseChannel: "REGULAR" }, (...problem) => found.push(problem));
    return found.length;
  };
  const days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 40 }),
      fc.subarray(days, { minLength: 1 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(...days),
      fc.integer({ min: 1, max: 20 }),
      (hours, chosen, interval, another, more) => {
        const exclusions = { a: { start: "2026-02-01T00:00:00Z", end: "2026-02-20T00:00:00Z", scope: "NO_UPGRADES" } };
        if (problems(hours, chosen, interval, exclusions) > 0) return;
        assert.equal(problems(hours + more, chosen, interval, exclusions), 0);
        assert.equal(
          problems(
            hours,
            days.filter((day) => chosen.includes(day) || day === another),
            interval,
            exclusions,
          ),
          0,
        );
        assert.equal(problems(hours, chosen, interval, {}), 0);
      },
    ),
    { numRuns: 200 },
  );
});

test("machine types that do not exist and disks that do not fit are refused with what does", () => {
  const pool = (machineType: string, diskType = "pd-balanced") => ({
    nodePools: { main: { machineType, diskType, maxPerZone: 2 } },
  });
  for (const [machineType, diskType, message] of [
    [
      "e2-standard-3",
      "pd-balanced",
      /machineType\n\s+"e2-standard-3" does not exist: e2-standard comes in 2, 4, 8, 16, 32; choose one of those, such as e2-standard-4/,
    ],
    ["n2-highmem-6", "pd-ssd", /"n2-highmem-6" does not exist/],
    [
      "c3-standard-8",
      "pd-standard",
      /diskType\n\s+"pd-standard" is no disk for the series c3; use pd-balanced or hyperdisk-balanced/,
    ],
    ["f1-micro", "pd-balanced", /too little memory/],
    ["e2-highmem-32", "pd-balanced", /e2-highmem comes in 2, 4, 8, 16; choose one of those/],
    ["t2d-highmem-4", "pd-balanced", /machines of the series t2d are t2d-standard; choose one of those/],
    ...[
      ...["n1-highmem-1", "n2-highcpu-128", "n2d-highmem-128", "c2-highcpu-8", "n2-micro", "n2-ultramem-40"],
      ...["c3-standard-192", "c3-highmem-8-lssd", "e2-standard-4-lssd", "c3-custom-4-8192", "t2d-custom-4-8192"],
      ...["n2-custom-5-20480", "n2-custom-4-1000", "e2-custom-4-65536", "e2-custom-4-8192-ext", "g2-standard-6"],
    ].map((type) => [type, "pd-balanced", /machineType\n.*does not exist: ./] as const),
    ...["g2-standard-8", "h3-standard-88", "m3-ultramem-32", "z3-highmem-88-highlssd"].map(
      (type) => [type, "pd-standard", /"pd-standard" is no disk for the series \w+; use pd-balanced/] as const,
    ),
    ...["g4-standard-48", "a3-ultragpu-8g", "a4-highgpu-8g", "h4d-standard-192", "m4-ultramem-56"].map(
      (type) => [type, "pd-ssd", /"pd-ssd" is no disk for the series [-\w]+; use hyperdisk-balanced/] as const,
    ),
    ["a2-highgpu-1g", "hyperdisk-balanced", /use pd-balanced/],
    ...["n4-standard-4", "c4-standard-8", "c4a-standard-4", "c4d-highcpu-8", "n4-custom-4-8192"].map(
      (type) =>
        [
          type,
          "pd-balanced",
          /diskType\n\s+"pd-balanced" is no disk for the series \w+; use hyperdisk-balanced/,
        ] as const,
    ),
    ...[
      "e2-standard-4",
      "n1-standard-4",
      "n2-standard-4",
      "n2d-standard-4",
      "t2d-standard-4",
      "c2-standard-4",
      "e2-custom-4-8192",
      "e2-micro",
    ].map(
      (type) =>
        [
          type,
          "hyperdisk-balanced",
          /diskType\n\s+"hyperdisk-balanced" is no disk for the series \w+; use pd-balanced/,
        ] as const,
    ),
  ] as const)
    assert.match(refused(pool(machineType, diskType)), message, machineType);
  for (const [machineType, diskType] of [
    ["n4-standard-4", "hyperdisk-balanced"],
    ["c3-standard-4", "pd-balanced"],
    ["c3-standard-4-lssd", "hyperdisk-balanced"],
    ["e2-medium", "pd-standard"],
    ["n2-custom-4-8192-ext", "pd-ssd"],
    ["m3-ultramem-32", "hyperdisk-balanced"],
    ["g2-standard-8", "pd-balanced"],
    ["custom-1-1024", "pd-ssd"],
    ["n2-custom-4-65536-ext", "pd-ssd"],
    ["c3-standard-192-metal", "hyperdisk-balanced"],
    ["c4-highmem-288-lssd-metal", "hyperdisk-balanced"],
    ["a3-highgpu-8g", "pd-ssd"],
  ] as const)
    assert.doesNotThrow(() => warnings(pool(machineType, diskType)), machineType);
});

test("a series that this program does not know is a warning, as are pools that GKE taints itself", () => {
  const pools = (...types: string[]) =>
    warnings({
      nodePools: Object.fromEntries(
        types.map((machineType, at) => [
          `p${at}`,
          { machineType, diskType: "hyperdisk-balanced", minPerZone: 0, maxPerZone: 1 },
        ]),
      ),
    }).filter((text) => !/a rollout of|exceed the quotas/.test(text));
  const [unknown = "", ...others] = pools("n5-standard-4");
  assert.match(unknown, /^gke-microservices:cluster\.nodePools\.p0\.machineType: "n5-standard-4" is of the series n5/);
  assert.deepEqual(others, []);
  assert.deepEqual(pools("c4a-standard-4", "ct6e-standard-4t"), [
    "gke-microservices:cluster.nodePools: GKE taints nodes with Arm processors or TPUs itself, so that the stack's pods could not run on c4a-standard-4, ct6e-standard-4t; add a pool of another series",
  ]);
  assert.deepEqual(pools("c4a-standard-4", "n4-standard-4"), []);
});

test("zones exist in their region, and regions at Google", () => {
  const at = (region: string, zones?: string[]) => [config({ zones }), { ...google, "gcp:region": region }] as const;
  const found = (...args: Parameters<typeof at>) => {
    const [settings, more] = at(...args);
    return checkConfig(raw(settings, more), "test", projectDir).warnings;
  };
  for (const [region, zone, fix] of [
    ["us-east1", "us-east1-a", "name zones of us-east1: us-east1-b, us-east1-c, us-east1-d"],
    ["europe-west1", "europe-west1-a", "name zones of europe-west1: europe-west1-b, europe-west1-c, europe-west1-d"],
    [
      "us-central1",
      "us-central1-d",
      "name zones of us-central1: us-central1-a, us-central1-b, us-central1-c, us-central1-f",
    ],
  ] as const)
    assert.match(refusal(...at(region, [zone])), new RegExp(`zones\\[0\\]\\n\\s+"${zone}" does not exist; ${fix}\\n`));
  assert.match(
    refusal(...at("us-east1", ["us-east4-a"])),
    /"us-east4-a" is not in gcp:region us-east1; name zones of it: us-east1-b, us-east1-c, us-east1-d\n/,
  );
  assert.deepEqual(found("us-central1", ["us-central1-f", "us-central1-ai1a"]), []);
  assert.deepEqual(found("africa-south1", ["africa-south1-c"]), []);
  assert.deepEqual(found("asia-norteast1"), [
    "gcp:region: asia-norteast1 is a region that this program does not know; see gcloud compute regions list, or write asia-northeast1",
  ]);
  assert.equal(found("us-north7", ["us-north7-d"]).length, 1);
});

test("a cluster takes 100 authorized ranges, each once", () => {
  const networks = (length: number) => ({
    endpoint: {
      kind: "ip",
      authorizedNetworks: Object.fromEntries(Array.from({ length }, (_, at) => [`n${at}`, `203.0.${at}.0/24`])),
    },
  });
  assert.deepEqual(warnings(networks(100)), []);
  assert.match(
    refused(networks(101)),
    /authorizedNetworks\n.* has 101 ranges, and Google takes 100; use fewer or wider/,
  );
  const same = { a: "203.0.113.0/24", b: "198.51.100.0/24", c: "203.0.113.0/24" };
  assert.match(
    refused({ endpoint: { kind: "ip", authorizedNetworks: same } }),
    /authorizedNetworks\.c\n\s+"203\.0\.113\.0\/24" is already there, as a; remove one of the two/,
  );
});

test("ranges may be private without RFC 1918, and labels not those that GKE sets", () => {
  for (const pods of ["240.0.0.0/14", "198.18.0.0/16", "100.64.0.0/14"])
    assert.deepEqual(warnings({ network: { pods } }), []);
  for (const pods of ["255.252.0.0/14", "224.0.0.0/14"])
    assert.match(refused({ network: { pods } }), /is not private; choose one within .*240\.0\.0\.0\/4/);
  const label = (key: string) => ({ nodePools: { main: { maxPerZone: 1, labels: { [key]: "true" } } } });
  for (const key of [
    "cloud.google.com/gke-nodepool",
    "cloud.google.com/gke-spot",
    "iam.gke.io/gke-metadata-server-enabled",
  ])
    assert.match(refused(label(key)), /must not have a prefix that Kubernetes or Google manages/, key);
  assert.doesNotThrow(() => warnings(label("cloud.google.com/gke-smt-disabled")));
});

test("a mistyped region, or a zone in its place, is answered with the region that it means", () => {
  for (const region of ["europe-west-1", "europe-west1-b", "Europe-West1"])
    assert.match(
      refusal(config({}), { ...google, "gcp:region": region }),
      /is not a Google Cloud region; set one such as europe-west1: npx pulumi config set --stack test gcp:region europe-west1\n/,
    );
});
