/**
 * Settings of a GKE cluster, and configs that are refused although a preview would accept them. The table of refusals,
 * one case each, makes the file long.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { fullKey } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";

const projectDir = join(import.meta.dirname, "../..");
const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };

function check(cluster: object, more: Readonly<Record<string, string>> = {}) {
  const raw = {
    [fullKey("domain")]: "shop.example.com",
    [fullKey("services")]: JSON.stringify({ hoge: { image: "a/hoge:1", routes: [{ path: "/" }] } }),
    [fullKey("cluster")]: JSON.stringify({ kind: "gke", ...cluster }),
    ...google,
    ...more,
  };
  const { cluster: checked } = checkConfig(raw, "staging", projectDir).settings;
  assert.ok(checked.kind === "gke");
  return checked;
}

function refusal(cluster: object, more: Readonly<Record<string, string>> = {}): string {
  try {
    check(cluster, more);
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), String(error));
    return error.message;
  }
  return assert.fail("the config was accepted");
}

const pool = {
  machineType: "e2-standard-4",
  minPerZone: 1,
  maxPerZone: 3,
  spot: false,
  diskGb: 50,
  diskType: "pd-balanced",
  labels: {},
  taints: [],
};
const key = (region: string) => `projects/acme-keys/locations/${region}/keyRings/gke/cryptoKeys/secrets`;

test("omitted settings have secure defaults", () => {
  assert.deepEqual(check({}), {
    kind: "gke",
    project: "acme-staging",
    region: "asia-northeast1",
    mode: "standard",
    network: { nodes: "10.0.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" },
    nodePools: { main: pool },
    endpoint: { kind: "dns" },
    releaseChannel: "REGULAR",
    maintenance: {
      start: "2026-01-03T17:00:00Z",
      end: "2026-01-04T01:00:00Z",
      recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
      exclusions: {},
    },
    binaryAuthorization: true,
    deletionProtection: true,
  });
});

test("valid choices are accepted", () => {
  const taint = { key: "example.com/for", value: "batch", effect: "NO_SCHEDULE" };
  const chosen = check({
    zones: ["asia-northeast1-a", "asia-northeast1-b"],
    nodePools: {
      main: {},
      batch: { machineType: "n2d-highcpu-8", spot: true, minPerZone: 0, labels: { for: "batch" }, taints: [taint] },
    },
    endpoint: { kind: "ip", authorizedNetworks: { office: "203.0.113.0/24" } },
    maintenance: { exclusions: { sale: { start: "2026-11-20T00:00:00Z", end: "2026-12-01T00:00:00Z" } } },
    encryptionKey: key("asia-northeast1"),
    securityGroup: "gke-security-groups@example.com",
  });
  assert.deepEqual(chosen.nodePools, {
    main: pool,
    batch: {
      ...pool,
      machineType: "n2d-highcpu-8",
      spot: true,
      minPerZone: 0,
      labels: { for: "batch" },
      taints: [taint],
    },
  });
  assert.equal(chosen.maintenance.exclusions["sale"]?.scope, "NO_UPGRADES");
  assert.deepEqual(check({ mode: "autopilot" }).nodePools, {});
});

test("labels that a node may set itself, and a taint for each effect, are accepted", () => {
  const labels = {
    "node-restriction.kubernetes.io/team": "shop",
    "node.kubernetes.io/pool": "",
    "kubelet.kubernetes.io/a": "1",
    "cloud.google.com/gke-smt-disabled": "true",
    "example.com/kubernetes.io": "a",
    [`${Array(5).fill("a".repeat(50)).join(".").slice(0, 253)}/${"b".repeat(63)}`]: "c".repeat(63),
  };
  const taints = ["NO_SCHEDULE", "NO_EXECUTE"].map((effect) => ({ key: "example.com/for", value: "", effect }));
  const { nodePools } = check({ nodePools: { main: { labels }, batch: { taints } } });
  assert.deepEqual(nodePools["main"]?.labels, labels);
  assert.deepEqual(nodePools["batch"]?.taints, taints);
});

test("a range with addresses of Docker's bridge is a warning, because a cluster may have it", () => {
  const warnings = (network: object) =>
    checkConfig(
      {
        [fullKey("domain")]: "shop.example.com",
        [fullKey("services")]: "{}",
        [fullKey("cluster")]: JSON.stringify({ kind: "gke", zones: ["asia-northeast1-a"], network }),
        ...google,
      },
      "staging",
      projectDir,
    ).warnings;
  assert.deepEqual(warnings({}), []);
  assert.deepEqual(warnings({ nodes: "172.18.0.0/20", services: "172.16.0.0/16" }), []);
  assert.deepEqual(warnings({ nodes: "172.17.16.0/20" }), [
    "gke-microservices:cluster.network.nodes: 172.17.16.0/20 has addresses of 172.17.0.0/16, Docker's own network, to which Cloud SQL and others do not answer; choose another range before the cluster is made",
  ]);
  assert.match(warnings({ pods: "172.16.0.0/14" })[0] ?? "", /network\.pods: 172\.16\.0\.0\/14 has addresses/);
});

test("an unquoted time arrives in the CLI's own format, and is accepted", () => {
  const times = (start: string, end: string) => check({ maintenance: { start, end } }).maintenance;
  assert.deepEqual(
    times("2026-01-03 17:00:00 +0000 UTC", "2026-01-03 21:00:00 +0000 UTC"),
    times("2026-01-03T17:00:00Z", "2026-01-03T21:00:00Z"),
  );
});

test("machine types of all series are accepted", () => {
  for (const machineType of [
    ...["e2-micro", "e2-standard-4", "n2-custom-4-8192", "n2-custom-4-8192-ext", "custom-4-8192", "t2a-standard-8"],
    ...["c3-standard-4-lssd", "c4a-highmem-16", "a2-highgpu-1g", "a3-megagpu-8g", "m3-ultramem-32", "z3-highmem-88"],
    ...["ct5lp-hightpu-4t", "tpu7x-standard-4t", "e2-custom-small-2048", "n2d-custom-96-786432", "c4n-standard-8"],
  ])
    assert.equal(
      check({
        nodePools: { main: { machineType, diskType: machineType.startsWith("c4") ? "hyperdisk-balanced" : "pd-ssd" } },
      }).nodePools["main"]?.machineType,
      machineType,
    );
});

const refused: [string, object, RegExp][] = [
  [
    "node pools with Autopilot",
    { mode: "autopilot", nodePools: { main: {} } },
    /cluster\.nodePools\n.*cannot be used with mode autopilot.*remove nodePools, or set mode: standard/,
  ],
  ["no pool at all", { nodePools: {} }, /cluster\.nodePools\n.*must name at least one pool/],
  ["the pools' old key", { nodes: {} }, /cluster\.nodes\n.*is not a key that is known here; allowed: .*nodePools/],
  [
    "a minimum above the maximum",
    { nodePools: { main: { minPerZone: 3, maxPerZone: 1 } } },
    /nodePools\.main\.minPerZone\n.*3 is more than maxPerZone, which is 1/,
  ],
  ["a pool's name with an underscore", { nodePools: { main_pool: {} } }, /"main_pool" must be a DNS label/],
  ["a pool's name with a capital", { nodePools: { Main: {} } }, /"Main" must be a DNS label/],
  [
    "a pool's name that is too long for Google",
    { nodePools: { ["a".repeat(25)]: {} } },
    /is longer than the 24 characters that the name of the stack "staging" leaves for a pool/,
  ],
  [
    "only pools with taints",
    { nodePools: { a: { taints: [{ key: "a", value: "b", effect: "NO_EXECUTE" }] } } },
    /cluster\.nodePools\n.*nothing could run; leave one pool without/,
  ],
  [
    "a malformed machine type",
    { nodePools: { main: { machineType: "e2_standard_4" } } },
    /machineType\n.*"e2_standard_4" must be a machine type such as e2-standard-4/,
  ],
  [
    "a machine type without its size",
    { nodePools: { main: { machineType: "e2-standard" } } },
    /"e2-standard" does not exist: e2-standard comes in 2, 4, 8, 16, 32; choose one of those/,
  ],
  [
    "an invalid Kubernetes label",
    { nodePools: { main: { labels: { team: "a b" } } } },
    /labels\.team\n.*"a b" must be the value of a Kubernetes label: at most 63 letters/,
  ],
  ...["kubernetes.io/role", "node-role.kubernetes.io/web", "x.k8s.io/a", "sandbox.gke.io/runtime"].map(
    (key): [string, object, RegExp] => [
      `the label ${key}, which others manage`,
      { nodePools: { main: { labels: { [key]: "a" } } } },
      /must not have a prefix that Kubernetes or Google manages, such as kubernetes\.io\/; use one of your own/,
    ],
  ),
  ...[
    "a..b/c",
    `${"a".repeat(64)}/b`,
    `${Array(6).fill("a".repeat(50)).join(".")}/b`,
    "-a/b",
    "A/b",
    "a/",
    "a/b/c",
  ].map((key): [string, object, RegExp] => [
    `the label key ${key}`,
    { nodePools: { main: { labels: { [key]: "a" } } } },
    /must be the key of a Kubernetes label/,
  ]),
  [
    "a taint's key with a space",
    { nodePools: { main: {}, a: { taints: [{ key: "a b", value: "b", effect: "NO_EXECUTE" }] } } },
    /taints\[0\]\.key\n.*"a b" must be the key of a Kubernetes label/,
  ],
  [
    "a taint's value with a slash",
    { nodePools: { main: {}, a: { taints: [{ key: "a", value: "b/c", effect: "NO_EXECUTE" }] } } },
    /taints\[0\]\.value\n.*"b\/c" must be the value of a Kubernetes label/,
  ],
  [
    "a taint twice",
    {
      nodePools: {
        main: {},
        a: { taints: ["b", "c"].map((value) => ({ key: "a", value, effect: "NO_EXECUTE" })) },
      },
    },
    /nodePools\.a\.taints\n.*must name each key once for an effect: a node with both would not start/,
  ],
  [
    "an unknown taint effect",
    { nodePools: { main: { taints: [{ key: "a", value: "b", effect: "NoSchedule" }] } } },
    /effect\n.*allowed: NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE; did you mean "NO_SCHEDULE"\?/,
  ],
  [
    "a zone of another region",
    { zones: ["asia-northeast2-a"] },
    /cluster\.zones\[0\]\n.*"asia-northeast2-a" is not in gcp:region asia-northeast1/,
  ],
  [
    "a malformed zone",
    { zones: ["asia-northeast1"] },
    /zones\[0\]\n.*"asia-northeast1" must be a zone such as asia-northeast1-a/,
  ],
  ["a zone twice", { zones: ["asia-northeast1-a", "asia-northeast1-a"] }, /must name each zone once/],
  [
    "host bits",
    { network: { nodes: "10.0.0.1/20" } },
    /cluster\.network\.nodes\n.*"10\.0\.0\.1\/20" has bits set behind its \/20; write 10\.0\.0\.0\/20/,
  ],
  [
    "an invalid prefix length",
    { network: { pods: "10.4.0.0/99" } },
    /network\.pods\n.*"10\.4\.0\.0\/99" must be an IPv4 range such as 10\.0\.0\.0\/20/,
  ],
  [
    "ranges that overlap",
    { network: { services: "10.4.0.0/20" } },
    /network\.pods\n.*"10\.4\.0\.0\/14" overlaps with services, which is 10\.4\.0\.0\/20; give each/,
  ],
  [
    "fewer addresses than nodes",
    { network: { pods: "10.4.0.0/20" }, nodePools: { a: { maxPerZone: 4 }, b: { maxPerZone: 1 } } },
    /have room for 16 nodes, but there may be 17 in all zones together/,
  ],
  [
    "a public control plane without an allow list",
    { endpoint: { kind: "ip" } },
    /endpoint\.authorizedNetworks\n.*is missing/,
  ],
  [
    "an empty allow list",
    { endpoint: { kind: "ip", authorizedNetworks: {} } },
    /endpoint\.authorizedNetworks\n.*must name at least one range.*leave endpoint out/,
  ],
  [
    "an allow list of the whole internet",
    { endpoint: { kind: "ip", authorizedNetworks: { all: "0.0.0.0/0" } } },
    /endpoint\.authorizedNetworks\.all\n.*"0\.0\.0\.0\/0" lets a large part of the internet in; choose a \/8 or narrower/,
  ],
  [
    "an allow list of half the internet",
    { endpoint: { kind: "ip", authorizedNetworks: { half: "128.0.0.0/1" } } },
    /128\.0\.0\.0\/1" lets a large part of the internet in/,
  ],
  [
    "an allow list with host bits",
    { endpoint: { kind: "ip", authorizedNetworks: { office: "203.0.113.7/24" } } },
    /203\.0\.113\.7\/24" has bits set behind its \/24; write 203\.0\.113\.0\/24/,
  ],
  [
    "an allow list with an invalid range",
    { endpoint: { kind: "ip", authorizedNetworks: { office: "office" } } },
    /"office" is not an IPv4 range; write it as in 203\.0\.113\.0\/24/,
  ],
  [
    "authorized networks for the DNS endpoint",
    { endpoint: { kind: "dns", authorizedNetworks: { a: "203.0.113.0/24" } } },
    /endpoint\.authorizedNetworks\n.*is not a key that is known here/,
  ],
  [
    "a key in another region",
    { encryptionKey: key("us-central1") },
    /cluster\.encryptionKey\n.*is in us-central1, but a cluster in asia-northeast1 needs a key in asia-northeast1/,
  ],
  [
    "a version of a key",
    { encryptionKey: `${key("asia-northeast1")}/cryptoKeyVersions/3` },
    /must be the full name of a Cloud KMS key, without a version, such as projects/,
  ],
  ...["global", "asia", "asia1", "asia-northeast1-a"].map((location): [string, object, RegExp] => [
    `a key in ${location}`,
    { encryptionKey: key(location) },
    new RegExp(`is in ${location}, but a cluster in asia-northeast1 needs a key in asia-northeast1`),
  ]),
  ...[
    `//cloudkms.googleapis.com/${key("asia-northeast1")}`,
    `gcpkms://${key("asia-northeast1")}`,
    `${key("asia-northeast1")}/`,
    key("asia-northeast1").replace("keyRings", "keyrings"),
    key("asia-northeast1").replace("secrets", "a.b"),
    key("asia-northeast1").replace("secrets", "a".repeat(64)),
    key("ASIA-NORTHEAST1"),
  ].map((encryptionKey): [string, object, RegExp] => [
    `a key as ${encryptionKey}`,
    { encryptionKey },
    /must be the full name of a Cloud KMS key/,
  ]),
  [
    "a key by part of its name",
    { encryptionKey: "gke/secrets" },
    /"gke\/secrets" must be the full name of a Cloud KMS key/,
  ],
  [
    "a group with another name",
    { securityGroup: "devs@example.com" },
    /"devs@example\.com" must be the group gke-security-groups@/,
  ],
  [
    "an unknown channel",
    { releaseChannel: "STABEL" },
    /allowed: RAPID, REGULAR, STABLE, EXTENDED; did you mean "STABLE"\?/,
  ],
  [
    "a window too short for an upgrade",
    { maintenance: { end: "2026-01-03T19:00:00Z" } },
    /maintenance\.end\n.*is less than 4 hours after start/,
  ],
  [
    "an exclusion that ends before it starts",
    { maintenance: { exclusions: { sale: { start: "2026-12-01T00:00:00Z", end: "2026-11-20T00:00:00Z" } } } },
    /exclusions\.sale\.end\n.*"2026-11-20T00:00:00Z" is not after start/,
  ],
  [
    "an invalid time",
    { maintenance: { exclusions: { sale: { start: "now", end: "2026-11-20T00:00:00Z" } } } },
    /exclusions\.sale\.start\n.*"now" must be a time such as/,
  ],
];

for (const [what, cluster, pattern] of refused)
  test(`refused: ${what}`, () => {
    const message = refusal(cluster);
    assert.match(message, pattern);
    assert.match(message, /^1 problem in the config of stack staging; nothing was changed/);
  });

test("refused: an invalid project or region, each reported once", () => {
  for (const [what, value] of [
    ["project", "Acme_Staging"],
    ["project", "acme"],
    ["region", "asia-northeast1-a"],
    ["region", "Asia"],
  ] as const) {
    const message = refusal({ zones: ["asia-northeast1-a"] }, { [`gcp:${what}`]: value });
    assert.match(
      message,
      new RegExp(`^1 problem[^]*gcp:${what}\\n.*"${value}" is not a Google Cloud ${what}; set one such as`),
    );
  }
});

test("capacity counts every pool in every zone, plus a surge node for each pool", () => {
  const network = { pods: "10.4.0.0/20" }; // 16 nodes
  assert.equal(check({ network, nodePools: { main: { maxPerZone: 5 } } }).network.pods, "10.4.0.0/20");
  check({ network, zones: ["asia-northeast1-a"], nodePools: { main: { maxPerZone: 15 } } });
  assert.match(
    refusal({ network, zones: ["asia-northeast1-a"], nodePools: { main: { maxPerZone: 16 } } }),
    /room for 16 nodes, but there may be 17/,
  );
  // Google decides how many nodes Autopilot creates.
  check({ network, mode: "autopilot" });
});
