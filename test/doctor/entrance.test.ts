/** The hops that all requests take: each row of what names, Google, certificates and load balancers show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { address as addressHop, type AddressSeen } from "../../doctor/diagnose/address.ts";
import { certificate, type ManagedState } from "../../doctor/diagnose/certificate.ts";
import { closedToGoogle, dns } from "../../doctor/diagnose/dns.ts";
import { edge } from "../../doctor/diagnose/edge.ts";
import type { GoogleState } from "../../doctor/gather/google.ts";
import type { Looked } from "../../doctor/gather/names.ts";
import type { Shown } from "../../doctor/gather/probes.ts";
import type { Finding } from "../../doctor/report.ts";
import { address, answered, broken, nginx, now, objects, subject } from "./examples.ts";
import { assertMendable } from "./fixes.ts";

const staging = subject("staging"); // self-signed
const production = subject("production"); // managed
const local = subject("local"); // supplied
const [host = ""] = staging.hosts;

/** The state, what is seen, and that a failure says what it means and how to fix it. */
function is(finding: Finding, state: Finding["state"], seen: RegExp, means?: RegExp, fix?: RegExp): void {
  assert.equal(finding.state, state, JSON.stringify(finding));
  assert.match(finding.seen, seen);
  assertMendable(finding);
  if (means) assert.match(finding.means ?? "", means);
  if (fix) assert.match(finding.fix ?? "", fix);
}

const looked = (changes: Partial<Looked> = {}): Looked[] => [{ host, v4: [address], v6: [], issuers: [], ...changes }];

test("DNS: right, and on this machine by its name", () => {
  is(dns(looked(), address, staging), "ok", /2 names → 203\.0\.113\.7/);
  is(dns([], "127.0.0.1", local), "ok", /shop\.localhost is this machine/);
  is(dns(looked(), undefined, staging), "unknown", /it is not known whether that is right/);
});

test("DNS: no record, by whom it is to be made", () => {
  const none = looked({ v4: [], error: "ENOTFOUND" });
  is(
    dns(none, address, staging),
    "failed",
    /NXDOMAIN/,
    /there is no record/,
    /Make the record staging\.example\.com\. A 203/,
  );
  is(dns(looked({ v4: [], error: "ENODATA" }), address, staging), "failed", /has no address/);
  const made = dns(none, address, subject("staging", { dns: { create: true } }));
  is(made, "failed", /NXDOMAIN/, /./, /^Delegate the domain.*nameServers/);
  assert.equal(made.passing, true);
  is(
    dns(none, address, subject("staging", { dns: { zone: "example-com" } })),
    "failed",
    /NX/,
    /./,
    /^npx pulumi up --refresh --stack staging .*example-com/,
  );
});

test("DNS: elsewhere, partly elsewhere, elsewhere by IPv6", () => {
  is(
    dns(looked({ v4: ["198.51.100.1"] }), address, staging),
    "failed",
    /leads to 198\.51\.100\.1, and/,
    /reach something else/,
    /203/,
  );
  is(dns(looked({ v4: ["198.51.100.1", address] }), address, staging), "failed", /leads to/, /Some clients/);
  is(
    dns(looked({ v6: ["2001:db8::1"] }), address, staging),
    "failed",
    /AAAA record 2001:db8::1/,
    /IPv6/,
    /^Remove the AAAA/,
  );
});

test("DNS: name servers that answer wrongly, and none at all", () => {
  is(
    dns(looked({ v4: [], error: "ESERVFAIL" }), address, staging),
    "failed",
    /SERVFAIL/,
    /delegation.*DNSSEC/,
    /^dig \+trace/,
  );
  is(dns(looked({ v4: [], error: "ETIMEOUT" }), address, staging), "unknown", /no name server answered \(ETIMEOUT\)/);
});

const google = (changes: Partial<GoogleState> = {}): GoogleState => ({
  address: { name: "ip", status: "IN_USE", users: ["rule"] },
  health: {},
  certificates: {},
  ...changes,
});
const addressed = (changes: Partial<AddressSeen> = {}, of = staging) =>
  addressHop({ address, google: google(), objects: objects(of), ...changes }, of);

test("address: in use, reported, or not to be looked at", () => {
  is(addressed(), "ok", /203\.0\.113\.7 \(ip\) is in use by rule/);
  is(addressed({ google: "no credentials" }), "ok", /which the Ingress reports/);
  is(
    addressed({ google: "no credentials of Google", objects: "no kubectl" }),
    "unknown",
    /not looked at: no credentials/,
  );
  is(addressed({ address: undefined, unread: "no Pulumi CLI" }), "unknown", /not looked at: no Pulumi CLI/);
  is(addressed({}, local), "ok", /^203/);
});

test("address: reserved and unused", () => {
  const finding = addressed({ google: google({ address: { name: "ip", status: "RESERVED", users: [] } }) });
  is(finding, "failed", /is RESERVED/, /nothing uses it/, /describe ingress ingress/);
  assert.equal(finding.passing, true);
});

test("address: gone, another's, or none", () => {
  const { address: _, ...without } = google();
  is(
    addressed({ google: without }),
    "failed",
    /no global address of the project acme-staging/,
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
  is(addressed({ address: undefined }), "failed", /the stack has none/, /has not been made/, /pulumi up/);
  is(addressed({ address: undefined }, local), "failed", /the Ingress has none/, /No controller/, /--address/);
});

const day = 86_400_000;
const shown = (changes: Partial<Shown> = {}): Shown => ({
  host,
  fits: true,
  names: `DNS:${host}`,
  issuer: "CN=an authority",
  from: new Date(now.getTime() - day),
  to: new Date(now.getTime() + 90 * day),
  ...changes,
});
const certified = (
  one: Partial<Shown>,
  of = staging,
  managed?: ManagedState,
  http = answered(301, "", { location: "https://x/" }),
) => certificate({ shown: [shown(one)], managed: managed && { [host]: managed }, http, now }, of);

test("certificate: well, or none by the config", () => {
  is(certified({}), "ok", /for staging\.example\.com, trusted, until 2026-08-30 \(90 days\)/);
  is(certified({}, subject("staging", { tls: { mode: "none" } })), "skipped", /plain HTTP/);
});

test("certificate: near its end, by 30 days and not by 31", () => {
  const left = (days: number) => ({ to: new Date(now.getTime() + days * day) });
  is(certified(left(29.5)), "warning", /in 29 days/, /30 days ahead/, /npx pulumi up --refresh --stack staging/);
  is(certified(left(30)), "ok", /30 days/);
  is(
    certified(left(1), production),
    "warning",
    /in 1 day$/,
    /./,
    /gcloud compute ssl-certificates list --project \S+ .*Google renews by itself/,
  );
});

test("certificate: expired, not valid yet, for another name", () => {
  is(certified({ to: new Date(now.getTime() - 1) }), "failed", /expired on 2026-06-01/, /No client/, /pulumi up/);
  is(certified({ from: new Date(now.getTime() + day) }), "failed", /not valid before 2026-06-02/, /clock/);
  const other = { fits: false, names: "DNS:other.example.com" };
  is(
    certified(other),
    "failed",
    /asked as staging\.example\.com, the certificate is for other\.example\.com/,
    /another's/,
  );
  const supplied = subject("staging", {
    tls: { mode: "supplied" },
    secrets: { tls: { crt: "(crt not shown)", key: "(key not shown)" } },
  });
  is(certified(other, supplied), "failed", /./, /./, /^Set secrets\.tls \(for staging\.example\.com, hoge\.staging/);
  is(certified(other, local), "failed", /./, /./, /npm start/);
  const issuing = certified(other, production, { status: "PROVISIONING" });
  is(issuing, "failed", /./, /another host/, /--wait 60m/);
  assert.equal(issuing.passing, true);
});

test("certificate: of one for many names the first few are named", () => {
  const names = Array.from({ length: 8 }, (_, index) => `DNS:n${index}.example.com`).join(", ");
  is(certified({ fits: false, names }), "failed", /for n0\.example\.com, .*n4\.example\.com and 3 more$/);
});

test("certificate: of the worst of several hosts it is told", () => {
  const soon = shown({ host: "a.example.com", to: new Date(now.getTime() + day) });
  const expired = shown({ host: "b.example.com", to: now });
  is(certificate({ shown: [soon, expired, shown()], http: nginx, now }, staging), "failed", /b\.example\.com expired/);
});

test("certificate: a chain that is not trusted, and why", () => {
  is(
    certified({ untrusted: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, local),
    "failed",
    /UNABLE_TO_VERIFY/,
    /intermediate/,
    /whole chain.*--ca FILE/,
  );
  is(
    certified({ untrusted: "SELF_SIGNED_CERT_IN_CHAIN" }),
    "failed",
    /issued by CN=an authority/,
    /stack's CA of today/,
    /pulumi up/,
  );
  is(
    certified({ untrusted: "DEPTH_ZERO_SELF_SIGNED_CERT" }, production),
    "failed",
    /DEPTH_ZERO/,
    /no authority that this machine knows/,
  );
});

test("certificate: of a CA that could not be read it is not said that it is the wrong one", () => {
  const seen = {
    shown: [shown({ untrusted: "SELF_SIGNED_CERT_IN_CHAIN" })],
    http: nginx,
    unread: "no Pulumi CLI",
    now,
  };
  is(certificate(seen, staging), "unknown", /until 2026-08-30.*no Pulumi CLI/);
  is(certificate(seen, production), "failed", /not trusted/);
});

const refused = { error: { code: "ECONNREFUSED", message: "connect ECONNREFUSED" } };
test("certificate: plain HTTP answers and https does not, though browsers are sent there", () => {
  const finding = certified(refused);
  is(
    finding,
    "failed",
    /connect ECONNREFUSED, while plain HTTP answers, and http:.* sends clients there/,
    /Every hop behind works, and a browser cannot connect/,
  );
  assert.equal(finding.passing, true);
  is(certified(refused, staging, undefined, answered(200, "hello")), "failed", /plain HTTP answers$/, /HSTS/);
  is(certified(refused, staging, undefined, broken("ECONNREFUSED")), "skipped", /no connection/);
});

for (const [ofHost, means, fix] of [
  ["FAILED_NOT_VISIBLE", /did not see staging\.example\.com at/, /A record/],
  ["FAILED_CAA_FORBIDDEN", /CAA record forbids/, /CAA 0 issue "pki\.goog"/],
  ["FAILED_CAA_CHECKING", /CAA record/, /pki\.goog/],
  ["FAILED_RATE_LIMITED", /issues none for a while/, /^Wait/],
  ["CONFIG", /record by which Google sees/, /authorizations/],
  [undefined, /up to an hour/, /--wait 60m/],
] as const)
  test(`certificate: Google is at it: ${ofHost ?? "provisioning"}`, () => {
    const finding = certified({ error: { code: "EPROTO", message: "handshake failure" } }, production, {
      status: "PROVISIONING",
      ofHost,
    });
    is(finding, "failed", /handshake failure.*Google: PROVISIONING/, means, fix);
    assert.equal(finding.passing, true);
  });

test("certificate: Google has given up", () => {
  const failed = certified(refused, production, { status: "PROVISIONING_FAILED_PERMANENTLY" });
  is(failed, "failed", /PROVISIONING_FAILED_PERMANENTLY/, /could not issue or renew/);
  assert.equal(failed.passing, false);
});

const redirect = answered(301, "", { location: "https://staging.example.com/" }, "http://staging.example.com/");
test("load balancer: answers on both", () => {
  is(edge({ address, http: redirect, https: nginx }, staging), "ok", /203\.0\.113\.7 answers http and https/);
  is(edge({ address: undefined, http: redirect, https: nginx }, staging), "skipped", /not known where/);
});

for (const code of ["ECONNREFUSED", "NO_CONNECTION", "ECONNRESET"])
  test(`load balancer: nothing answers (${code})`, () => {
    const finding = edge({ address, http: broken(code), https: broken(code) }, staging);
    is(finding, "failed", new RegExp(code), /not made yet/, /describe ingress/);
    assert.equal(finding.passing, true);
    is(
      edge({ address, http: broken(code), https: broken(code) }, local),
      "failed",
      /./,
      /ingress controller does not run/,
      /npm start/,
    );
  });

test("load balancer: no redirect from HTTP", () => {
  const plain = answered(200, "hi", {}, "http://staging.example.com/");
  is(
    edge({ address, http: plain, https: nginx }, staging),
    "warning",
    /answers 200 "hi", and no redirect/,
    /plain HTTP/,
  );
  const without = subject("staging", { tls: { mode: "self-signed", redirectHttp: false } });
  is(edge({ address, http: plain, https: nginx }, without), "ok", /http and https/);
});

test("certificate: good today, and not to be renewed", () => {
  is(
    certified({}, production, { status: "RENEWAL_FAILED" }),
    "warning",
    /is good until .*RENEWAL_FAILED/,
    /will not be renewed/,
  );
  is(
    certified({}, production, { status: "ACTIVE", ofHost: "FAILED_CAA_FORBIDDEN" }),
    "warning",
    /CAA/,
    /CAA record forbids/,
    /pki\.goog/,
  );
  is(certified({}, production, { status: "ACTIVE", ofHost: "ACTIVE" }), "ok", /trusted/);
});

test("certificate: a wildcard's state is that of the hosts under it", () => {
  const managed = { "*.example.com": { status: "PROVISIONING", ofHost: "CONFIG" } };
  const seen = { shown: [shown(refused)], managed, http: answered(200), now };
  is(certificate(seen, production), "failed", /PROVISIONING \(CONFIG\)/, /record by which Google sees/);
});

test("CAA: Google may issue where its authority is named, or nobody is", () => {
  const issuers = (...list: string[]) => closedToGoogle(looked({ issuers: list }));
  assert.deepEqual([issuers(), issuers("letsencrypt.org", "pki.goog")], [[], []]);
  assert.deepEqual(issuers("letsencrypt.org"), [host]);
});
