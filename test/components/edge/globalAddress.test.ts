import assert from "node:assert/strict";
import { test } from "node:test";

import { GlobalAddress } from "../../../components/edge/globalAddress.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

test("GlobalAddress reserves a public IPv4 address and outputs its generated name", async () => {
  const type = "gcp:compute/globalAddress:GlobalAddress";
  const recording = await mockPulumi({ outputs: { [type]: () => ({ address: "203.0.113.7" }) } });
  const address = new GlobalAddress("staging-address", { project: "acme-staging" });
  const urn = await valueOf(address.urn);
  await settled();

  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:GlobalAddress::staging-address");
  const reserved = recording.one(type);
  assert.deepEqual(reserved.inputs, { project: "acme-staging", addressType: "EXTERNAL", ipVersion: "IPV4" });
  assert.equal(reserved.parent, urn);
  const api = recording.one("gcp:projects/service:Service");
  assert.equal(api.inputs["service"], "compute.googleapis.com");
  assert.equal(api.parent, urn);
  assert.ok(reserved.dependencies.includes(api.urn));
  assert.equal(recording.resources.length, 3);

  assert.equal(await valueOf(address.addressName), "staging-address-ip-0000000");
  assert.equal(await valueOf(address.address), "203.0.113.7");
});
