import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { DnsRecords, type DnsRecordsArgs } from "../../../components/edge/dnsRecords.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const types = {
  zone: "gcp:dns/managedZone:ManagedZone",
  record: "gcp:dns/recordSet:RecordSet",
  api: "gcp:projects/service:Service",
};
const nameServers = ["ns-cloud-a1.example.", "ns-cloud-a2.example."];

async function make(change: Partial<DnsRecordsArgs> = {}) {
  const recording = await mockPulumi({ outputs: { [types.zone]: () => ({ nameServers }) } });
  const component = new DnsRecords("dns", {
    project: "acme-staging",
    stack: "staging",
    domain: "shop.example.com",
    hosts: ["shop.example.com", "hoge.shop.example.com"],
    address: "203.0.113.7",
    wildcard: false,
    ...change,
  });
  const urn = await valueOf(component.urn);
  await settled();
  return { recording, component, urn, names: recording.all(types.record).map(({ name }) => name) };
}

test("records in an existing zone, and no new zone", async () => {
  const { recording, component, urn } = await make({ zone: "example-com" });
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:DnsRecords::dns");
  assert.deepEqual(recording.all(types.zone), []);
  const api = recording.one(types.api);
  assert.deepEqual([api.inputs["service"], api.parent], ["dns.googleapis.com", urn]);
  const records = recording.all(types.record);
  assert.deepEqual(
    records.map(({ name, inputs }) => [name, inputs]),
    ["shop.example.com", "hoge.shop.example.com"].map((host) => [
      `dns-${host}`,
      {
        project: "acme-staging",
        managedZone: "example-com",
        name: `${host}.`,
        type: "A",
        ttl: 300,
        rrdatas: ["203.0.113.7"],
      },
    ]),
  );
  for (const record of records) {
    assert.equal(record.parent, urn);
    assert.ok(record.dependencies.includes(api.urn));
  }
  assert.equal(component.nameServers, undefined);
});

test("a new zone is signed, and foreign records prevent its deletion", async () => {
  const { recording, component, urn } = await make({ zone: undefined });
  const zone = recording.one(types.zone);
  assert.deepEqual(
    [zone.name, zone.parent, zone.inputs],
    [
      "dns-zone",
      urn,
      {
        project: "acme-staging",
        dnsName: "shop.example.com.",
        description: "Made by the stack staging",
        dnssecConfig: { state: "on" },
        forceDestroy: false,
        labels: { project: "gke-microservices", stack: "staging" },
      },
    ],
  );
  assert.ok(zone.dependencies.includes(recording.one(types.api).urn));
  for (const record of recording.all(types.record)) {
    assert.equal(record.inputs["managedZone"], "dns-zone-0000000");
    assert.ok(record.dependencies.includes(zone.urn));
  }
  assert.deepEqual(await valueOf(component.nameServers ?? assert.fail()), nameServers);
});

test("a wildcard adds one record", async () => {
  const { names, recording } = await make({ wildcard: true });
  assert.deepEqual(names, ["dns-shop.example.com", "dns-hoge.shop.example.com", "dns-*.shop.example.com"]);
  assert.equal(recording.one(types.record, "dns-*.shop.example.com").inputs["name"], "*.shop.example.com.");
});

test("a wildcard that is already a host is still one record", async () => {
  for (const wildcard of [false, true])
    assert.deepEqual((await make({ hosts: ["*.shop.example.com"], wildcard })).names, ["dns-*.shop.example.com"]);
});

test("hosts outside the domain get no record, and are an output", async () => {
  const elsewhere = ["www.other.example", "myshop.example.com", "example.com"];
  const { names, component } = await make({ hosts: ["shop.example.com", ...elsewhere] });
  assert.deepEqual(names, ["dns-shop.example.com"]);
  assert.deepEqual(component.hostsElsewhere, elsewhere);
});

test("records that authorize certificates, for the domains in the zone", async () => {
  const authorization = (domain: string) =>
    pulumi.output({ name: `_acme-challenge.${domain}.`, type: "CNAME", data: `${domain}.authorize.example.goog.` });
  const authorizations = Object.fromEntries(
    ["shop.example.com", "example.org"].map((domain) => [domain, authorization(domain)]),
  );
  const { recording, names } = await make({ zone: "example-com", hosts: ["shop.example.com"], authorizations });
  assert.deepEqual(names.sort(), ["dns-authorization-shop.example.com", "dns-shop.example.com"]);
  assert.deepEqual(recording.one(types.record, "dns-authorization-shop.example.com").inputs, {
    project: "acme-staging",
    managedZone: "example-com",
    name: "_acme-challenge.shop.example.com.",
    type: "CNAME",
    ttl: 300,
    rrdatas: ["shop.example.com.authorize.example.goog."],
  });
});
