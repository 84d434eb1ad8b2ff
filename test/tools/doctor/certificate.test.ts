/** The certificate hop: each finding from the presented certificates and from Google's states. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { certificate, type ManagedState } from "../../../tools/doctor/diagnose/certificate.ts";
import { withoutGoogleCa } from "../../../tools/doctor/diagnose/dns.ts";
import type { PresentedCertificate } from "../../../tools/doctor/gather/probes.ts";
import { answered, broken, nginx, now, subject } from "./examples.ts";
import { is } from "./fixes.ts";

const staging = subject("staging"); // self-signed
const production = subject("production"); // managed
const local = subject("local"); // supplied
const [host = ""] = staging.hosts;

const day = 86_400_000;
const presented = (changes: Partial<PresentedCertificate> = {}): PresentedCertificate => ({
  host,
  fits: true,
  names: `DNS:${host}`,
  issuer: "CN=an authority",
  from: new Date(now.getTime() - day),
  to: new Date(now.getTime() + 90 * day),
  ...changes,
});
const certified = (
  one: Partial<PresentedCertificate>,
  of = staging,
  managed?: ManagedState,
  http = answered(301, "", { location: "https://x/" }),
) => certificate({ presented: [presented(one)], managed: managed && { [host]: managed }, http, now }, of);

test("certificate: valid, or disabled in the config", () => {
  is(certified({}), "ok", /for staging\.example\.com, trusted, valid until 2026-08-30 \(90 days\)/);
  is(certified({}, subject("staging", { tls: { mode: "none" } })), "skipped", /plain HTTP/);
});

test("certificate: about to expire within 30 days, but not within 31", () => {
  const left = (days: number) => ({ to: new Date(now.getTime() + days * day) });
  is(
    certified(left(29.5)),
    "warning",
    /in 29 days/,
    /30 days before the expiry/,
    /npx pulumi up --refresh --stack staging/,
  );
  is(certified(left(30)), "ok", /30 days/);
  is(
    certified(left(1), production),
    "warning",
    /in 1 day$/,
    /./,
    /gcloud compute ssl-certificates list --project \S+ .*Google renews it/,
  );
});

test("certificate: expired, not valid yet, for another name", () => {
  is(
    certified({ to: new Date(now.getTime() - 1) }),
    "failed",
    /expired on 2026-06-01/,
    /no longer accept/,
    /pulumi up/,
  );
  is(certified({ from: new Date(now.getTime() + day) }), "failed", /not valid before 2026-06-02/, /clock/);
  const other = { fits: false, names: "DNS:other.example.com" };
  is(
    certified(other),
    "failed",
    /presented for staging\.example\.com is for other\.example\.com/,
    /belongs to something else/,
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

test("certificate: of many names, the finding has the first few", () => {
  const names = Array.from({ length: 8 }, (_, index) => `DNS:n${index}.example.com`).join(", ");
  is(certified({ fits: false, names }), "failed", /for n0\.example\.com, .*n4\.example\.com and 3 more$/);
});

test("certificate: of several hosts, the finding has the worst", () => {
  const soon = presented({ host: "a.example.com", to: new Date(now.getTime() + day) });
  const expired = presented({ host: "b.example.com", to: now });
  is(
    certificate({ presented: [soon, expired, presented()], http: nginx, now }, staging),
    "failed",
    /b\.example\.com expired/,
  );
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
    /stack's current CA did not sign it/,
    /pulumi up/,
  );
  is(
    certified({ untrusted: "DEPTH_ZERO_SELF_SIGNED_CERT" }, production),
    "failed",
    /DEPTH_ZERO/,
    /does not trust the CA/,
  );
});

test("certificate: unknown if the stack's CA could not be read", () => {
  const seen = {
    presented: [presented({ untrusted: "SELF_SIGNED_CERT_IN_CHAIN" })],
    http: nginx,
    outputsError: "no Pulumi CLI",
    now,
  };
  is(certificate(seen, staging), "unknown", /until 2026-08-30.*no Pulumi CLI/);
  is(certificate(seen, production), "failed", /not trusted/);
});

const refused = { error: { code: "ECONNREFUSED", message: "connect ECONNREFUSED" } };
test("certificate: plain HTTP answers and redirects to https, which does not answer", () => {
  const finding = certified(refused);
  is(
    finding,
    "failed",
    /connect ECONNREFUSED, but plain HTTP answers, and http:.* redirects there/,
    /Every hop behind it works, but browsers cannot connect/,
  );
  assert.equal(finding.passing, true);
  is(certified(refused, staging, undefined, answered(200, "hello")), "failed", /plain HTTP answers$/, /HSTS/);
  is(certified(refused, staging, undefined, broken("ECONNREFUSED")), "skipped", /no connection/);
});

for (const [ofHost, means, fix] of [
  ["FAILED_NOT_VISIBLE", /did not see staging\.example\.com at/, /A record/],
  ["FAILED_CAA_FORBIDDEN", /CAA record forbids/, /CAA 0 issue "pki\.goog"/],
  ["FAILED_CAA_CHECKING", /CAA record/, /pki\.goog/],
  ["FAILED_RATE_LIMITED", /rate limit is reached/, /^Wait/],
  ["CONFIG", /record that proves to Google/, /authorizations/],
  [undefined, /up to an hour/, /--wait 60m/],
] as const)
  test(`certificate: while Google is issuing it: ${ofHost ?? "provisioning"}`, () => {
    const finding = certified({ error: { code: "EPROTO", message: "handshake failure" } }, production, {
      status: "PROVISIONING",
      ofHost,
    });
    is(finding, "failed", /handshake failure.*Google: PROVISIONING/, means, fix);
    assert.equal(finding.passing, true);
  });

test("certificate: Google's issuance failed permanently", () => {
  const failed = certified(refused, production, { status: "PROVISIONING_FAILED_PERMANENTLY" });
  is(failed, "failed", /PROVISIONING_FAILED_PERMANENTLY/, /could not issue or renew/);
  assert.equal(failed.passing, false);
});

test("certificate: the fallback serves until Google has issued the certificate, and passes by itself on an Ingress", () => {
  const own = { untrusted: "SELF_SIGNED_CERT_IN_CHAIN", issuer: "CN=staging.example.com CA" };
  const seen = /self-signed certificate serves staging\.example\.com \(tls\.fallback\); Google: /;
  const provisioning = certified(own, production, { status: "PROVISIONING" });
  is(provisioning, "failed", seen, /Google is issuing the certificate/, /A record .*--wait 60m/);
  assert.equal(provisioning.passing, true);
  const issued = certified(own, production, { status: "ACTIVE" });
  is(issued, "failed", seen, /has issued .* does not serve it yet/, /npx pulumi up --refresh --stack production/);
  assert.equal(issued.passing, true);
  const forbidden = certified(own, production, { status: "PROVISIONING_FAILED", ofHost: "FAILED_CAA_FORBIDDEN" });
  is(forbidden, "failed", seen, /CAA record forbids/, /pki\.goog/);
  assert.equal(forbidden.passing, false);
  is(certified(own, production), "failed", /Google: status unknown/, /issuing/);
});

test("certificate: valid today, but it will not be renewed", () => {
  is(
    certified({}, production, { status: "RENEWAL_FAILED" }),
    "warning",
    /is valid until .*RENEWAL_FAILED/,
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

test("certificate: the state of a wildcard applies to its hosts", () => {
  const managed = { "*.example.com": { status: "PROVISIONING", ofHost: "CONFIG" } };
  const seen = { presented: [presented(refused)], managed, http: answered(200), now };
  is(certificate(seen, production), "failed", /PROVISIONING \(CONFIG\)/, /record that proves to Google/);
});

test("CAA: Google may issue if the records name its CA, or there are none", () => {
  const issuers = (...list: string[]) => withoutGoogleCa([{ host, v4: [], v6: [], issuers: list }]);
  assert.deepEqual([issuers(), issuers("letsencrypt.org", "pki.goog")], [[], []]);
  assert.deepEqual(issuers("letsencrypt.org"), [host]);
});
