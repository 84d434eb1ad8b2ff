/** The certificate: each row of what clients are shown, and of what Google says of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { certificate, type ManagedState } from "../../../tools/doctor/diagnose/certificate.ts";
import { closedToGoogle } from "../../../tools/doctor/diagnose/dns.ts";
import type { Shown } from "../../../tools/doctor/gather/probes.ts";
import { answered, broken, nginx, now, subject } from "./examples.ts";
import { is } from "./fixes.ts";

const staging = subject("staging"); // self-signed
const production = subject("production"); // managed
const local = subject("local"); // supplied
const [host = ""] = staging.hosts;

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
    /not an authority that this machine knows/,
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
  const issuers = (...list: string[]) => closedToGoogle([{ host, v4: [], v6: [], issuers: list }]);
  assert.deepEqual([issuers(), issuers("letsencrypt.org", "pki.goog")], [[], []]);
  assert.deepEqual(issuers("letsencrypt.org"), [host]);
});
