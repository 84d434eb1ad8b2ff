import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const keys = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const { domain, services } = valid;
/** On Google, with what a stack leaves out there. */
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

test("a Gateway is of Google's class until another is named, each with its own closed defaults", () => {
  const className = "gke-l7-global-external-managed";
  const place = { project: "acme-staging", region: "asia-northeast1" };
  const defaults = { kind: "gateway", className, onGoogle: true, ...place, timeoutSeconds: 30, drainSeconds: 30 };
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

test("managed certificates may be wildcards, and for more hosts than an Ingress takes", () => {
  const routes = Array.from({ length: 20 }, (_, index) => ({ host: `h${index}` }));
  const many = { web: { image: "registry.example.com/web:1", routes } };
  const { tls } = settings(google({}, { tls: { mode: "managed", wildcard: true }, services: many }));
  assert.deepEqual(tls, {
    mode: "managed",
    redirectHttp: true,
    hsts: { days: 30, includeSubdomains: false },
    wildcard: true,
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
    "another class of Google's",
    google({ className: "gke-l7-rilb" }),
    /edge\.className\n\s+"gke-l7-rilb" is a class of Google's that the program does not set up; use gke-l7-global-external-managed/,
  ],
  [
    "ranges to trust beside Google's own",
    google({ trustedProxies: ["10.0.0.0/8"] }),
    /edge\.trustedProxies\n\s+\["10\.0\.0\.0\/8"\] is not for Google's class/,
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
    "annotations, which an Ingress has",
    contour({ annotations: {} }),
    /edge\.annotations\n\s+is not a key that is known here/,
  ],
  [
    "records in Cloud DNS without an address at Google",
    { ...contour({}), dns: { create: true } },
    /dns\n\s+\{.*\} points at an address .* and edge\.kind gateway of the class contour has none/,
  ],
  ["a timeout that is none", google({ timeoutSeconds: 0 }), /edge\.timeoutSeconds/],
  ["a range that is none", contour({ trustedProxies: ["10.0.0.0/99"] }), /edge\.trustedProxies\[0\]/],
];

for (const [what, config, message] of refused)
  test(`refused: ${what}`, () => {
    const said = refusal(config, keys);
    assert.match(said, message);
    assert.match(said, /^1 problem in/);
  });
