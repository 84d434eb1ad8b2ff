/** The hops DNS name, address and load balancer: each finding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { address as addressHop, type AddressSeen } from "../../../tools/doctor/diagnose/address.ts";
import { dns } from "../../../tools/doctor/diagnose/dns.ts";
import { edge } from "../../../tools/doctor/diagnose/edge.ts";
import type { GoogleState } from "../../../tools/doctor/gather/google.ts";
import type { NameRecords } from "../../../tools/doctor/gather/names.ts";
import { address, answered, broken, nginx, objects, subject } from "./examples.ts";
import { is } from "./fixes.ts";

const staging = subject("staging"); // self-signed
const local = subject("local"); // supplied
const [host = ""] = staging.hosts;

const records = (changes: Partial<NameRecords> = {}): NameRecords[] => [
  { host, v4: [address], v6: [], issuers: [], ...changes },
];

test("DNS: the right address, and localhost", () => {
  is(dns(records(), address, staging), "ok", /2 names → 203\.0\.113\.7/);
  is(dns([], "127.0.0.1", local), "ok", /shop\.localhost always resolves to this machine/);
  is(dns(records(), undefined, staging), "unknown", /the expected address is unknown/);
});

test("DNS: no record, and who creates it", () => {
  const none = records({ v4: [], error: "ENOTFOUND" });
  is(
    dns(none, address, staging),
    "failed",
    /NXDOMAIN/,
    /there is no record/,
    /Create the record staging\.example\.com\. A 203/,
  );
  is(dns(records({ v4: [], error: "ENODATA" }), address, staging), "failed", /has no address/);
  const created = dns(none, address, subject("staging", { dns: { create: true } }));
  is(created, "failed", /NXDOMAIN/, /./, /^Delegate the domain.*nameServers/);
  assert.equal(created.passing, true);
  is(
    dns(none, address, subject("staging", { dns: { zone: "example-com" } })),
    "failed",
    /NX/,
    /./,
    /^npx pulumi up --refresh --stack staging .*example-com/,
  );
});

test("DNS: another address, an additional address, an IPv6 address", () => {
  is(
    dns(records({ v4: ["198.51.100.1"] }), address, staging),
    "failed",
    /resolves to 198\.51\.100\.1, but/,
    /reach something else/,
    /203/,
  );
  is(dns(records({ v4: ["198.51.100.1", address] }), address, staging), "failed", /resolves to/, /Some clients/);
  is(
    dns(records({ v6: ["2001:db8::1"] }), address, staging),
    "failed",
    /AAAA record 2001:db8::1/,
    /IPv6/,
    /^Remove the AAAA/,
  );
});

test("DNS: name servers that fail, and none at all", () => {
  is(
    dns(records({ v4: [], error: "ESERVFAIL" }), address, staging),
    "failed",
    /SERVFAIL/,
    /delegation.*DNSSEC/,
    /^dig \+trace/,
  );
  is(dns(records({ v4: [], error: "ETIMEOUT" }), address, staging), "unknown", /no name server answered \(ETIMEOUT\)/);
});

const google = (changes: Partial<GoogleState> = {}): GoogleState => ({
  address: { name: "ip", status: "IN_USE", users: ["rule"] },
  health: {},
  certificates: {},
  ...changes,
});
const addressed = (changes: Partial<AddressSeen> = {}, of = staging) =>
  addressHop({ address, google: google(), objects: objects(of), ...changes }, of);

test("address: in use, reported, or unknown", () => {
  is(addressed(), "ok", /203\.0\.113\.7 \(ip\) is in use by rule/);
  is(addressed({ google: "no credentials" }), "ok", /which the Ingress reports/);
  is(addressed({ google: "no credentials", objects: "no kubectl" }), "unknown", /not checked: no credentials/);
  is(addressed({ address: undefined, outputsError: "no Pulumi CLI" }), "unknown", /not checked: no Pulumi CLI/);
  is(addressed({}, local), "ok", /^203/);
});

test("address: reserved and unused", () => {
  const finding = addressed({ google: google({ address: { name: "ip", status: "RESERVED", users: [] } }) });
  is(finding, "failed", /is RESERVED/, /nothing uses it/, /describe ingress ingress/);
  assert.equal(finding.passing, true);
});

test("address: released, another one, or none", () => {
  const { address: _, ...without } = google();
  is(
    addressed({ google: without }),
    "failed",
    /not a global address of the project acme-staging/,
    /released/,
    /--refresh/,
  );
  const elsewhere = objects(staging);
  const ingress = elsewhere.ingress && {
    ...elsewhere.ingress,
    status: { loadBalancer: { ingress: [{ ip: "198.51.100.9" }] } },
  };
  is(
    addressed({ objects: { ...elsewhere, ...(ingress && { ingress }) } }),
    "failed",
    /answers at 198\.51\.100\.9/,
    /without the reserved/,
  );
  is(addressed({ address: undefined }), "failed", /the stack has no address/, /has not been deployed/, /pulumi up/);
  is(addressed({ address: undefined }, local), "failed", /the Ingress has no address/, /No controller/, /--address/);
});

const redirect = answered(301, "", { location: "https://staging.example.com/" }, "http://staging.example.com/");
test("load balancer: answers on both", () => {
  is(edge({ address, http: redirect, https: nginx }, staging), "ok", /203\.0\.113\.7 answers http and https/);
  is(edge({ address: undefined, http: redirect, https: nginx }, staging), "skipped", /address is unknown/);
});

for (const code of ["ECONNREFUSED", "NO_CONNECTION", "ECONNRESET"])
  test(`load balancer: nothing answers (${code})`, () => {
    const finding = edge({ address, http: broken(code), https: broken(code) }, staging);
    is(finding, "failed", new RegExp(code), /not created yet/, /describe ingress/);
    assert.equal(finding.passing, true);
    is(
      edge({ address, http: broken(code), https: broken(code) }, local),
      "failed",
      /./,
      /ingress controller does not run/,
      /npm start/,
    );
  });

test("load balancer: accepts connections, and answers none", () => {
  const hangs = broken("NO_ANSWER", "no answer within 10 s");
  const seen = /203\.0\.113\.7 accepts connections, and then: no answer within 10 s/;
  const onGoogle = edge({ address, http: hangs, https: broken("ECONNREFUSED") }, staging);
  is(onGoogle, "failed", seen, /answers no request/, /describe ingress/);
  assert.equal(onGoogle.passing, true);
  is(edge({ address, http: hangs, https: hangs }, local), "failed", seen, /hangs/, /^npm stop && npm start$/);
  // A handshake that fails is the certificate's matter.
  is(edge({ address, http: hangs, https: broken("EPROTO") }, local), "ok", /only TLS handshakes/);
  is(edge({ address, http: redirect, https: hangs }, local), "ok", /answers http/);
});

test("load balancer: no redirect from HTTP", () => {
  const plain = answered(200, "hi", {}, "http://staging.example.com/");
  is(
    edge({ address, http: plain, https: nginx }, staging),
    "warning",
    /answers 200 "hi", but no redirect/,
    /plain HTTP/,
  );
  const without = subject("staging", { tls: { mode: "self-signed", redirectHttp: false } });
  is(edge({ address, http: plain, https: nginx }, without), "ok", /http and https/);
});
