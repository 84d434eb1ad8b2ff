import assert from "node:assert/strict";
import { test } from "node:test";

import * as pulumi from "@pulumi/pulumi";

import { Network } from "../../../components/cluster/network.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const args = {
  project: "acme-staging",
  region: "asia-northeast1",
  ranges: { nodes: "10.0.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" },
};

test("Network creates a VPC, a subnet with named ranges, a router and a NAT", async () => {
  const recording = await mockPulumi();
  const network = new Network("staging-network", args);
  const urn = await valueOf(network.urn);
  await settled();

  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:Network::staging-network");
  const children = recording.resources.filter((resource) => resource.urn !== urn);
  assert.ok(children.every((child) => child.parent === urn && child.name.startsWith("staging-network-")));
  assert.equal(children.length, 5);

  const api = recording.one("gcp:projects/service:Service");
  assert.deepEqual(api.inputs, {
    project: "acme-staging",
    service: "compute.googleapis.com",
    disableOnDestroy: false,
  });
  const vpc = recording.one("gcp:compute/network:Network");
  assert.deepEqual(vpc.inputs, { project: "acme-staging", autoCreateSubnetworks: false, routingMode: "REGIONAL" });
  assert.ok(vpc.dependencies.includes(api.urn));

  const subnet = recording.one("gcp:compute/subnetwork:Subnetwork");
  assert.deepEqual(subnet.inputs, {
    project: "acme-staging",
    region: "asia-northeast1",
    network: "staging-network-vpc-id",
    ipCidrRange: "10.0.0.0/20",
    secondaryIpRanges: [
      { rangeName: "pods", ipCidrRange: "10.4.0.0/14" },
      { rangeName: "services", ipCidrRange: "10.8.0.0/20" },
    ],
    privateIpGoogleAccess: true,
    logConfig: {
      aggregationInterval: "INTERVAL_10_MIN",
      flowSampling: 0.1,
      metadata: "CUSTOM_METADATA",
      metadataFields: ["src_gke_details", "dest_gke_details"],
    },
  });
  assert.equal(subnet.deleteBeforeReplace, true);
  assert.deepEqual(subnet.replaceOnChanges, ["secondaryIpRanges[0].ipCidrRange", "secondaryIpRanges[1].ipCidrRange"]);

  const router = recording.one("gcp:compute/router:Router");
  assert.deepEqual(router.inputs, {
    project: "acme-staging",
    region: "asia-northeast1",
    network: "staging-network-vpc-id",
  });
  const nat = recording.one("gcp:compute/routerNat:RouterNat");
  assert.deepEqual(nat.inputs, {
    project: "acme-staging",
    region: "asia-northeast1",
    router: "staging-network-router-0000000",
    natIpAllocateOption: "AUTO_ONLY",
    sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
    enableDynamicPortAllocation: true,
    minPortsPerVm: 64,
    maxPortsPerVm: 4096,
    logConfig: { enable: true, filter: "ERRORS_ONLY" },
  });
  assert.ok(nat.dependencies.includes(subnet.urn));
  for (const part of [vpc, subnet, router, nat]) assert.equal(part.customTimeouts?.delete, "45m", part.name);

  assert.equal(await valueOf(network.networkId), "staging-network-vpc-id");
  assert.equal(await valueOf(network.subnetId), "staging-network-subnet-id");
  assert.equal(await valueOf(network.podsRangeName), "pods");
  assert.equal(await valueOf(network.servicesRangeName), "services");
});

test("Network refuses invalid ranges with all problems, and creates nothing", async () => {
  const recording = await mockPulumi();
  assert.throws(
    () => new Network("staging-network", { ...args, ranges: { ...args.ranges, nodes: "10.4.0.0/30" } }),
    (error) => {
      assert.ok(error instanceof pulumi.ResourceError);
      assert.match(error.message, /nodes: "10\.4\.0\.0\/30" is a \/30/);
      assert.match(error.message, /"10\.4\.0\.0\/30" overlaps with pods, which is 10\.4\.0\.0\/14/);
      return true;
    },
  );
  await settled();
  assert.deepEqual(
    recording.resources.filter((resource) => resource.type.startsWith("gcp:")),
    [],
  );
});
