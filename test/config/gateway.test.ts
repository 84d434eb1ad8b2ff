import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const keys = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const { domain, services } = valid;
/** A config on Google with defaults. */
const google = (edge: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  domain,
  services,
  edge: { kind: "gateway", ...edge },
  ...more,
});
const contour = (edge: Record<string, unknown>) => ({
  ...valid,
  edge: { kind: "gateway", className: "contour", ...edge },
});
const settings = (config: Record<string, unknown>) => checkConfig(raw(config, keys), "test", projectDir).settings;

test("a Gateway has Google's class by default; each class has its own secure defaults", () => {
  const className = "gke-l7-global-external-managed";
  const location = { project: "acme-staging", region: "asia-northeast1" };
  const defaults = { kind: "gateway", className, onGoogle: true, ...location, timeoutSeconds: 40, drainSeconds: 30 };
  assert.deepEqual(settings(google({})).edge, defaults);
  assert.deepEqual(settings(google({ className })).edge, defaults);
  assert.deepEqual(settings(google({ timeoutSeconds: 60, cdn: {}, armor: {} })).edge, {
    ...defaults,
    timeoutSeconds: 60,
    armor: { log4j: true },
    cdn: { cacheMode: "USE_ORIGIN_HEADERS" },
  });
  const other = { kind: "gateway", className: "contour", onGoogle: false };
  assert.deepEqual(settings(contour({})).edge, { ...other, trustedProxies: [] });
  const trustedProxies = ["10.0.0.0/8"];
  assert.deepEqual(settings(contour({ trustedProxies })).edge, { ...other, trustedProxies });
});

test("another class runs on Google as well", () => {
  assert.equal(settings(google({ className: "istio" })).edge.kind, "gateway");
});

test("managed certificates may be wildcards, and may cover more hosts than an Ingress allows", () => {
  const routes = Array.from({ length: 20 }, (_, index) => ({ host: `h${index}` }));
  const many = { web: { image: "registry.example.com/web:1", routes } };
  const { tls } = settings(google({}, { tls: { mode: "managed", wildcard: true }, services: many }));
  assert.deepEqual(tls, {
    mode: "managed",
    redirectHttp: true,
    hsts: { days: 30, includeSubdomains: false },
    wildcard: true,
    fallback: "none",
  });
});

const iap = { members: ["group:developers@example.com"] };
const refused: [string, Record<string, unknown>, RegExp][] = [
  [
    "Google's class where the cluster is not Google's",
    { ...valid, edge: { kind: "gateway" } },
    /edge\.className\n\s+"gke-l7-global-external-managed" needs cluster\.kind gke, not existing; name the GatewayClass/,
  ],
  [
    "another class of Google",
    google({ className: "gke-l7-rilb" }),
    /edge\.className\n\s+"gke-l7-rilb" is a class of Google's that the program does not set up; use gke-l7-global-external-managed/,
  ],
  [
    "trusted ranges with Google's class",
    google({ trustedProxies: ["10.0.0.0/8"] }),
    /edge\.trustedProxies\n\s+\[10\.0\.0\.0\/8\] is not for Google's class/,
  ],
  [
    "IAP, which wants an OAuth client there",
    google({ iap }, { tls: { mode: "managed" } }),
    /edge\.iap\n\s+\{.*\} needs edge\.kind gce: .*OAuth client/,
  ],
  ...Object.entries({ timeoutSeconds: 30, drainSeconds: 30, armor: {}, cdn: {}, iap }).map(
    ([key, value]): [string, Record<string, unknown>, RegExp] => [
      `${key} with a class that is not Google's`,
      contour({ [key]: value }),
      new RegExp(
        `edge\\.${key}\\n.*is a setting of Google's load balancer, and edge\\.className is contour; leave it out`,
      ),
    ],
  ),
  [
    "managed certificates with a class that is not Google's",
    { ...contour({}), tls: { mode: "managed" } },
    /tls\.mode\n\s+"managed" is for Google's load balancer, and edge\.kind is gateway of the class contour; use/,
  ],
  [
    "annotations, which only an Ingress has",
    contour({ annotations: {} }),
    /edge\.annotations\n\s+is not a key that is known here/,
  ],
  [
    "records in Cloud DNS without a Google address",
    { ...contour({}), dns: { create: true } },
    /dns\n\s+\{.*\} points at an address .* and edge\.kind gateway of the class contour has none/,
  ],
  ["an invalid timeout", google({ timeoutSeconds: 0 }), /edge\.timeoutSeconds/],
  ["an invalid range", contour({ trustedProxies: ["10.0.0.0/99"] }), /edge\.trustedProxies\[0\]/],
];

for (const [what, config, message] of refused)
  test(`refused: ${what}`, () => {
    const text = refusal(config, keys);
    assert.match(text, message);
    assert.match(text, /^1 problem in/);
  });
