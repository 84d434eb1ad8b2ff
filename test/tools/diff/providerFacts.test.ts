/** The facts about providers hold for one version of each: an upgrade asks for a new look. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { providerFacts } from "../../../tools/diff/providerFacts.ts";

const read = (file: string): unknown => JSON.parse(readFileSync(join(projectDir, file), "utf8"));

test("the facts are of the versions in package-lock.json", () => {
  const { packages } = read("package-lock.json") as { packages: Record<string, { version: string }> };
  const installed = Object.keys(providerFacts.versions).map((name) => [
    name,
    packages[`node_modules/${name}`]?.version,
  ]);
  assert.deepEqual(
    Object.fromEntries(installed),
    providerFacts.versions,
    "Look through the provider's changes for inputs that now replace a resource (ForceNew in its sources), put them into tools/diff/providerFacts.json, and then its version.",
  );
});

test("there are facts about every type that the program uses, and about no other", () => {
  // Every resource of the stacks, and of one with all options: test/program/urns.test.ts.
  const urns = Object.values(read("test/program/urns.json") as Record<string, string[]>).flat();
  const types = urns.map((urn) => urn.split(" ")[0]?.split("$").at(-1) ?? "");
  const withoutStack = ["gcp:iap/", "gcp:kms/", "gcp:projects/serviceIdentity", "gcp:compute/managedSsl"]; // prettier-ignore
  const used = new Set(types.filter((type) => /^(gcp|tls|docker|pulumi:providers):?/.test(type)));
  const known = Object.keys(providerFacts.types);
  assert.deepEqual([...used].filter((type) => !known.includes(type)), []); // prettier-ignore
  assert.deepEqual(known.filter((type) => !used.has(type) && !withoutStack.some((each) => type.startsWith(each))), []); // prettier-ignore
});

test("facts that Google's documentation states", () => {
  const { types } = providerFacts;
  const replaces = (type: string, input: string) => types[type]?.replacing.includes(input);
  const cluster = "gcp:container/cluster:Cluster";
  for (const input of [
    "location",
    "network",
    "subnetwork",
    "name",
    "project",
    "enableAutopilot",
    "datapathProvider",
    "privateClusterConfig.masterIpv4CidrBlock",
    "ipAllocationPolicy.clusterSecondaryRangeName",
  ])
    // prettier-ignore
    assert.ok(replaces(cluster, input), input);
  for (const input of [
    "nodeLocations",
    "databaseEncryption",
    "releaseChannel.channel",
    "resourceLabels",
    "deletionProtection",
    "enableShieldedNodes",
    "masterAuthorizedNetworksConfig",
    "privateClusterConfig.enablePrivateEndpoint",
  ])
    // prettier-ignore
    assert.ok(!replaces(cluster, input), input);
  assert.ok(types[cluster]?.kept?.includes("nodeLocations"));
  assert.deepEqual(types["gcp:compute/globalAddress:GlobalAddress"]?.replacing, ["address", "addressType", "description", "ipVersion", "name", "network", "prefixLength", "project", "purpose"]); // prettier-ignore
  assert.deepEqual(types["gcp:compute/managedSslCertificate:ManagedSslCertificate"]?.replacing, ["description", "managed", "managed.domains", "name", "project", "type"]); // prettier-ignore
  const pool = "gcp:container/nodePool:NodePool";
  for (const input of ["nodeConfig.spot", "nodeConfig.serviceAccount", "nodeConfig.oauthScopes", "cluster", "location"])
    // prettier-ignore
    assert.ok(replaces(pool, input), input);
  for (const input of [
    "nodeConfig.machineType",
    "nodeConfig.diskSizeGb",
    "nodeConfig.diskType",
    "nodeConfig.labels.*",
    "nodeConfig.taints",
    "nodeConfig.imageType",
  ])
    // prettier-ignore
    assert.ok(!replaces(pool, input), input);
});
