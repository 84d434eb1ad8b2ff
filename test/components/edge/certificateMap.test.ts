import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { CertificateMap, type CertificateMapArgs } from "../../../components/edge/certificateMap.ts";
import { certificateNames } from "../../../names/hosts.ts";
import { mockPulumi, settled, valueOf, type Recording } from "../../../tools/testing/mocks.ts";

const types = {
  authorization: "gcp:certificatemanager/dnsAuthorization:DnsAuthorization",
  certificate: "gcp:certificatemanager/certificate:Certificate",
  map: "gcp:certificatemanager/certificateMap:CertificateMap",
  entry: "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
};
const record = { name: "_acme-challenge_x.shop.example.com.", type: "CNAME", data: "x.authorize.example.goog." };

async function make(
  names: readonly string[],
  states: Readonly<Record<string, string>> = {},
  fallback?: CertificateMapArgs["fallback"],
) {
  const recording = await mockPulumi({
    outputs: {
      [types.authorization]: () => ({ dnsResourceRecords: [record] }),
      [types.certificate]: (name) => {
        const state = states[name.replace("tls-map-certificate-", "")];
        return state === undefined ? {} : { managed: { state } };
      },
    },
  });
  const component = new CertificateMap("tls-map", { project: "acme-staging", stack: "staging", names, fallback });
  await settled();
  return { recording, component };
}
const labels = { project: "gke-microservices", stack: "staging" };
const base = { project: "acme-staging", labels };

test("a wildcard and its domain: one authorization, and a certificate and an entry for each of the two", async () => {
  const { recording } = await make(["shop.example.com", "*.shop.example.com"]);
  const domain = "staging-shop-example-com-12d959";
  const wildcard = "staging-shop-example-com-d5cd5e";
  const authorization = recording.one(types.authorization);
  assert.deepEqual(authorization.inputs, {
    ...base,
    name: domain,
    domain: "shop.example.com",
    type: "PER_PROJECT_RECORD",
  });
  const map = recording.one(types.map);
  assert.deepEqual(map.inputs, { ...base, name: "staging-gateway" });
  const [one, two] = ["", "*."].map((prefix) =>
    recording.one(types.certificate, `tls-map-certificate-${prefix}shop.example.com`),
  );
  const dnsAuthorizations = ["tls-map-authorization-shop.example.com-id"];
  assert.deepEqual(one?.inputs, {
    ...base,
    name: domain,
    managed: { domains: ["shop.example.com"], dnsAuthorizations },
  });
  assert.deepEqual(two?.inputs, {
    ...base,
    name: wildcard,
    managed: { domains: ["*.shop.example.com"], dnsAuthorizations },
  });
  const [first, second] = ["", "*."].map((prefix) =>
    recording.one(types.entry, `tls-map-entry-${prefix}shop.example.com`),
  );
  const entry = { ...base, map: "staging-gateway" };
  assert.deepEqual(first?.inputs, {
    ...entry,
    name: domain,
    hostname: "shop.example.com",
    certificates: ["tls-map-certificate-shop.example.com-id"],
  });
  assert.deepEqual(second?.inputs, {
    ...entry,
    name: wildcard,
    hostname: "*.shop.example.com",
    certificates: ["tls-map-certificate-*.shop.example.com-id"],
  });
});

test("the order is API, authorization, certificate, entry; the map's name resolves when it is complete", async () => {
  const { recording, component } = await make(["shop.example.com"]);
  const api = recording.one("gcp:projects/service:Service");
  assert.equal(api.inputs["service"], "certificatemanager.googleapis.com");
  const [authorization, map, certificate, entry] = [types.authorization, types.map, types.certificate, types.entry].map(
    (type) => recording.one(type),
  );
  assert.ok(authorization && map && certificate && entry);
  assert.ok(authorization.dependencies.includes(api.urn));
  assert.ok(map.dependencies.includes(api.urn));
  assert.ok(certificate.dependencies.includes(authorization.urn));
  assert.ok(entry.dependencies.includes(certificate.urn) && entry.dependencies.includes(map.urn));
  const urn = await valueOf(component.urn);
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:CertificateMap::tls-map");
  for (const child of [authorization, map, certificate, entry]) assert.equal(child.parent, urn);
  assert.equal(await valueOf(component.mapName), "staging-gateway");
});

test("adding or removing a host keeps the other certificates", async () => {
  const all = (recording: Recording) =>
    new Map(
      [types.authorization, types.certificate, types.entry]
        .flatMap((type) => recording.all(type))
        .map(({ urn, inputs }) => [urn, inputs]),
    );
  const before = all((await make(["shop.example.com", "hoge.shop.example.com"])).recording);
  const after = all((await make(["new.example.org", "shop.example.com", "hoge.shop.example.com"])).recording);
  assert.equal(after.size, before.size + 3);
  for (const [urn, inputs] of before) assert.deepEqual(after.get(urn), inputs);
});

test("the required DNS records, and the status of each certificate", async () => {
  const { component } = await make(["shop.example.com", "*.shop.example.com"], { "shop.example.com": "ACTIVE" });
  assert.deepEqual(Object.keys(component.records), ["shop.example.com"]);
  assert.deepEqual(await valueOf(pulumi.output(component.records)), { "shop.example.com": record });
  assert.deepEqual(await valueOf(component.statuses), {
    "shop.example.com": { name: "staging-shop-example-com-12d959", status: "issued" },
    "*.shop.example.com": { name: "staging-shop-example-com-d5cd5e", status: "provisioning" },
  });
});

test("with a fallback, it serves each name until Google has issued that name's certificate", async () => {
  const names = ["shop.example.com", "*.shop.example.com"];
  const served = async (states: Readonly<Record<string, string>>) => {
    const covered: (readonly string[])[] = [];
    const { recording } = await make(names, states, (of) => ({
      crt: of.apply((all) => (covered.push(all), `chain for ${all.join()}`)),
      key: "the key",
    }));
    const own = recording.one(types.certificate, "tls-map-fallback");
    assert.equal(own.deleteBeforeReplace, false);
    assert.deepEqual(own.inputs["selfManaged"], {
      pemCertificate: `chain for ${covered[0]?.join() ?? ""}`,
      pemPrivateKey: "the key",
    });
    return [covered[0], ...recording.all(types.entry).map(({ inputs }) => inputs["certificates"])];
  };
  const [first, second] = names.map((name) => [`tls-map-certificate-${name}-id`]);
  const fallback = ["tls-map-fallback-id"];
  assert.deepEqual(await served({}), [names, fallback, fallback]);
  assert.deepEqual(await served({ "shop.example.com": "ACTIVE" }), [["*.shop.example.com"], first, fallback]);
  assert.deepEqual(await served(Object.fromEntries(names.map((name) => [name, "ACTIVE"]))), [names, first, second]);
});

test("with a wildcard, a host under the domain needs no certificate; one deeper or elsewhere does", () => {
  const hosts = [
    "shop.example.com",
    "hoge.shop.example.com",
    "a.b.shop.example.com",
    "example.org",
    "shop.example.org",
  ];
  assert.deepEqual(certificateNames(hosts, false), hosts);
  assert.deepEqual(certificateNames(hosts, true), [
    "shop.example.com",
    "*.shop.example.com",
    "a.b.shop.example.com",
    "example.org",
    "shop.example.org",
  ]);
  assert.deepEqual(certificateNames([...hosts, "new.shop.example.com"], true), certificateNames(hosts, true));
});

test("one of the names covers every host, by RFC 6125: a wildcard covers one label", () => {
  const label = fc.stringMatching(/^[a-z]{1,5}$/);
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => [...labels, "com"].join("."));
  const under = fc.array(label, { maxLength: 2 }).map((labels) => [...labels, "shop.example.com"].join("."));
  fc.assert(
    fc.property(fc.array(fc.oneof(host, under)), fc.boolean(), (others, wildcard) => {
      const hosts = [...new Set(["shop.example.com", ...others])];
      const names = certificateNames(hosts, wildcard);
      assert.equal(new Set(names).size, names.length);
      for (const each of hosts)
        assert.ok(names.includes(each) || names.includes(each.replace(/^[^.]+/, "*")), `${each}: ${names.join(" ")}`);
    }),
  );
});
