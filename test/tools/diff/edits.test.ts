/**
 * Edits of the stack `staging`, and what the engine would do for each. Sources: the `ForceNew` and `CustomizeDiff` of the
 * Google provider (github.com/hashicorp/terraform-provider-google-beta, 7.45.0), and Pulumi's step_generator.go.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compareResources } from "../../../tools/diff/resources.ts";
import { evaluate } from "../../../tools/stack/evaluate.ts";
import { stackConfig, stackFile } from "../../../tools/stack/stackFile.ts";

const file = stackFile("staging");
const text = readFileSync(file, "utf8");
const evaluated = (content: string) => evaluate("staging", stackConfig(content, file), "redacted");
const base = await evaluated(text);

type Replacement = readonly [from: string | RegExp, to: string];
const edited = (replacements: readonly Replacement[]) =>
  replacements.reduce((content, [from, to]) => {
    const now = content.replace(from, to);
    assert.notEqual(now, content, String(from));
    return now;
  }, text);

const cluster = (line: string): Replacement => ["    kind: gke\n", `    kind: gke\n    ${line}\n`];
const pool = (from: string, to: string): Replacement[] => [[from, to]];
const beforeTls = (line: string): Replacement => ["  tls:\n", `  ${line}\n  tls:\n`];

/** What goes with the cluster, if it is replaced. */
const withCluster = ["replaced staging-main cluster<staging-cluster", "replaced staging-provider clusterIdentifier<staging-cluster", "23 objects replaced"]; // prettier-ignore
const ownCertificate = ["tls-ca-key", "tls-key", "tls-ca", "tls-request", "tls-leaf"].map((name) => `deleted ${name}`);

const edits: [title: string, replacements: readonly Replacement[], expected: readonly string[]][] = [
  ["nothing", [["# yaml-", "#  yaml-"]], []],
  [
    "region",
    [["region: asia-northeast1", "region: us-central1"], ["[asia-northeast1-a]", "[us-central1-a]"]], // prettier-ignore
    [
      "replaced staging-repository location",
      "replaced staging-network-router region",
      "replaced staging-network-subnet region",
      "replaced staging-network-nat region router<staging-network-router",
      "changed staging-hoge imageName",
      "changed staging-web imageName",
      "changed staging-nginx-proxy imageName",
      "replaced staging-cluster location subnetwork<staging-network-subnet",
      "replaced staging-main location cluster<staging-cluster",
      ...withCluster.slice(1),
    ],
  ],
  ["a zone more", [["[asia-northeast1-a]", "[asia-northeast1-a, asia-northeast1-b]"]], ["changed staging-cluster nodeLocations"]], // prettier-ignore
  // nodeLocations is computed: the provider keeps the last ones.
  ["zones left to Google", [["    zones: [asia-northeast1-a] #", "    #"]], ["kept staging-cluster nodeLocations"]],
  ["a wider range of nodes", [cluster("network: { nodes: 10.0.0.0/19 }")], ["changed staging-network-subnet ipCidrRange"]], // prettier-ignore
  [
    "another range of nodes",
    [cluster("network: { nodes: 10.16.0.0/20 }")],
    ["replaced staging-network-subnet ipCidrRange", "replaced staging-cluster subnetwork<staging-network-subnet", ...withCluster], // prettier-ignore
  ],
  [
    "another range of pods",
    [cluster("network: { pods: 10.64.0.0/14 }")],
    ["replaced staging-network-subnet secondaryIpRanges[0].ipCidrRange", "replaced staging-cluster subnetwork<staging-network-subnet", ...withCluster], // prettier-ignore
  ],
  [
    "another range of Services",
    [cluster("network: { services: 10.9.0.0/20 }")],
    ["replaced staging-network-subnet secondaryIpRanges[1].ipCidrRange", "replaced staging-cluster subnetwork<staging-network-subnet", ...withCluster], // prettier-ignore
  ],
  [
    "mode autopilot",
    [cluster("mode: autopilot"), [/ {4}zones.*\n/, ""], [/ {4}nodePools:.*\n.*\n/, ""]],
    ["deleted staging-main", "replaced staging-cluster initialNodeCount enableAutopilot", ...withCluster.slice(1)],
  ],
  [
    "control plane by address",
    [cluster("endpoint: { kind: ip, authorizedNetworks: { office: 203.0.113.0/24 } }")],
    ["changed staging-cluster controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic controlPlaneEndpointsConfig.ipEndpointsConfig.enabled privateClusterConfig.enablePrivateEndpoint masterAuthorizedNetworksConfig.cidrBlocks"], // prettier-ignore
  ],
  ["release channel", [cluster("releaseChannel: RAPID")], ["changed staging-cluster releaseChannel.channel"]],
  ["maintenance window", [cluster("maintenance: { recurrence: FREQ=DAILY }")], ["changed staging-cluster maintenancePolicy.recurringWindow.recurrence"]], // prettier-ignore
  [
    "encryption key",
    [cluster("encryptionKey: projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets")],
    ["created staging-api-cloudkms", "created staging-key-user", "changed staging-cluster databaseEncryption.keyName databaseEncryption.state"], // prettier-ignore
  ],
  ["security group", [cluster("securityGroup: gke-security-groups@example.com")], ["changed staging-cluster authenticatorGroupsConfig.securityGroup"]], // prettier-ignore
  ["no Binary Authorization", [cluster("binaryAuthorization: false")], ["changed staging-cluster binaryAuthorization.evaluationMode"]], // prettier-ignore
  ["deletion protection", [["deletionProtection: false", "deletionProtection: true"]], ["changed staging-cluster deletionProtection"]], // prettier-ignore
  ["machine type", pool("e2-standard-2", "e2-standard-4"), ["changed staging-main nodeConfig.machineType"]],
  ["disk size", pool("diskGb: 30", "diskGb: 60"), ["changed staging-main nodeConfig.diskSizeGb"]],
  ["disk type", pool("diskGb: 30", "diskGb: 30, diskType: pd-ssd"), ["changed staging-main nodeConfig.diskType"]],
  ["spot off", pool("spot: true", "spot: false"), ["replaced staging-main nodeConfig.spot"]],
  ["labels of nodes", pool("diskGb: 30", "diskGb: 30, labels: { a: b }"), ["changed staging-main nodeConfig.labels.a"]],
  ["most nodes", pool("maxPerZone: 3", "maxPerZone: 5"), ["changed staging-main autoscaling.maxNodeCount"]],
  // initialNodeCount would replace the pool, and is ignored.
  ["least nodes", pool("minPerZone: 2", "minPerZone: 1"), ["changed staging-main autoscaling.minNodeCount"]],
  ["a pool under another name", pool("main: {", "other: {"), ["deleted staging-main", "created staging-other"]],
  ["a second pool", pool("diskGb: 30 }", "diskGb: 30 }\n      more: {}"), ["created staging-more"]],
  [
    "domain",
    [["domain: staging.example.com", "domain: test.example.com"]],
    [
      "replaced tls-request dnsNames subject.commonName",
      "replaced tls-leaf certRequestPem<tls-request",
      "Secret apps/ingress-tls<tls-leaf",
      "Ingress apps/ingress<ingress-tls",
    ],
  ],
  [
    "a host of the certificate",
    [["routes: [{ path: / }]", "routes: [{ path: / }, { host: www }]"]],
    [
      "replaced tls-request dnsNames",
      "replaced tls-leaf certRequestPem<tls-request",
      "Secret apps/ingress-tls<tls-leaf",
      "Ingress apps/ingress<ingress-tls",
    ],
  ],
  [
    "Google's certificates",
    [["mode: self-signed", "mode: managed"]],
    [
      "created tls-managed-api-compute",
      "created tls-managed-staging.example.com",
      "created tls-managed-hoge.staging.example.com",
      "created tls-managed-fallback",
    ],
  ],
  ["no HTTPS", [["mode: self-signed", "mode: none"]], ownCertificate],
  ["a Gateway", [["kind: gce", "kind: gateway"]], ["deleted ingress-ssl-policy", "created gateway-ssl-policy"]],
  ["Cloud Armor", [["kind: gce", "kind: gce\n    armor: {}"]], ["created ingress-armor-api-compute", "created ingress-armor-policy"]], // prettier-ignore
  [
    "Identity-Aware Proxy",
    [["kind: gce", 'kind: gce\n    iap: { members: ["group:a@example.com"] }']],
    ["created ingress-api-iap", "created ingress-iap-group:a@example.com"],
  ],
  ["Cloud CDN", [["kind: gce", "kind: gce\n    cdn: {}"]], []],
  ["kept images", [beforeTls("registry: { kind: artifact-registry, keep: 10 }")], ["changed staging-repository cleanupPolicies"]], // prettier-ignore
  [
    "no image scan",
    [beforeTls("registry: { kind: artifact-registry, scan: false }")],
    ["changed staging-repository vulnerabilityScanningConfig.enablementConfig", "retained staging-api-containerscanning"], // prettier-ignore
  ],
  ["immutable tags", [beforeTls("registry: { kind: artifact-registry, immutableTags: true }")], ["changed staging-repository dockerConfig.immutableTags"]], // prettier-ignore
  [
    "another build folder",
    [["context: ./services/sample", "context: ./nginx"]],
    ["changed staging-hoge build.context imageName", "Deployment apps/hoge<staging-hoge"],
  ],
  [
    "a zone of its own",
    [beforeTls("dns: { create: true }")],
    ["created dns-api-dns", "created dns-zone", "created dns-staging.example.com", "created dns-hoge.staging.example.com"], // prettier-ignore
  ],
  [
    "an existing zone",
    [beforeTls("dns: { zone: example-com }")],
    ["created dns-api-dns", "created dns-staging.example.com", "created dns-hoge.staging.example.com"],
  ],
  [
    "roles of a service",
    [["routes: [{ path: / }]", "routes: [{ path: / }]\n      roles: [roles/pubsub.publisher]"]],
    ["created web-identity-account", "created web-identity-use", "created web-identity-roles-pubsub.publisher"],
  ],
  [
    "metrics by service",
    [["    replicas: 3", "    replicas: 3\n    metrics: { byService: true }"]],
    ["created staging-requests-api-logging", "created staging-requests-latency"],
  ],
  [
    "a gRPC route",
    [["routes: [{ path: / }]", "routes: [{ path: / }, { path: /a.B/, protocol: grpc }]"]],
    ["created nginx-proxy-grpc-key", "created nginx-proxy-grpc-certificate"],
  ],
];

function lines(head: Awaited<ReturnType<typeof evaluated>>) {
  return linesOf(compareResources(base.resources, head.resources));
}

function linesOf({ changes, replacedObjects, kept, retained, revalued }: ReturnType<typeof compareResources>) {
  return [
    ...changes.map(
      ({ operation, resource, because }) =>
      [operation, resource.split(" ")[1], ...because.map(({ path, source }) => (source === undefined ? path : `${path}<${source}`))].join(" "), // prettier-ignore
    ),
    ...(replacedObjects > 0 ? [`${replacedObjects} objects replaced`] : []),
    ...kept.map(({ resource, path }) => `kept ${resource.split(" ")[1] ?? ""} ${path}`),
    ...retained.map((resource) => `retained ${resource.split(" ")[1] ?? ""}`),
    ...revalued.map(({ object, source }) => `${object.replace(/-[0-9a-f]{10}$/, "")}<${source}`),
  ];
}

for (const [title, replacements, expected] of edits)
  test(title, async () => {
    assert.deepEqual(lines(await evaluated(edited(replacements))), expected);
  });

test("another project replaces everything in Google", async () => {
  const head = await evaluated(edited([["gcp:project: acme-staging", "gcp:project: acme-other"]]));
  const { changes, replacedObjects } = compareResources(base.resources, head.resources);
  const google = base.resources
    .filter(({ type }) => type.startsWith("gcp:"))
    .map(({ type, name }) => `${type} ${name}`);
  const replaced = changes.filter(({ operation }) => operation === "replaced").map(({ resource }) => resource);
  assert.deepEqual(new Set(replaced), new Set([...google, "pulumi:providers:kubernetes staging-provider", "tls:index/certRequest:CertRequest tls-request", "tls:index/locallySignedCert:LocallySignedCert tls-leaf"])); // prettier-ignore
  assert.equal(replacedObjects, 23);
});

test("an existing cluster instead of the stack's own: everything in Google is deleted, every object replaced", async () => {
  const head = await evaluated(
    edited([
      [/ {4}kind: gke\n[^]*?deletionProtection: false\n/, "    kind: existing\n    context: other\n"],
      ["    kind: gce", "    kind: ingress\n    className: nginx"],
      beforeTls("registry: { kind: node }"),
    ]),
  );
  const { changes, replacedObjects } = compareResources(base.resources, head.resources);
  // The APIs stay enabled.
  const google = base.resources.filter(({ type }) => /^(gcp|docker):/.test(type) && type !== "gcp:projects/service:Service").map(({ type, name }) => `${type} ${name}`); // prettier-ignore
  const deleted = changes.filter(({ operation }) => operation === "deleted").map(({ resource }) => resource);
  assert.deepEqual(new Set(deleted), new Set([...google, "pulumi:providers:kubernetes staging-provider"]));
  assert.equal(replacedObjects, 20);
});

test("what is removed from the config, and stays in Google, is named", async () => {
  const all: Replacement[] = [
    cluster("encryptionKey: projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets"),
    cluster("securityGroup: gke-security-groups@example.com"),
    cluster("endpoint: { kind: ip, authorizedNetworks: { office: 203.0.113.0/24 } }"),
    ...pool("diskGb: 30", "diskGb: 30, labels: { a: b }"),
    beforeTls("dns: { zone: example-com }"),
  ];
  const { resources } = await evaluated(edited(all));
  const found = linesOf(compareResources(resources, base.resources)).filter((line) => /^(kept|retained)/.test(line));
  assert.deepEqual(found, [
    "kept staging-cluster authenticatorGroupsConfig",
    "kept staging-cluster databaseEncryption",
    "kept staging-cluster masterAuthorizedNetworksConfig",
    "kept staging-main nodeConfig.labels",
    "retained staging-api-cloudkms",
    "retained staging-key-user",
    "retained dns-api-dns",
  ]);
});

test("a protected API counts as deleted, because the engine refuses that", async () => {
  const { resources } = await evaluated(edited([["deletionProtection: false", "deletionProtection: true"]]));
  const { changes, retained } = compareResources(resources, []);
  const api = "gcp:projects/service:Service staging-network-api-compute";
  assert.ok(changes.some(({ resource, operation, refused }) => resource === api && operation === "deleted" && refused));
  assert.ok(!retained.includes(api));
  assert.ok(retained.includes("gcp:projects/service:Service staging-api-container"));
});
