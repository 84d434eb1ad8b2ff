import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { checkConfig } from "../../config/config.ts";
import { createAuthority } from "../../tools/cli/pki.ts";
import { network } from "../../config/schema/values.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const onGoogle = (edge: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  domain: valid.domain,
  services: valid.services,
  edge: { kind: "gce", ...edge },
  ...more,
});
const accepted = (edge: Record<string, unknown>) =>
  checkConfig(raw(onGoogle(edge), google), "test", projectDir).settings;

test("an edge on Google has secure defaults, and no optional features", () => {
  const defaults = {
    kind: "gce",
    onGoogle: true,
    project: "acme-staging",
    region: "asia-northeast1",
    timeoutSeconds: 40,
    drainSeconds: 30,
  };
  assert.deepEqual(accepted({}).edge, defaults);
  const members = ["group:developers@example.com", "serviceAccount:tester@acme-staging.iam.gserviceaccount.com"];
  assert.deepEqual(accepted({ armor: { rateLimit: { requests: 100 } }, iap: { members } }).edge, {
    ...defaults,
    armor: { rateLimit: { requests: 100, seconds: 60 }, log4j: true },
    iap: { enabled: true, members },
  });
  assert.deepEqual(accepted({ cdn: {} }).edge, {
    ...defaults,
    cdn: { cacheMode: "USE_ORIGIN_HEADERS" },
  });
});

test("DNS is unused unless configured, also with the CLI's empty default", () => {
  const dnsOf = (dns?: unknown) =>
    checkConfig(raw(onGoogle({}, dns === undefined ? {} : { dns }), google), "test", projectDir).settings.dns;
  assert.equal(dnsOf(), undefined);
  assert.equal(dnsOf({}), undefined);
  assert.deepEqual(dnsOf({ create: true }), { create: true, wildcard: false });
  assert.deepEqual(dnsOf({ zone: "example-com", wildcard: true }), {
    zone: "example-com",
    create: false,
    wildcard: true,
  });
});

test("with DNS, a note names the hosts that get no record", () => {
  const notes = (dns: object, ...hosts: string[]) => {
    const services = { hoge: { image: "a/b:1", routes: hosts.map((host) => ({ host })) } };
    return checkConfig(
      raw(onGoogle({}, { domain: "shop.example.com", dns, services }), google),
      "test",
      projectDir,
    ).notes.filter((note) => note.includes(":dns:"));
  };
  const elsewhere = ["www.example.com", "myshop.example.com"];
  assert.deepEqual(notes({ create: true }, "hoge", "a.shop.example.com", ...elsewhere), [
    "gke-microservices:dns: makes no record for myshop.example.com, www.example.com, outside of shop.example.com; point them at the stack's address where their zone is: npx pulumi stack output address",
  ]);
  assert.deepEqual([notes({}, ...elsewhere), notes({ create: true }, "hoge")], [[], []]);
});

test("disabled IAP excludes nothing", () => {
  const iap = { enabled: false, members: ["domain:example.com"] };
  checkConfig(raw(onGoogle({ iap, cdn: {} }, { tls: { mode: "none" } }), google), "test", projectDir);
});

const web = (count: number) => ({
  web: { image: "registry.example.com/web:1", routes: Array.from({ length: count }, (_, i) => ({ host: `h${i}` })) },
});

test("too many hosts and paths for the load balancer of an Ingress cause a warning; other edges have none", () => {
  const warnings = (count: number, edge: Record<string, unknown> = { kind: "gce" }, protocol = "grpc") => {
    const paths = Array.from({ length: count }, (_, index) => ({
      path: `/shop.v1.S${String(index).padStart(3, "0")}/`,
      protocol,
    }));
    const services = Object.fromEntries(
      Array.from({ length: Math.ceil(count / 50) }, (_, index) => [
        `s${index}`,
        { image: "registry.example.com/s:1", routes: paths.slice(50 * index, 50 * (index + 1)) },
      ]),
    );
    const stack = { ...valid, cluster: { kind: "gke" }, registry: {}, tls: { mode: "self-signed" }, edge, services };
    const proxy = { image: "registry.example.com/proxy:1" };
    const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
    return checkConfig(raw({ ...stack, proxy }, google), "test", projectDir).warnings;
  };
  // 150 bytes and 14 for each path; 150 and their names for the host and for its path /.
  assert.deepEqual(warnings(397), []);
  assert.match(
    warnings(398).join(),
    /^[\w-]+:edge\.kind: the hosts \(1\) and the paths that tell gRPC from HTTP \(399\) make about 65 KB of what the load balancer of kind gce takes 64 KB of; use edge\.kind gateway,/,
  );
  assert.deepEqual(warnings(398, { kind: "gateway" }), []);
  assert.deepEqual(warnings(398, { kind: "ingress", className: "contour" }), []);
  assert.deepEqual(warnings(398, { kind: "gce" }, "http"), []);
});

test("managed certificates cover as many hosts as a load balancer allows", () => {
  const config = onGoogle({}, { tls: { mode: "managed" }, services: web(14) });
  const { tls } = checkConfig(raw(config, google), "test", projectDir).settings;
  assert.deepEqual(tls, {
    mode: "managed",
    redirectHttp: true,
    hsts: { days: 30, includeSubdomains: false },
    wildcard: false,
    fallback: "none",
  });
});

const members = ["group:developers@example.com"];
const refused: [string, Record<string, unknown>, RegExp[]][] = [
  ["an unknown key", onGoogle({ amor: {} }), [/edge\.amor/, /did you mean "armor"\?/]],
  ["a timeout of zero", onGoogle({ timeoutSeconds: 0 }), [/edge\.timeoutSeconds/]],
  ["a timeout beyond a day", onGoogle({ timeoutSeconds: 86_401 }), [/edge\.timeoutSeconds/]],
  ["an endless drain", onGoogle({ drainSeconds: 3601 }), [/edge\.drainSeconds/]],
  ["armor without a rule", onGoogle({ armor: { log4j: false } }), [/edge\.armor/, /must have something to do/]],
  [
    "a rate over an interval that Google does not support",
    onGoogle({ armor: { rateLimit: { requests: 10, seconds: 45 } } }),
    [/edge\.armor\.rateLimit\.seconds/, /must be one of 10, 30, 60/],
  ],
  ["a rate of zero", onGoogle({ armor: { rateLimit: { requests: 0 } } }), [/edge\.armor\.rateLimit\.requests/]],
  ["an empty allow list of Cloud Armor", onGoogle({ armor: { allow: [] } }), [/edge\.armor\.allow/, /left out/]],
  [
    "an allowed range with host bits",
    onGoogle({ armor: { allow: ["203.0.113.0/24", "203.0.113.1/24"] } }),
    [/edge\.armor\.allow\[1\]/, /no bits set behind its prefix/],
  ],
  ["an invalid allowed range", onGoogle({ armor: { allow: ["203.0.113.0/99"] } }), [/edge\.armor\.allow\[0\]/]],
  [
    "an allowed range twice",
    onGoogle({ armor: { allow: ["203.0.113.0/24", "203.0.113.0/24"] } }),
    [/edge\.armor\.allow/, /each range once/],
  ],
  ["IAP for nobody", onGoogle({ iap: { members: [] } }), [/edge\.iap\.members/, /IAP refuses everybody else/]],
  ["IAP for the world", onGoogle({ iap: { members: ["allUsers"] } }), [/edge\.iap\.members\[0\]/, /must be user:/]],
  [
    "a member twice",
    onGoogle({ iap: { members: [...members, ...members] } }),
    [/edge\.iap\.members/, /each member once/],
  ],
  [
    "IAP over plain HTTP",
    onGoogle({ iap: { members } }, { tls: { mode: "none" } }),
    [/edge\.iap/, /over HTTPS only, and tls\.mode is none/],
  ],
  ["IAP with a cache in front", onGoogle({ iap: { members }, cdn: {} }), [/edge\.cdn/, /excludes iap/]],
  [
    "a cache mode that stores private answers",
    onGoogle({ cdn: { cacheMode: "FORCE_CACHE_ALL" } }),
    [/edge\.cdn\.cacheMode/, /USE_ORIGIN_HEADERS, CACHE_ALL_STATIC/],
  ],
  [
    "more managed certificates than a load balancer takes",
    onGoogle({}, { tls: { mode: "managed" }, services: web(15) }),
    [/tls\.mode/, /each of 16 hosts, and a load balancer takes 15; use edge\.kind gateway with tls\.wildcard/],
  ],
  [
    "a wildcard certificate with an Ingress",
    onGoogle({}, { tls: { mode: "managed", wildcard: true } }),
    [/tls\.wildcard/, /needs a wildcard certificate, and Google issues none for an Ingress .*; use edge\.kind gateway/],
  ],
  [
    "managed certificates for a wildcard by subdomain",
    onGoogle({}, { tls: { mode: "managed" }, proxy: { wildcards: { subdomain: { allow: ["preview-*"] } } } }),
    [/proxy\.wildcards\.subdomain/, /needs a wildcard certificate/, /a certificate for \*\.shop\.example\.com/],
  ],
  [
    "Google's certificates at another controller",
    { ...valid, tls: { mode: "managed" } },
    [/tls\.mode/, /"managed" is for Google's load balancer, and edge\.kind is ingress/],
  ],
  ["no zone", onGoogle({}, { dns: { wildcard: true } }), [/[\w-]+:dns/, /exactly one of zone: NAME and create/]],
  ["two zones", onGoogle({}, { dns: { zone: "a", create: true } }), [/exactly one of zone: NAME and create/]],
  [
    "a zone by its DNS name",
    onGoogle({}, { dns: { zone: "example.com" } }),
    [/dns\.zone/, /"example\.com" must be the name of a Cloud DNS zone, such as example-com/],
  ],
  [
    "DNS records without a reserved address",
    { ...valid, dns: { zone: "example-com" } },
    [/[\w-]+:dns/, /edge\.kind ingress has none; remove it/],
  ],
  ["Google's features with another controller", { ...valid, edge: { ...valid.edge, armor: {} } }, [/edge\.armor/]],
];

for (const [what, config, patterns] of refused)
  test(`refused: ${what}`, () => {
    const message = refusal(config, google);
    assert.match(message, /^1 problem /);
    for (const pattern of patterns) assert.match(message, pattern);
  });

test("a range is a network if masking does not change it", () => {
  const v4 = fc.record({ bits: fc.nat(2 ** 32 - 1), prefix: fc.integer({ min: 0, max: 32 }) });
  fc.assert(
    fc.property(v4, ({ bits, prefix }) => {
      const masked = Math.floor(bits / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
      const dotted = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
      assert.ok(network.safeParse(`${dotted(masked)}/${prefix}`).success);
      assert.equal(network.safeParse(`${dotted(bits)}/${prefix}`).success, bits === masked);
    }),
  );
  for (const range of ["2001:db8::/32", "::/0", "2001:db8::1/128", "2001:db8:0:8000::/49", "fe80::1:0:0:0/80"])
    assert.ok(network.safeParse(range).success, range);
  for (const range of ["2001:db8::1/32", "::1/0", "2001:db8:0:8000::/48", "2001:db8:0:1:2:3:4:5/127"])
    assert.ok(!network.safeParse(range).success, range);
});

test("until Google has issued a certificate, an Ingress serves another, and a Gateway none", () => {
  const tlsOf = (edge: object, tls: object = {}, more: object = {}) =>
    checkConfig(raw(onGoogle({ ...edge }, { tls: { mode: "managed", ...tls }, ...more }), google), "test", projectDir)
      .settings.tls as { fallback: string };
  assert.equal(tlsOf({}).fallback, "self-signed");
  assert.equal(tlsOf({ kind: "gateway" }).fallback, "none");
  assert.equal(tlsOf({ kind: "gateway" }, { fallback: "self-signed" }).fallback, "self-signed");
  assert.equal(tlsOf({}, { fallback: "none" }).fallback, "none");
  // A load balancer takes 15 certificates: those of the domain and 13 hosts, and one more.
  assert.equal(tlsOf({}, {}, { services: web(13) }).fallback, "self-signed");
  assert.equal(tlsOf({}, {}, { services: web(14) }).fallback, "none");
  assert.match(
    refusal(onGoogle({}, { tls: { mode: "managed", fallback: "self-signed" }, services: web(14) }), google),
    /tls\.fallback\n.*adds a certificate to those of 15 hosts, and a load balancer takes 15; leave it out/,
  );
});

test("a supplied fallback needs a certificate, and a certificate needs a use", async () => {
  const authority = await createAuthority("ca", "ecdsa", 100);
  const { certificate, key } = await authority.issue({
    commonName: "x",
    names: [valid.domain, `hoge.${valid.domain}`],
    days: 90,
  });
  const secrets = { tls: { crt: certificate, key } };
  const with_ = (tls: object, more: object = {}) => onGoogle({}, { tls: { mode: "managed", ...tls }, ...more });
  checkConfig(raw(with_({ fallback: "supplied" }, { secrets }), google), "test", projectDir);
  assert.match(
    refusal(with_({ fallback: "supplied" }), google),
    /tls\.fallback\n.*"supplied" needs a certificate and its key; set secrets\.tls\.crt and secrets\.tls\.key/,
  );
  assert.match(
    refusal(with_({}, { secrets }), google),
    /secrets\.tls\n.*is only used with tls\.mode supplied, not managed; remove it; or set tls\.fallback: supplied/,
  );
});
