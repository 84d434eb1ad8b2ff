/** Limits of Google's load balancer, certificates, IAM and DNS: each on both sides of the limit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { armorRules } from "../../components/edge/cloudArmor.ts";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const image = "registry.example.com/web:1";
const config = (changes: Record<string, unknown>) => ({
  domain: valid.domain,
  services: { web: { image, routes: [{ path: "/" }] } },
  edge: { kind: "gce" },
  ...changes,
});
const accepted = (changes: Record<string, unknown>) => checkConfig(raw(config(changes)), "test", projectDir);
const warnings = (changes: Record<string, unknown>) =>
  checkConfig(raw(config(changes), google), "test", projectDir).warnings.filter((text) => !/ a rollout of /.test(text));
const refused = (changes: Record<string, unknown>) => refusal(config(changes), google);
/** Services with one route for each host, 50 at most. */
const hosts = (...names: string[]) => ({
  services: Object.fromEntries(
    Array.from({ length: Math.ceil(names.length / 50) }, (_, at) => [
      at === 0 ? "web" : `web-${at}`,
      { image, routes: names.slice(at * 50, at * 50 + 50).map((host) => ({ host })) },
    ]),
  ),
});
const gateway = { edge: { kind: "gateway" } };
const managed = { tls: { mode: "managed" } };
const other = { cluster: { kind: "existing", context: "a" }, edge: { kind: "ingress", className: "contour" } };
const oneProblem = /^1 problem in/;

test("the names of managed certificates are as long as Google takes: 64 for an Ingress, 220 for a Gateway", () => {
  const name = (length: number) => `${"x".repeat(length - 1 - valid.domain.length)}.${valid.domain}`;
  assert.deepEqual(warnings({ ...managed, ...hosts(name(64)) }), []);
  const message = refused({ ...managed, ...hosts(name(65)) });
  assert.match(message, oneProblem);
  assert.match(
    message,
    /tls\.mode\n\s+"managed" takes names of at most 64 characters for edge\.kind gce, and x+\.shop\.example\.com has 65; use a shorter name, or supply a certificate/,
  );
  const labels = (length: number) => `${"a.".repeat((length - 11) / 2)}example.com`;
  assert.deepEqual(warnings({ ...managed, ...gateway, ...hosts(name(64), labels(199)) }), []);
  assert.match(
    refused({ ...managed, ...gateway, domain: labels(199), ...hosts("b".repeat(21)) }),
    /takes names of at most 220 characters for edge\.kind gateway, and b+\.a\..* has 221/,
  );
  assert.deepEqual(
    warnings({ tls: { mode: "managed", wildcard: true }, ...gateway, domain: labels(199), ...hosts("b".repeat(21)) }),
    [],
  );
  assert.deepEqual(warnings(hosts(name(64))), []); // Self-signed.
});

test("names outside the public DNS get no managed certificate", () => {
  for (const domain of [
    ...["shop.local", "shop.localhost", "shop.internal", "shop.test", "shop.invalid", "shop.example"],
    ...[
      "shop.lan",
      "shop.home",
      "nas.home.arpa",
      "shop.corp",
      "shop.mail",
      "shop.intranet",
      "shop.private",
      "a.localdomain",
    ],
  ])
    for (const edge of [{}, gateway])
      assert.match(
        refused({ ...managed, ...edge, domain }),
        new RegExp(
          `tls\\.mode\\n\\s+"managed" certifies names of the public DNS only, and ${domain} ends in \\.[\\w.]+; use self-signed or supplied`,
        ),
      );
  assert.match(refused({ ...managed, ...hosts("a.local") }), /and a\.local ends in \.local/);
  for (const domain of [
    "shop.example.com",
    "local.dev",
    "test.shop.dev",
    "home.shop.dev",
    "corp.com",
    "lan.example.com",
  ])
    assert.deepEqual(warnings({ ...managed, domain }), []);
  assert.deepEqual(warnings({ domain: "shop.local" }), []);
});

test("a label with -- as its third and fourth characters gets no managed certificate, unless it is international", () => {
  for (const edge of [{}, gateway]) {
    for (const host of ["pr--12", "a.qa--eu.shop.example.com", "xn--a"])
      assert.match(
        refused({ ...managed, ...edge, ...hosts(host) }),
        /^1 problem[^]*tls\.mode\n\s+"managed" certifies no label with -- as its third and fourth characters that is not a valid xn-- one, and \S+ has (pr--12|qa--eu|xn--a); use/,
        host,
      );
    for (const host of ["web--eu", "preview--12", "a--b", "xn--bcher-kva", "www.xn--80ak6aa92e.com"])
      assert.deepEqual(warnings({ ...managed, ...edge, ...hosts(host) }), [], host);
  }
  assert.match(
    refused({ ...managed, domain: "ab--cd.com" }),
    /and ab--cd\.com has ab--cd; use another name, or self-signed/,
  );
  assert.deepEqual(warnings(hosts("pr--12")), []); // Self-signed.
  // A wildcard certificate does not name it.
  const wildcard = { tls: { mode: "managed", wildcard: true }, ...gateway };
  assert.deepEqual(warnings({ ...wildcard, ...hosts("pr--12") }), []);
  assert.match(refused({ ...wildcard, ...hosts("pr--12.a") }), /and pr--12\.a has pr--12/);
});

test("the fallback of a Gateway serves at most 100 names: Google attaches a certificate no more often", () => {
  const many = (length: number, under = "") => hosts(...Array.from({ length }, (_, index) => `h${index}${under}`));
  const tls = (more: object = {}) => ({ ...gateway, tls: { mode: "managed", fallback: "self-signed", ...more } });
  assert.deepEqual(warnings({ ...tls(), ...many(99) }), []); // With the domain, 100.
  assert.match(
    refused({ ...tls(), ...many(100) }),
    /^1 problem[^]*tls\.fallback\n\s+"self-signed" is one certificate for 101 names, and Google attaches a certificate to 100 of a Gateway's; leave it out, or set tls\.wildcard/,
  );
  for (const fallback of ["none", undefined]) assert.deepEqual(warnings({ ...tls({ fallback }), ...many(500) }), []);
  assert.deepEqual(warnings({ ...gateway, ...many(500) }), []); // Self-signed.
  assert.deepEqual(warnings({ ...tls({ wildcard: true }), ...many(500) }), []);
  assert.deepEqual(warnings({ ...tls({ wildcard: true }), ...many(98, ".example.org") }), []);
  assert.match(
    refused({ ...tls({ wildcard: true }), ...many(99, ".example.org") }),
    /for 101 names, and Google attaches a certificate to 100 of a Gateway's; leave it out\n/,
  );
});

test("a load balancer of Google takes 1,000 hosts; another controller takes more", () => {
  const many = (length: number) => hosts(...Array.from({ length }, (_, index) => `h${index}`));
  const large = /make about \d+ KB of what the load balancer of kind gce takes 64 KB of/;
  assert.match(warnings(many(999)).join(), large); // With the domain, 1,000.
  assert.deepEqual(warnings({ ...gateway, ...many(999) }), []);
  for (const edge of [{ edge: { kind: "gce" } }, gateway])
    assert.match(
      refused({ ...edge, ...many(1000) }),
      /edge\.kind\n\s+"(gce|gateway)" gets 1,001 hosts, and a load balancer of Google takes 1,000; use fewer hosts/,
    );
  accepted({ ...other, tls: { mode: "none" }, registry: { kind: "node" }, ...many(1000) });
});

test("a host with the domain is a DNS name of at most 253 characters, on every edge", () => {
  const domain = `${"a.".repeat(94)}example.com`; // 199
  const route = (host: string) => ({
    domain,
    ...hosts(host),
    ...other,
    tls: { mode: "none" },
    registry: { kind: "node" },
  });
  accepted(route("b".repeat(53)));
  const message = refusal(config(route("b".repeat(54))));
  assert.match(message, oneProblem);
  assert.match(
    message,
    /services\.web\.routes\[0\]\.host\n\s+"b+\.a\..* has 254 characters with the domain, and a DNS name has at most 253; use a shorter host or domain/,
  );
});

const rolesOf = (services: number, roles: number) => ({
  services: Object.fromEntries(
    Array.from({ length: services }, (_, at) => [
      `s${at}`,
      { image, roles: Array.from({ length: roles }, (_, index) => `roles/a.r${index}`) },
    ]),
  ),
});

test("a project's policy has room for 1,500 members of roles, 20 of them for the stack's own accounts", () => {
  assert.deepEqual(warnings(rolesOf(74, 20)), []);
  const message = refused(rolesOf(75, 20));
  assert.match(message, oneProblem);
  assert.match(
    message,
    /gke-microservices:services\n\s+\{ services: 75, roles: 1500 \} need 1,500 grants of roles, and the policy of a project has room for 1,480; give/,
  );
});

test("more service accounts than the default quota are a note of `npm run check`, and no warning", () => {
  const quotas = (services: number, roles: number) =>
    checkConfig(raw(config(rolesOf(services, roles)), google), "test", projectDir).notes.filter((text) =>
      text.includes("account"),
    );
  assert.deepEqual(quotas(95, 1), []);
  assert.deepEqual(quotas(96, 1), [
    "gke-microservices:services: 96 services have roles, each with a service account; a project has 100 accounts by default, 5 of them for other uses: request more quota before the first `up`",
  ]);
  assert.deepEqual(quotas(200, 0), []);
  assert.deepEqual(warnings(rolesOf(96, 1)), []);
});

test("a role of another project cannot be granted in this one", () => {
  const roles = (...names: string[]) => ({ services: { web: { image, roles: names } } });
  assert.deepEqual(
    warnings(roles("projects/acme-staging/roles/orders", "organizations/123456789/roles/orders", "roles/a.b")),
    [],
  );
  const message = refused(roles("roles/a.b", "projects/acme-other/roles/orders"));
  assert.match(message, oneProblem);
  assert.match(
    message,
    /services\.web\.roles\[1\]\n\s+"projects\/acme-other\/roles\/orders" is a role of the project acme-other, and services get roles in gcp:project acme-staging; create the role in acme-staging or in the organisation, and name that one/,
  );
});

test("Cloud Armor gets intervals, counts, priorities and ranges that Google takes", () => {
  const armor = (settings: Record<string, unknown>) => ({ edge: { kind: "gce", armor: settings } });
  const rate = (requests: number, seconds: number) => armor({ rateLimit: { requests, seconds } });
  for (const seconds of [10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600])
    assert.deepEqual(warnings(rate(1_000_000, seconds)), []);
  for (const seconds of [0, 15, 90, 480, 7200]) assert.match(refused(rate(1, seconds)), /rateLimit\.seconds/);
  for (const requests of [0, 1_000_001, 1.5]) assert.match(refused(rate(requests, 60)), /rateLimit\.requests/);
  // As many as the config takes: https://cloud.google.com/armor/quotas
  const allow = Array.from({ length: 100 }, (_, index) => `10.0.${index}.0/24`);
  const rules = armorRules({ log4j: true, allow, rateLimit: { requests: 1, seconds: 10 } });
  assert.equal(rules.length, 12);
  const priorities = rules.map(({ priority }) => priority);
  assert.equal(new Set(priorities).size, rules.length);
  for (const { priority, match, description } of rules) {
    assert.ok(Number(priority) >= 0 && Number(priority) <= 2_147_483_647);
    const { config: ranges } = match as { config?: { srcIpRanges: string[] } };
    assert.ok((ranges?.srcIpRanges.length ?? 0) <= 10);
    assert.ok(JSON.stringify(description).length <= 64);
  }
});

test("a role of an organisation or a billing account is refused: services get roles on the project", () => {
  const role = (name: string) => ({ services: { web: { image, roles: [name] } } });
  for (const name of [
    "resourcemanager.organizationAdmin",
    "resourcemanager.folderViewer",
    "billing.user",
    "orgpolicy.policyAdmin",
  ])
    assert.match(
      refused(role(`roles/${name}`)),
      /services\.web\.roles\[0\]\n\s+"roles\/[\w.]+" is granted on an organisation, a folder or a billing account, .*; give it there/,
      name,
    );
  for (const name of ["billing.projectManager", "resourcemanager.projectMover", "browser"])
    assert.deepEqual(warnings(role(`roles/${name}`)), [], name);
  assert.match(refused(role("roles/Browser")), /must be a Google role/);
});

test("members of a workforce pool may sign in; taints of Kubernetes' own are refused", () => {
  const member = "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/group/shop";
  assert.deepEqual(warnings({ edge: { kind: "gce", iap: { members: [member] } } }), []);
  assert.match(
    refused({ edge: { kind: "gce", iap: { members: ["principal://example.com/a"] } } }),
    /iap\.members\[0\]/,
  );
  const taint = (key: string) => ({
    cluster: { kind: "gke", nodePools: { main: {}, other: { taints: [{ key, value: "a", effect: "NO_SCHEDULE" }] } } },
  });
  for (const key of [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/disk-pressure",
    "node.cloudprovider.kubernetes.io/shutdown",
  ])
    assert.match(
      refused(taint(key)),
      /taints\[0\]\.key\n\s+".*" must not be one that Kubernetes sets and removes/,
      key,
    );
  assert.doesNotThrow(() => warnings(taint("node.kubernetes.io/dedicated")));
});

test("a zone that the stack makes is for a name that somebody can own; an existing one may be private", () => {
  const zone = (domain: string, dns: Record<string, unknown>) => ({ domain, dns, tls: { mode: "self-signed" } });
  for (const top of [
    ...["local", "internal", "test", "example", "onion", "localhost", "invalid", "alt"],
    ...["home.arpa", "lan", "home", "corp", "mail", "intranet", "private", "localdomain"],
  ]) {
    assert.match(
      refused(zone(`shop.${top}`, { create: true })),
      new RegExp(
        `^1 problem[^]*dns\\.create\\n\\s+true makes a public zone for shop\\.${top}, and nobody can own a name below \\.${top}; name your own zone`,
      ),
    );
    assert.deepEqual(warnings(zone(`shop.${top}`, { zone: "shop" })), []);
  }
  for (const domain of [
    "shop.example.com",
    "example.com",
    "test.com",
    "local.org",
    "xn--bcher-kva.com",
    "internal.example.net",
  ])
    assert.deepEqual(warnings(zone(domain, { create: true, wildcard: true })), []);
});

test("a host of Google's load balancer has 1,000 paths; another controller takes more", () => {
  /** Each path, and `/`, whose protocol differs. */
  const grpc = (count: number, host?: string) => ({
    services: Object.fromEntries(
      Array.from({ length: Math.ceil(count / 50) }, (_, at) => [
        `s${at}`,
        {
          image,
          routes: Array.from({ length: Math.min(50, count - at * 50) }, (__, index) => ({
            path: `/s${at}r${index}.A/`,
            protocol: "grpc",
            ...(host !== undefined && at % 2 === 0 && { host }),
          })),
        },
      ]),
    ),
  });
  const tls = { tls: { mode: "self-signed" } };
  for (const edge of [{ kind: "gce" }, { kind: "gateway" }]) {
    assert.ok(warnings({ ...tls, edge, ...grpc(999) }).every((text) => !text.includes("takes 1,000")));
    assert.match(
      refused({ ...tls, edge, ...grpc(1000) }),
      /^1 problem[^]*edge\.kind\n.* gets 1,001 paths of shop\.example\.com that tell gRPC from HTTP, and a load balancer of Google takes 1,000 of a host; give some/,
    );
    warnings({ ...tls, edge, ...grpc(1000, "grpc") }); // 500 of each host.
  }
  accepted({ ...other, ...tls, registry: { kind: "node" }, ...grpc(1000) });
});
