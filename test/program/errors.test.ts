/** Every error of the program has its form: what was found, what is allowed, and what to do. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lostText } from "../../config/input.ts";
import { certificateProblems } from "../../config/certificate.ts";
import { createAuthority } from "../../tools/cli/pki.ts";
import { checkRanges } from "../../names/ranges.ts";
import { hoge, raw, refusal, valid } from "../config/refusal.ts";
import { checkErrors, commandErrors, schemaErrors, unknown, type ErrorPlace } from "./errorPlaces.ts";

/** What a fix begins with: it is in the imperative, or names the command to run. */
const imperative =
  /^(?:add|allow|apply|check|choose|create|delete|end|fix|free|give|install|keep|leave|lower|make|move|name|push|put|quote|raise|read|remove|renew|report|run|see|set|start|stop|supply|take|try|use|wait|widen|write)\b/i;
const inWords = (text: string) =>
  `"${text}" must begin with a verb of "imperative" in this file: use one, or add yours`;
/** As far as the text of a place is known. */
const known = (text: string) => !text.startsWith(unknown);

test("an error of the schema says what a value must be, or what to do instead", () => {
  const places = schemaErrors();
  assert.ok(places.length > 70, `${places.length} places`);
  for (const { place, texts } of places)
    for (const text of texts.filter(known)) {
      const [, fix = ""] = text.split("; ");
      assert.ok(
        /^must (?:be|not|have|name|start)\b/.test(text) || imperative.test(fix),
        `${place}: "${text}" must begin with "must be", "must have" …, or end with "; " and a fix. ${inWords(fix)}`,
      );
    }
});

test("an error of a check says what is wrong with a value, and what to do", () => {
  const places = checkErrors();
  assert.ok(places.length > 60, `${places.length} places`);
  for (const { place, texts } of places)
    for (const text of texts) {
      const [rule = "", fix = ""] = text.split("; ");
      assert.ok(!known(rule) || /^\S+ \S+/.test(rule), `${place}: ${rule}`);
      assert.ok(!known(fix) || imperative.test(fix), `${place}: the fix ${inWords(fix)}`);
    }
});

test("an error of a command is a sentence with what it found, and one in the imperative", () => {
  const places = commandErrors();
  assert.ok(places.length > 70, `${places.length} places`);
  for (const { place, texts, fixes } of places) {
    assert.ok(texts.length > 0 && fixes.length > 0, `${place}: no text`);
    for (const text of texts) assert.ok(!known(text) || /^["A-Z-].*(?:\.|:\n|: …|…)$/s.test(text), `${place}: ${text}`);
    for (const fix of fixes)
      assert.ok(
        !known(fix) || (/^[A-Z]/.test(fix) && imperative.test(fix)),
        `${place}: the fix ${inWords(fix)}, with a capital letter`,
      );
  }
});

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const gke = (cluster: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) => ({
  ...valid,
  cluster: { kind: "gke", ...cluster },
  edge: { kind: "gce" },
  tls: { mode: "self-signed" },
  registry: { kind: "artifact-registry" },
  ...rest,
});
const routes = (...routes: object[]) => hoge({ routes });
/** Services of another config, on GKE. */
const onGke = ({ services }: { services: object }, rest: Record<string, unknown> = {}) =>
  gke({}, { services, ...rest });
const long = "x".repeat(600);
const window = { start: "2026-01-03T17:00:00Z", end: "2026-01-03T18:00:00Z" };

const workloadsOnGke = (...nodes: readonly object[]) => ({
  services: Object.fromEntries(nodes.map((each, index) => [`s${index}`, { image: "a/b:1", nodes: each }])),
});
const folders = (count: number, value: unknown = "1Gi") =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`/${index}`, value]));
/** Services called a, b, c and so on, each with an image unless it is like another. */
const workloads = (...services: readonly Record<string, unknown>[]) => ({
  ...valid,
  services: Object.fromEntries(
    services.map((each, index) => ["abcdef"[index] ?? "", { ...(!("like" in each) && { image: "a/b:1" }), ...each }]),
  ),
});

/** Mistakes in each place; all problems of a config are reported at once, so that a row can hold many. */
const mistakes: readonly Readonly<Parameters<typeof refusal>>[] = [
  // Single values
  [{ ...valid, namespace: "kube-system", domain: "Shop" }],
  [
    {
      ...valid,
      domain: `${"long.".repeat(50)}example.com`,
      services: { Hoge: {}, ["x".repeat(41)]: {}, "nginx-proxy": {}, "pods-a": {} },
    },
  ],
  [
    routes(
      { host: "*" },
      { host: "a.1" },
      { host: long },
      { path: "/a b" },
      { path: "/../" },
      { path: "/a/*" },
      { path: `/${long}` },
      {},
      { path: "/", canary: { service: "a", percent: 100 } },
      { path: "/burst", limit: { burst: 5 } },
      {
        path: "/",
        versions: [
          { header: "a b", value: "?", service: "a" },
          { cookie: "a b", value: "a", service: "a" },
          { value: "a", service: "a" },
        ],
      },
      { path: "/", responseHeaders: { "a b": "x", "X-A": "é", ETag: "x" } },
      { path: "a" },
      { path: "/a^/" },
      { path: "/", versions: [{ header: "X-A", value: " a", service: "a" }] },
      { path: "/b", versions: [{ cookie: "c", value: "a;b", service: "a" }] },
    ),
  ],
  ...["a//b:1", "a/b", "a/b:latest", "a/b@sha256:4f", `a/${long}:1`].map((image) => [hoge({ image })] as const),
  [
    hoge({
      build: { context: "x" },
      port: 80,
      env: { "A B": "1", C: [], D: "\0" },
      resources: { cpu: "none", memory: "none" },
      roles: ["x", "roles/owner", "roles/billing.user", "roles/a.b", "roles/a.b"],
      calls: ["a", "a"],
      egress: [
        { cidr: "x", ports: [] },
        { cidr: "10.0.0.1/8", ports: [1, 1] },
        { cidr: "169.254.0.0/16", ports: [1] },
      ],
    }),
  ],
  [hoge({ image: "a/b:1", build: { context: "./services/sample" } })],
  [
    {
      ...valid,
      networkPolicies: { dns: ["10.0.0.0/8", "10.0.0.0/8"] },
      proxy: {
        resolver: "a b",
        image: "a/b:1",
        build: { context: "x" },
        metrics: { labels: { "a b": "a", a: "?" } },
        redirects: [{ path: "/", to: "ftp://a", status: 303 }, { to: "/" }],
        wildcards: { path: { allow: ["*", "nginx-*", "pods-a"] } },
      },
    },
  ],
  [{ ...valid, proxy: { image: "a/b:1", build: { context: "x" } } }],
  [{ ...valid, proxy: { redirects: [{ to: "/" }] } }],
  [{ ...valid, proxy: { redirects: [{ path: "/old/", to: "/old/" }] } }],
  [
    {
      ...valid,
      proxy: { wildcards: { path: { allow: Array.from({ length: 100 }, (_, i) => `n${i}`.padEnd(40, "x")) } } },
    },
  ],
  [
    gke({
      zones: ["x", "x"],
      nodePools: {},
      endpoint: { kind: "ip", authorizedNetworks: {} },
      encryptionKey: "x",
      securityGroup: "x",
      maintenance: { recurrence: "x" },
    }),
    google,
  ],
  [gke({ nodePools: { main: { machineType: "big", labels: { "a b": "a", a: "?", "k8s.io/a": "a" } } } }), google],
  [
    gke({
      nodePools: {
        main: {},
        a: { taints: ["b", "c"].map((value) => ({ key: "a", value, effect: "NO_EXECUTE" })) },
        b: { taints: [{ key: "a b", value: "?", effect: "NO_EXECUTE" }] },
        c: { taints: [{ key: "node.kubernetes.io/not-ready", value: "a", effect: "NO_EXECUTE" }] },
      },
    }),
    google,
  ],
  [gke({ mode: "autopilot", nodePools: { main: {} } }), google],
  [gke({ mode: "autopilot" }, { proxy: { resources: { cpu: "30", memory: "110Gi" } } }), google],
  [gke({ mode: "autopilot" }, workloadsOnGke({ gpu: { type: "nvidia-l4", count: 3 } })), google],
  [gke({}, { domain: "shop.internal", dns: { create: true } }), google],
  [
    gke(
      {},
      {
        services: Object.fromEntries(
          Array.from({ length: 20 }, (_, at) => [
            `s${at}`,
            {
              image: "a/b:1",
              routes: Array.from({ length: 50 }, (__, index) => ({ path: `/s${at}r${index}.A/`, protocol: "grpc" })),
            },
          ]),
        ),
      },
    ),
    google,
  ],
  [hoge({ image: "registry.example.com:65536/hoge:1" })],
  [onGke(hoge({ resources: { cpu: "9", memory: "99Gi" } })), google],
  [hoge({ resources: { cpu: "1000", memory: "128" } })],
  [hoge({ resources: { memory: "32769Gi" } })],
  ...[{ cpu: "1m", memory: "6Mi" }, { cpu: "1" }, { memory: "1Gi" }, { cpu: "31", memory: "111Gi" }].map(
    (resources) => [onGke(hoge({ resources }), { cluster: { kind: "gke", mode: "autopilot" } }), google] as const,
  ),
  [
    gke(
      {},
      { dns: { zone: "A", create: true }, registry: { kind: "artifact-registry", keep: 1, immutableTags: true } },
    ),
    google,
  ],
  [gke({}, { dns: { wildcard: true } }), google],
  [
    gke(
      {},
      {
        edge: {
          kind: "gce",
          armor: { rateLimit: { requests: 1, seconds: 7 }, allow: [] },
          iap: { members: ["x", "x"] },
        },
      },
    ),
    google,
  ],
  [gke({}, { edge: { kind: "gce", armor: { log4j: false, allow: undefined }, iap: { members: [] } } }), google],
  [gke({}, { edge: { kind: "gce", armor: { allow: ["10.0.0.0/8", "10.0.0.0/8"] } } }), google],
  [{ ...valid, edge: { kind: "gateway", trustedProxies: ["10.0.0.0/8"] } }],
  [{ ...valid, edge: { kind: "gateway", className: "gke-l7-rilb", timeoutSeconds: 30 } }],

  // Limits of Google's load balancer, certificates and IAM
  [
    gke(
      {},
      {
        edge: { kind: "gateway" },
        tls: { mode: "managed", fallback: "self-signed" },
        services: Object.fromEntries(
          ["a", "b", "c"].map((name) => [
            name,
            { image: "a/b:1", routes: Array.from({ length: 50 }, (_, i) => ({ host: `${name}${i}` })) },
          ]),
        ),
      },
    ),
    google,
  ],
  [
    gke(
      {},
      {
        tls: { mode: "managed" },
        services: {
          hoge: { image: "a/b:1", routes: [{ host: "shop.local" }, { host: "pr--12" }, { host: "h".repeat(50) }] },
        },
      },
    ),
    google,
  ],
  [
    gke(
      {},
      {
        services: Object.fromEntries(
          Array.from({ length: 21 }, (_, i) => [
            `s${i}`,
            { image: "a/b:1", routes: Array.from({ length: 50 }, (_, j) => ({ host: `h${i}-${j}` })) },
          ]),
        ),
      },
    ),
    google,
  ],
  [
    gke(
      {},
      {
        services: Object.fromEntries(
          Array.from({ length: 51 }, (_, i) => [
            `s${i}`,
            { image: "a/b:1", roles: Array.from({ length: 30 }, (_, j) => `roles/a.r${j}`) },
          ]),
        ),
      },
    ),
    google,
  ],
  [onGke(hoge({ roles: ["projects/acme-other/roles/orders"] })), google],
  [{ ...routes({ host: "h".repeat(63) }), domain: `${"long.".repeat(37)}example.com` }],

  // Sizes
  [
    hoge({
      routes: Array.from({ length: 50 }, (_, i) => ({
        path: `/${i}`,
        responseHeaders: Object.fromEntries(Array.from({ length: 25 }, (_, j) => [`X-${j}`, "x".repeat(1000)])),
      })),
    }),
  ],
  [hoge({ env: { A: "x".repeat(140_000) }, args: ["x".repeat(140_000)] })],
  [hoge({ env: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`A${i}`, "x".repeat(120_000)])) })],
  [{ ...valid, edge: { ...valid.edge, annotations: { a: "x".repeat(300_000) } } }],
  [hoge({ env: { ["x".repeat(254)]: "1" } })],
  [hoge({ env: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`A${i}`, ""])) })],
  [
    {
      ...hoge({ env: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`A${i}`, "x".repeat(130_000)])) }),
      secrets: { hoge: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`S${i}`, "x".repeat(130_000)])) },
    },
  ],
  [hoge({ image: `r.example.com/${"a".repeat(300)}:1` })],
  [{ ...valid, namespace: "gmp-system", edge: { kind: "ingress", className: "A", annotations: { "a b": "1" } } }],
  [{ ...valid, edge: { kind: "ingress", className: "a".repeat(254) } }],
  [onGke({ services: { default: { image: "a:1", roles: ["roles/a.b"] } } }), google],
  // Keys that do not fit each other, or the stack
  [valid, {}, { secretKeys: ["gke-microservices:domain"] }],
  [gke(), google, { stack: "Staging_2" }],
  [valid, { "gke-microservices:services": '{"__proto__":{"image":"a/b:1"}}' }],
  [{ ...valid, "x:y": 1 }, { "x:y": "1" }],
  [valid, { "old-name:domain": "shop.example.com" }],
  [gke(), { "gcp:project": "A", "gcp:region": "B" }],
  [{ ...hoge({ calls: ["hoge", "x"] }), dns: { create: true } }],
  [{ ...valid, services: { hoge: { image: "a/b:1", calls: ["x"] }, web: { image: "a/b:1" } } }],
  [
    gke({
      zones: ["europe-west1-b", "asia-northeast1-d"],
      nodePools: { ["a".repeat(40)]: { minPerZone: 9, taints: [{ key: "a", value: "b", effect: "NO_SCHEDULE" }] } },
      endpoint: { kind: "ip", authorizedNetworks: { all: "0.0.0.0/0", one: "1.2.3.4/8", none: "x", same: "x" } },
      encryptionKey: "projects/acme-keys/locations/europe-west1/keyRings/gke/cryptoKeys/secrets",
      network: { nodes: "10.0.0.1/30", pods: "8.0.0.0/9", services: "10.0.0.0/20" },
      maintenance: { ...window, exclusions: { a: { start: window.end, end: window.start } } },
    }),
    google,
  ],
  ...[
    {
      maintenance: {
        start: "2026-01-03T17:00:00Z",
        end: "2026-01-03T21:00:00Z",
        recurrence: "FREQ=WEEKLY;INTERVAL=4;BYDAY=SA",
      },
    },
    { maintenance: { exclusions: { a: { start: "2026-01-01T00:00:00Z", end: "2026-06-01T00:00:00Z" } } } },
    {
      maintenance: {
        exclusions: { "a/b": { start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z" } },
      },
    },
    {
      maintenance: {
        exclusions: { a: { start: "2026-01-01T00:00:00Z", end: "2099-01-01T00:00:00Z", scope: "NO_MINOR_UPGRADES" } },
      },
    },
    {
      maintenance: {
        exclusions: Object.fromEntries(
          [1, 2, 3, 4].map((month) => [
            `a${month}`,
            { start: `2026-0${month}-01T00:00:00Z`, end: `2026-0${month}-02T00:00:00Z` },
          ]),
        ),
      },
    },
    {
      maintenance: {
        exclusions: Object.fromEntries(
          Array.from({ length: 21 }, (_, at) => [
            `a${at}`,
            { start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z", scope: "NO_MINOR_UPGRADES" },
          ]),
        ),
      },
    },
    {
      endpoint: {
        kind: "ip",
        authorizedNetworks: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`n${at}`, `1.2.${at}.0/24`])),
      },
    },
    ...["f1-micro", "c3-custom-4-8192", "n2-custom-4-1", "e2-custom-4-8192-ext", "n2-custom-3-8192"].map(
      (machineType) => ({ nodePools: { main: { machineType } } }),
    ),
    ...["n2-custom-4-256", "n2-huge-4"].map((machineType) => ({ nodePools: { main: { machineType } } })),
    { nodePools: { main: { machineType: "e2-standard-3", diskType: "hyperdisk-balanced" } } },
    ...["n4-standard-4", "a3-ultragpu-8g"].map((machineType) => ({ nodePools: { main: { machineType } } })),
    { nodePools: { main: { machineType: "c3-standard-4", diskType: "pd-standard" } } },
  ].map((cluster) => [gke(cluster), google] as const),
  [gke({ network: { pods: "10.4.0.0/21" }, nodePools: { main: { maxPerZone: 1000 } } }), google],
  [{ ...valid, tls: { mode: "managed" } }],
  [gke({}, { tls: { mode: "managed", fallback: "supplied" } }), google],
  [gke({}, { tls: { mode: "managed" }, secrets: { tls: { crt: "x", key: "x" } } }), google],
  [
    gke(
      {},
      {
        tls: { mode: "managed", fallback: "self-signed" },
        ...{
          services: { hoge: { image: "a/b:1", routes: Array.from({ length: 14 }, (_, i) => ({ host: `h${i}` })) } },
        },
      },
    ),
    google,
  ],
  [{ ...valid, edge: { kind: "gce" }, tls: { mode: "managed" } }],
  [
    gke({}, { tls: { mode: "managed", wildcard: true }, proxy: { wildcards: { subdomain: { allow: ["a-*"] } } } }),
    google,
  ],
  [
    gke(
      {},
      {
        tls: { mode: "managed" },
        ...{
          services: { hoge: { image: "a/b:1", routes: Array.from({ length: 20 }, (_, i) => ({ host: `h${i}` })) } },
        },
      },
    ),
    google,
  ],
  [
    gke({}, { edge: { kind: "gce", iap: { members: ["user:a@example.com"] }, cdn: {} }, tls: { mode: "none" } }),
    google,
  ],
  [{ ...valid, edge: { kind: "gateway" } }],
  [gke({}, { edge: { kind: "gateway", iap: { members: ["user:a@example.com"] } } }), google],
  [gke({}, { registry: { kind: "node" }, services: { hoge: { build: { context: "./docs" } } } }), google],
  [
    {
      ...hoge({ image: undefined, build: { context: "./services/sample" }, roles: ["roles/pubsub.publisher"] }),
      registry: { kind: "artifact-registry" },
      proxy: { metrics: { byService: true } },
    },
  ],
  [onGke(routes({ path: "/", timeoutSeconds: 100, maxBodyMb: 1000 }, { path: "/a/", maxBodyMb: 0 })), google],
  [
    routes(
      { path: "/a" },
      { path: "/a" },
      { path: "/b", keepPrefix: true },
      { path: "/shop.v1.Orders", protocol: "grpc" },
      { path: "/shop:v1/", protocol: "grpc" },
      { path: "/c", canary: { service: "hoge", percent: 1 } },
      { path: "/d", canary: { service: "x", percent: 1 } },
    ),
  ],
  [
    onGke(routes({ protocol: "grpc", path: "/", buffering: true }), {
      tls: { mode: "none" },
      proxy: { wildcards: { path: { allow: ["a-*"] } } },
    }),
    google,
  ],
  [
    {
      ...hoge({ env: { A: "1" } }),
      secrets: { x: { A: "hidden-value" }, hoge: { A: "hidden-value" }, tls: { crt: "a", key: "hidden-value" } },
    },
  ],
  [{ ...valid, tls: { mode: "supplied", certFile: "a", keyFile: "b" }, secrets: { tls: { crt: "a", key: "b" } } }],
  [{ ...valid, tls: { mode: "supplied" } }],
  [{ ...valid, tls: { mode: "supplied", certFile: "a", keyFile: "b" } }],
  // Workloads
  [hoge({ replicas: { min: 3, max: 2 } })],
  [hoge({ replicas: { min: 0, max: 2 } })],
  [hoge({ replicas: 0 })],
  [gke({}, workloadsOnGke({ labels: { disk: "fast" } })), google],
  [
    gke(
      { nodePools: { a: { labels: { disk: "fast" } }, b: { spot: true } } },
      workloadsOnGke({ spot: true, labels: { disk: "fast" } }),
    ),
    google,
  ],
  [hoge({ scratch: { "/a:b": "1Gi", "/a/": "1Gi" } })],
  [hoge({ files: { "/a": { from: "../b" } } })],
  [
    hoge({
      command: [],
      args: [{}],
      port: "no",
      ports: { "a-name-that-is-too-long": 1, http: 2 },
      health: { path: `/${"a".repeat(400)}`, headers: { "a b": "c" }, host: "a b" },
      scratch: { tmp: "1Gi", "/proc/a": "1Gi", [`/${"a".repeat(250)}`]: "1Gi", "/a": "512", "/b": "x", "/c": true },
      files: { "/run/secrets/kubernetes.io/token": { text: "" } },
      user: 0,
      replicas: "two",
      labels: { "kubernetes.io/a": "b" },
      annotations: { "kubernetes.io/a": "b", "a b": "c" },
    }),
  ],
  [
    {
      ...valid,
      services: {
        shared: { image: "a/b:1" },
        b: { image: "a/b:1", health: "a" },
        c: { image: "a/b:1", health: "/a?b#c" },
      },
    },
  ],
  [hoge({ health: "/a b", ports: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`p${n}`, n + 1])) })],
  [hoge({ health: { path: "/a", tcp: true, port: 1 }, scratch: folders(21), files: folders(51, { text: "" }) })],
  [hoge({ health: { tcp: true, host: "a" } })],
  [hoge({ health: { tcp: false } })],
  [hoge({ health: { exec: ["a"], port: 1 } })],
  [hoge({ health: true })],
  [workloads({ like: "a", image: "a/b:1" }, { like: "c" }, { like: "b" }, { like: "nothing" })],
  [workloads({}, { like: "b" }, { like: "nothing" }, { like: "a" }, { like: "d" }, { like: "c" })],
  [{ ...valid, services: { ...valid.services, b: { args: null } } }],
  [workloads({ port: "none", servicePort: 80, ports: { a: 1 }, routes: [{ path: "/" }], health: "/up" })],
  [workloads({ port: 80, servicePort: 81, ports: { a: 80, b: 81 }, healthPath: "/a", health: "/b" })],
  [{ ...workloads({ health: { startSeconds: 150 } }), rolloutSeconds: 100 }],
  [workloads({ image: "redis:8" })],
  [workloads({ image: "redis:8", health: "tcp" }, { like: "a" })],
  [
    workloads(
      {
        calls: ["b"],
        env: {
          A: { url: "a" },
          B: { url: "nothing" },
          C: { url: "b" },
          D: { expand: "text" },
          I: { expand: "${A}" },
          J: { expand: "$(KEY) $(COMMON)" },
          K: { secret: "KEY" },
          E: { expand: "$(E) $(F) $(G)" },
          G: { expand: "$(A)" },
          H: { secret: "NOTHING" },
        },
        files: { "/a": { text: "" }, "/a/b": { from: "./nothing" }, "/tmp": { text: "" } },
        scratch: { "/m": { size: "1Gi", memory: true } },
      },
      { port: "none" },
    ),
  ],
  [{ ...workloads({ env: { A: { expand: "$(COMMON)" } } }), secrets: { shared: { COMMON: "c" } } }],
  [workloads({ files: { "/a": { text: "a".repeat(2 ** 20) } } })],
  [workloads({ calls: ["b"] }, { schedule: "@daily" })],
  [
    {
      ...workloads(
        { metrics: { port: 1 }, ports: { metrics: 2 }, nodes: { pool: "a" } },
        { port: "none", metrics: {} },
      ),
    },
  ],
  [gke({ nodePools: { main: {} } }, workloadsOnGke({ pool: "main", spot: true }, { pool: "b" })), google],
  [gke({ mode: "autopilot" }, { services: { hoge: { ...valid.services.hoge, scratch: { "/a": "10Gi" } } } }), google],
  [onGke(hoge({ nodes: { gpu: {} } }), { cluster: { kind: "gke", mode: "autopilot" } }), google],
  // What runs to its end
  [
    {
      ...valid,
      services: {
        shop: { image: "a/b:1", release: {}, retries: 1 },
        cart: { image: "a/b:1", release: { args: ["a"] } },
        "cart-release": { image: "a/b:1" },
      },
    },
  ],
  [{ ...valid, services: { cart: { image: "a/b:1", release: { args: ["a"] } }, "cart-release": { image: "a/b:1" } } }],
  ...[
    "* * *",
    "0 0 31 2 *",
    "@every 5m",
    "@reboot",
    "TZ=UTC @daily",
    "H * * * *",
    "0 0 * * 7",
    "60 * * * *",
    "5-1 * * * *",
    "*/0 * * * *",
    "x-y * * * *",
  ].map((schedule) => [{ ...valid, services: { nightly: { image: "a/b:1", schedule, timeZone: "Tokyo" } } }] as const),
  [{ ...valid, services: { nightly: { image: "a/b:1", schedule: "@daily", port: 80 } } }],
  // Sidecars and init containers
  [
    hoge({
      sidecars: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`s${index}`, {}])),
      init: [{ name: "a", shares: ["/a", "/a"] }],
    }),
  ],
  [
    {
      ...hoge({
        scratch: { "/a": "1Gi" },
        sidecars: {
          hoge: { image: "a/b:1", shares: ["/tmp", "/a/b", "/c"], port: 8080 },
          a: { port: 1, health: { startSeconds: 5 } },
          b: { image: "a/b:1", port: 1, health: { tcp: true, startSeconds: 150 } },
          c: { image: "a/b:1", health: "tcp" },
        },
        init: [{ name: "a" }],
      }),
      rolloutSeconds: 100,
    },
  ],
  [
    onGke(hoge({ sidecars: { a: { args: ["a"], resources: { cpu: "4" } } } }), {
      cluster: { kind: "gke", nodePools: { main: { machineType: "e2-standard-2" } } },
    }),
    google,
  ],
  [hoge({ init: [{ name: "a" }, { name: "b", args: ["b"], shares: ["/a"] }], sidecars: { c: {} } })],
  ...[{ cpu: "1" }, { memory: "4Gi" }, { cpu: "30", memory: "110Gi" }].map(
    (resources) =>
      [
        onGke(hoge({ sidecars: { a: { args: ["a"], resources } } }), { cluster: { kind: "gke", mode: "autopilot" } }),
        google,
      ] as const,
  ),
];

/** `key`, `value rule; fix`: two lines for each problem. */
const problemsIn = (message: string): (readonly [key: string, text: string])[] =>
  [...message.matchAll(/^ {2}(\S.*)\n {4}(.*)$/gm)].map(([, key = "", text = ""]) => [key, text]);

async function certificateMistakes(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "key-"));
  const signed = (...key: string[]) => {
    const [keyFile, crt] = [join(folder, "key"), join(folder, "crt")];
    const args = [
      "req",
      "-x509",
      "-nodes",
      "-days",
      "90",
      "-subj",
      "/CN=a",
      "-keyout",
      keyFile,
      "-out",
      crt,
      "-newkey",
      ...key,
    ];
    execFileSync("openssl", args, { stdio: "ignore" });
    return [readFileSync(crt, "utf8"), readFileSync(keyFile, "utf8")] as const;
  };
  try {
    const [ca, other] = [await createAuthority("A", "ecdsa", 10), await createAuthority("B")];
    const leaf = await ca.issue({ commonName: "a", names: ["a.example.com"], days: 20 });
    const late = new Date(Date.now() + 30 * 24 * 3_600_000);
    const chain = (authority: { certificate: string }) => `${leaf.certificate}\n${authority.certificate}`;
    const names = ["a.example.com"];
    const [caFile, caKey] = [join(folder, "ca"), join(folder, "ca-key")];
    writeFileSync(caFile, ca.certificate);
    writeFileSync(caKey, ca.key);
    const [weak] = signed("rsa:1024");
    return [
      certificateProblems(`${leaf.certificate}${leaf.certificate}${weak}`, leaf.key, names),
      certificateProblems(leaf.certificate.repeat(6), leaf.key, names, new Date(), "compute"),
      certificateProblems(weak, leaf.key, names, new Date(), "compute"),
      certificateProblems(signed("rsa:3072")[0], leaf.key, names, new Date(), "compute"),
      certificateProblems("x", leaf.key, names),
      certificateProblems(leaf.certificate, "x", ["b.example.com"]),
      certificateProblems(chain(other), other.certificate, names),
      certificateProblems(chain(ca), leaf.key, names, late),
      certificateProblems(chain(ca), leaf.key, names, new Date(0)),
      certificateProblems(leaf.certificate, (await other.issue({ commonName: "a", names, days: 9 })).key, names),
      certificateProblems(`${leaf.certificate}\n${leaf.key}`, leaf.key, names),
      ...[
        ["rsa:2048", "-sha1"],
        ["rsa:2048", "-addext", "extendedKeyUsage=clientAuth"],
        ["rsa:2048", "-addext", "keyUsage=keyCertSign"],
        ["rsa:2048", "-CA", caFile, "-CAkey", caKey],
        ["rsa:1024"],
        ["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
        ["ed25519"],
      ].map((key) => certificateProblems(...signed(...key), names)),
    ].flatMap((problems) => problems.map(({ found, fix }) => `${found}; ${fix}`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("each place that refuses a config was made to; each problem has its key, the value, what is allowed, the fix", async () => {
  const problems = mistakes.flatMap((mistake) => {
    const message = refusal(...mistake);
    assert.match(message, /nothing was changed:\n/);
    assert.match(message, /\nFix (?:it|them) in Pulumi\.\w+\.yaml, or with: npx pulumi config set --stack \w+ --path /);
    assert.doesNotMatch(message, /hidden-value/);
    return problemsIn(message);
  });
  for (const [key, text] of problems) {
    assert.match(key, /^[\w-]+:[^\s:]/);
    const value =
      /^(?:"(?:[^"\\]|\\.)*(?:"|…)|-?\d[\d.]*|true|false|null|\[.*|\{.*|\(secret\)|is missing;|is not a key)/;
    assert.match(text, value, key);
    const [, fix = ""] = text.split("; ");
    assert.ok(
      / must (?:be|not|have|name|start) /.test(text) || /allowed: /.test(text) || imperative.test(fix),
      `${key}: ${text}`,
    );
  }
  // No key of the config sets this range.
  const controlPlane = checkRanges({
    nodes: "10.0.0.0/20",
    pods: "10.4.0.0/14",
    services: "10.8.0.0/20",
    controlPlane: "172.16.0.0/27",
  });
  const texts = [
    ...problems.map(([, text]) => text),
    ...lostText(raw({ ...hoge({ env: { A: 511 } }), secrets: { hoge: { B: 511 } } }), [
      { path: ["gke-microservices:services", "hoge", "env", "A"], written: "0777", read: 511 },
      { path: ["gke-microservices:secrets", "hoge", "B"], written: "0777", read: 511 },
    ]).map(({ message }) => message),
    ...controlPlane.map(({ found, fix }) => `${found}; ${fix}`),
    ...(await certificateMistakes()),
  ];
  const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(unknown, ".*");
  const unseen = (places: readonly ErrorPlace[]) =>
    places.flatMap(({ place, texts: all }) =>
      all.filter((one) => !texts.some((text) => new RegExp(escaped(one)).test(text))).map((one) => `${place}: ${one}`),
    );
  const missing = unseen([...schemaErrors(), ...checkErrors()]);
  assert.equal(missing.length, 0, `Add a config with each of these errors to "mistakes":\n${missing.join("\n")}`);
});
