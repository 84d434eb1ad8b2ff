import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { ManagedCertificates } from "../../../components/edge/managedCertificates.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const type = "gcp:compute/managedSslCertificate:ManagedSslCertificate";
const hosts = ["shop.example.com", "hoge.shop.example.com"];

async function make(names: readonly string[], expireTime?: (name: string) => Record<string, unknown>) {
  const recording = await mockPulumi(expireTime && { outputs: { [type]: expireTime } });
  const component = new ManagedCertificates("tls-managed", { project: "acme-staging", stack: "staging", hosts: names });
  const urn = await valueOf(component.urn);
  await settled();
  return { recording, component, urn };
}

test("one certificate for each host, named after stack and host", async () => {
  const { recording, component, urn } = await make(hosts);
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:ManagedCertificates::tls-managed");
  const certificates = recording.all(type);
  const names = ["staging-shop-example-com-12d959", "staging-hoge-shop-example-com-034bbf"];
  assert.deepEqual(
    certificates.map(({ name, inputs }) => [name, inputs]),
    hosts.map((host, index) => [
      `tls-managed-${host}`,
      { project: "acme-staging", name: names[index], managed: { domains: [host] } },
    ]),
  );
  const api = recording.one("gcp:projects/service:Service");
  assert.deepEqual([api.inputs["service"], api.parent], ["compute.googleapis.com", urn]);
  for (const { parent, dependencies } of certificates) {
    assert.equal(parent, urn);
    assert.ok(dependencies.includes(api.urn));
  }
  assert.deepEqual(await valueOf(component.names), names);
});

test("other hosts do not change a certificate: nothing replaces one in use", async () => {
  const of = async (names: readonly string[]) =>
    new Map((await make(names)).recording.all(type).map(({ urn, inputs }) => [urn, inputs]));
  const few = await of(hosts);
  const more = await of(["first.example.com", ...hosts.toReversed(), "zebra.shop.example.com"]);
  assert.equal(more.size, 4);
  for (const [urn, inputs] of few) assert.deepEqual(more.get(urn), inputs);
  assert.equal(new Set([...more.values()].map((inputs) => inputs["name"])).size, 4);
});

test("names are valid for Google and distinct, however long the hosts are", async () => {
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.example.com`;
  const names = await valueOf((await make([long, `x.${long}`])).component.names);
  for (const name of names) assert.match(name, /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
  assert.notEqual(names[0], names[1]);
});

test("a certificate is provisioning until Google reports its expiry", async () => {
  const expires = "2027-02-20T10:00:00.000-08:00";
  const times: Record<string, unknown> = { [`tls-managed-${hosts[0] ?? ""}`]: expires };
  const { component } = await make(hosts, (name) => ({ expireTime: times[name] ?? "" }));
  const statuses = component.statuses;
  assert.deepEqual(await valueOf(statuses), {
    "shop.example.com": { name: "staging-shop-example-com-12d959", status: "issued", expires },
    "hoge.shop.example.com": { name: "staging-hoge-shop-example-com-034bbf", status: "provisioning" },
  });
  assert.equal(await pulumi.isSecret(statuses), false);
});

const own = "gcp:compute/sSLCertificate:SSLCertificate";
const expires = "2027-02-20T10:00:00.000-08:00";

/** @param issued hosts whose certificates Google has issued */
async function withFallback(issued: readonly string[]) {
  const certificates = issued.map((host) => `tls-managed-${host}`);
  const recording = await mockPulumi({
    outputs: { [type]: (name) => ({ expireTime: certificates.includes(name) ? expires : "" }) },
  });
  const covered: (readonly string[])[] = [];
  const { names } = new ManagedCertificates("tls-managed", {
    project: "acme-staging",
    stack: "staging",
    hosts,
    fallback: (of) => ({ crt: of.apply((all) => (covered.push(all), `chain for ${all.join()}`)), key: "the key" }),
  });
  await settled();
  return { recording, covered, names: await valueOf(names) };
}
const managedNames = ["staging-shop-example-com-12d959", "staging-hoge-shop-example-com-034bbf"];

test("until all are issued, the fallback is attached last, and covers only hosts without a certificate", async () => {
  const first = await withFallback([]);
  const name = String(first.recording.one(own).inputs["name"]);
  assert.match(name, /^staging-fallback-[0-9a-f]{10}$/);
  assert.deepEqual(first.recording.one(own).inputs, {
    project: "acme-staging",
    name,
    certificate: `chain for ${hosts.join()}`,
    privateKey: "the key",
  });
  assert.equal(first.recording.one(own).deleteBeforeReplace, false);
  assert.deepEqual(first.names, [...managedNames, name]);
  assert.deepEqual(first.covered[0], hosts);
  const second = await withFallback(["shop.example.com"]);
  assert.deepEqual(second.covered[0], ["hoge.shop.example.com"]);
  assert.notEqual(second.recording.one(own).inputs["name"], name); // Content is immutable at Google.
  assert.equal(second.names.length, 3);
});

test("once all are issued, the fallback is not attached, and has the content of the first day", async () => {
  const before = (await withFallback([])).recording.one(own).inputs;
  const { recording, names } = await withFallback(hosts);
  assert.deepEqual(names, managedNames);
  assert.deepEqual(recording.one(own).inputs, before);
});
