/** What the config refuses, and what it takes. Long because it is a table: a row for each mistake that a person can make. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { fullKey, project } from "../../config/project.ts";
import { checkConfig } from "../../config.ts";
import { nearest } from "../../config/report.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const hoge = (changes: Record<string, unknown>) => ({
  ...valid,
  services: { hoge: { ...valid.services.hoge, ...changes } },
});

test("a valid config is taken, with its defaults", () => {
  const { settings } = checkConfig(raw(valid), "test", projectDir);
  assert.deepEqual(settings.services["hoge"], {
    image: "registry.example.com/hoge:1.4.2",
    port: 8080,
    replicas: 2,
    routes: [
      { path: "/hoge/", keepPrefix: false },
      { host: "hoge", keepPrefix: false },
    ],
    routeDefaults: {},
    env: {},
    resources: { cpu: "100m", memory: "128Mi" },
    roles: [],
    calls: [],
    egress: [],
  });
  assert.equal(settings.proxy.replicas, 3);
  assert.equal(settings.namespace, "apps");
  assert.deepEqual(settings.networkPolicies, { enabled: true, dns: [] });
});

test("the CLI's empty default of an object that is not set counts as not set", () => {
  const empty = { cluster: {}, edge: {}, tls: {}, registry: {}, proxy: {}, networkPolicies: {} };
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  const unset = { domain: valid.domain, services: valid.services };
  const { settings } = checkConfig(raw({ ...unset, ...empty }, google), "test", projectDir);
  assert.deepEqual(settings, checkConfig(raw(unset, google), "test", projectDir).settings);
  assert.equal(settings.registry.kind, "artifact-registry");
});

test("a route that waits longer than the load balancer is refused", () => {
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  const slow = (edge: object) => ({
    domain: valid.domain,
    edge: { kind: "gce", ...edge },
    services: { hoge: { ...valid.services.hoge, routes: [{ path: "/", timeoutSeconds: 60 }] } },
  });
  assert.match(
    refusal(slow({}), google),
    /services\.hoge\.routes\[0\]\.timeoutSeconds\n\s+60 is more than the 25 s .*; raise [\w-]+:edge\.timeoutSeconds to 65/,
  );
  checkConfig(raw(slow({ timeoutSeconds: 65 }), google), "test", projectDir);
  const byName = {
    ...slow({ timeoutSeconds: 65 }),
    proxy: { wildcards: { path: { allow: ["a"], timeoutSeconds: 61 } } },
  };
  assert.match(refusal(byName, google), /wildcards\.path\.timeoutSeconds\n\s+61 is more than the 60 s/);
});

test("a body that the proxy cannot keep must be passed on as it comes", () => {
  const route = (settings: object, routeDefaults: object = {}) =>
    hoge({ routes: [{ path: "/", ...settings }], routeDefaults });
  assert.match(
    refusal(route({ maxBodyMb: 0 })),
    /services\.hoge\.routes\[0\]\.maxBodyMb\n\s+0, which is without limit, is more than the 512 MiB .*; set buffering to false/,
  );
  assert.match(
    refusal(route({ buffering: true }, { maxBodyMb: 513 })),
    /hoge\.routeDefaults\.maxBodyMb\n\s+513 is more/,
  );
  const byName = { ...valid, proxy: { wildcards: { subdomain: { allow: ["a"], maxBodyMb: 513 } } } };
  assert.match(refusal(byName), /wildcards\.subdomain\.maxBodyMb\n\s+513 is more/);
  for (const [settings, defaults] of [
    [{ maxBodyMb: 0, buffering: false }],
    [{ maxBodyMb: 0 }, { buffering: false }],
    [{ maxBodyMb: 10 }, { maxBodyMb: 0 }],
    [{ maxBodyMb: 512 }],
  ] as const)
    checkConfig(raw(route(settings, defaults)), "test", projectDir);
});

test("a secret outside `secrets` is refused, and its value is not shown", () => {
  const config = { ...hoge({ env: { TOKEN: "canary", "BAD NAME": "canary" } }), domain: "no domain" };
  assert.throws(
    () => checkConfig(raw(config), "test", projectDir, [fullKey("services"), "gcp:credentials"]),
    ({ message }: Error) =>
      /[\w-]+:services\n\s+is encrypted; only [\w-]+:secrets may be/.test(message) &&
      /2 problems/.test(message) &&
      /[\w-]+:domain\n\s+"no domain" must be/.test(message) &&
      !message.includes("canary"),
  );
  const allowed = { ...valid, secrets: { hoge: { TOKEN: "canary" } } };
  checkConfig(raw(allowed), "test", projectDir, [fullKey("secrets")]);
});

test("a stack whose name Google could not take is refused before anything is made", () => {
  const onGoogle = { domain: valid.domain, services: valid.services };
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  assert.throws(
    () => checkConfig(raw(onGoogle, google), "Staging_2", projectDir),
    /cannot be named after the stack "Staging_2"; .* at most 24 lower case letters/,
  );
});

test("env takes numbers and booleans, which is what `pulumi config set --path` stores", () => {
  const { settings } = checkConfig(raw(hoge({ env: { PORTS: 8080, VERBOSE: true, NAME: "x" } })), "test", projectDir);
  assert.deepEqual(settings.services["hoge"]?.env, { PORTS: "8080", VERBOSE: "true", NAME: "x" });
});

test("env takes any text that Kubernetes carries as it is, terminal colours among it", () => {
  const value = "\u001b[32m\t\r\n日本 🦊\ufeff\u2028\ufffd";
  const { settings } = checkConfig(raw(hoge({ env: { VALUE: value } })), "test", projectDir);
  assert.equal(settings.services["hoge"]?.env["VALUE"], value);
});

for (const character of ["\0", "\u007f", "\u0085", "\u009b", "\ufffe", "\uffff", "\ud800"])
  test(`env and secrets with ${JSON.stringify(character)} are refused, the secret without its value`, () => {
    const secrets = { hoge: { TOKEN: `hidden${character}` } };
    const message = refusal({ ...hoge({ env: { NAME: `a${character}` } }), secrets });
    assert.match(message, /services\.hoge\.env\.NAME\n\s+"a.*" must have no NUL/);
    assert.match(message, /secrets\.hoge\.TOKEN\n\s+\(secret\) must have no NUL/);
    assert.doesNotMatch(message, /hidden/);
  });

const refused: [string, Record<string, unknown>, RegExp[]][] = [
  ["an unknown key", { ...valid, servces: {} }, [/[\w-]+:servces/, /did you mean "services"\?/]],
  ["an unknown key deep inside", hoge({ replcas: 3 }), [/services\.hoge\.replcas/, /did you mean "replicas"\?/]],
  ["a wrong type", hoge({ port: "80a" }), [/services\.hoge\.port/, /"80a" must be a number/]],
  ["a missing domain", { ...valid, domain: undefined }, [/[\w-]+:domain/, /is missing/]],
  ["a domain without a dot", { ...valid, domain: "shop" }, [/"shop" must be a lower-case DNS name/]],
  [
    "an image without a tag",
    hoge({ image: "registry.example.com:5000/hoge" }),
    [/services\.hoge\.image/, /must have a tag or a digest/],
  ],
  ["the tag latest", hoge({ image: "registry.example.com/hoge:latest" }), [/must not use the tag latest/]],
  ["image and build together", hoge({ build: { context: "./services/hoge" } }), [/exactly one of image and build/]],
  [
    "a context without a Dockerfile",
    hoge({ image: undefined, build: { context: "./docs" } }),
    [/services\.hoge\.build\.context/, /no Dockerfile/],
  ],
  [
    "a service name that is no DNS label",
    { ...valid, services: { Hoge_1: valid.services.hoge } },
    [/Hoge_1/, /must be a DNS label/],
  ],
  ["the proxy's own name", { ...valid, services: { "nginx-proxy": valid.services.hoge } }, [/must not be nginx-proxy/]],
  [
    "the name of a service's pods",
    { ...valid, services: { "pods-x": valid.services.hoge } },
    [/must not start with pods-/],
  ],
  ["a privileged port", hoge({ port: 80 }), [/at least 1024/]],
  [
    "an unknown mode",
    { ...valid, tls: { mode: "self-singed" } },
    [/tls\.mode/, /allowed: none, managed, self-signed, supplied; did you mean "self-signed"\?/],
  ],
  ["a path with dots", hoge({ routes: [{ path: "/a/../b/" }] }), [/routes\[0\]\.path/, /\.\. segments/]],
  ["a path that would break out of its directive", hoge({ routes: [{ path: '/a/;}{ "' }] }), [/routes\[0\]\.path/]],
  ["a route without path and host", hoge({ routes: [{}] }), [/routes\[0\]/, /must have a path, a host or both/]],
  ["a route by address", hoge({ routes: [{ host: "127.0.0.1" }] }), [/routes\[0\]\.host/, /not an address/]],
  ["keepPrefix without a prefix", hoge({ routes: [{ path: "/", keepPrefix: true }] }), [/keepPrefix says nothing/]],
  ["a reserved namespace", { ...valid, namespace: "kube-system" }, [/must not be default or kube-/]],
  ["gce without gke", { ...valid, edge: { kind: "gce" } }, [/edge\.kind/, /needs cluster\.kind gke/]],
  [
    "a registry that nothing can push to",
    { ...hoge({ image: undefined, build: { context: "./services/hoge" } }), registry: { kind: "artifact-registry" } },
    [/needs a registry/],
  ],
  ["supplied without a certificate", { ...valid, tls: { mode: "supplied" } }, [/supplied needs a certificate/]],
  [
    "a certificate file that is not there",
    { ...valid, tls: { mode: "supplied", certFile: "no.crt", keyFile: "no.key" } },
    [/no\.crt or no\.key cannot be read/],
  ],
  [
    "a certificate for another mode",
    { ...valid, secrets: { tls: { crt: "a", key: "b" } } },
    [/secrets\.tls/, /only used with tls\.mode supplied/],
  ],
  [
    "a secret for no service",
    { ...valid, secrets: { hog: { KEY: "hidden-value" } } },
    [/secrets\.hog/, /the services are hoge/],
  ],
  [
    "a secret that is also in env",
    { ...hoge({ env: { KEY: "a" } }), secrets: { hoge: { KEY: "hidden-value" } } },
    [/secrets\.hoge\.KEY/],
  ],
  [
    "a protocol that is none",
    hoge({ routes: [{ path: "/", protocol: "gprc" }] }),
    [/routes\[0\]\.protocol\n\s+"gprc" .*http.*grpc/],
  ],
  [
    "the name of the proxy's Service for gRPC",
    { ...valid, services: { "nginx-proxy-grpc": valid.services.hoge } },
    [/must not be nginx-proxy or nginx-proxy-grpc/],
  ],
  [
    "a canary to nowhere",
    hoge({ routes: [{ path: "/", canary: { service: "hogee", percent: 10 } }] }),
    [/routes\[0\]\.canary\.service/, /did you mean "hoge"\?/],
  ],
  [
    "a canary to itself",
    hoge({ routes: [{ path: "/", canary: { service: "hoge", percent: 10 } }] }),
    [/the route's own service/],
  ],
  [
    "a share of everything",
    hoge({ routes: [{ path: "/", canary: { service: "hoge", percent: 100 } }] }),
    [/canary\.percent/, /at most 99/],
  ],
  [
    "a version by nothing",
    hoge({ routes: [{ path: "/", versions: [{ value: "v2", service: "hoge" }] }] }),
    [/exactly one of header and cookie/],
  ],
  [
    "names that may be found, too many for nginx",
    {
      ...valid,
      proxy: { wildcards: { path: { allow: Array.from({ length: 100 }, (_, index) => `n${index}`.padEnd(40, "x")) } } },
    },
    [/wildcards\.path\.allow/, /at most 3500 characters together/],
  ],
  [
    "a header that would break out of its directive",
    hoge({ routeDefaults: { responseHeaders: { "X-A": 'a"; }' } } }),
    [/routeDefaults\.responseHeaders\.X-A/],
  ],
  [
    "a redirect to nowhere",
    { ...valid, proxy: { redirects: [{ path: "/old/", to: "ftp://x" }] } },
    [/proxy\.redirects\[0\]\.to/, /must be a path such as/],
  ],
  [
    "a redirect with a status that is none",
    { ...valid, proxy: { redirects: [{ path: "/old/", to: "/new/", status: 303 }] } },
    [/301, 302, 307 or 308/],
  ],
  [
    "a redirect in a route's place",
    { ...valid, proxy: { redirects: [{ path: "/hoge/", to: "/new/" }] } },
    [/proxy\.redirects\[0\]/, /already the route .*services\.hoge\.routes\[0\]/],
  ],
  [
    "a wildcard for every service",
    { ...valid, proxy: { wildcards: { path: { allow: ["*"] } } } },
    [/wildcards\.path\.allow\[0\]/, /such as preview-\*/],
  ],
  [
    "a wildcard that takes in the proxy",
    { ...valid, proxy: { wildcards: { subdomain: { allow: ["ng*"] } } } },
    [/must not take in nginx-proxy/],
  ],
  [
    "wildcards that lead past a service's routes to its pods",
    { ...valid, proxy: { wildcards: { path: { allow: ["pods-hoge", "pods-*", "po*", "pod"] } } } },
    [/allow\[0\]\s+.*must not take in pods-…/, /allow\[1\]\s+.*pods-…/, /allow\[2\]\s+.*pods-…/, /3 problems/],
  ],
  [
    "a wildcard without a list",
    { ...valid, proxy: { wildcards: { subdomain: { allow: [] } } } },
    [/wildcards\.subdomain\.allow/],
  ],
  [
    "a trusted range that is none",
    { ...valid, edge: { ...valid.edge, trustedProxies: ["10.0.0.0/99"] } },
    [/trustedProxies\[0\]/],
  ],
];

for (const [what, config, patterns] of refused) {
  test(`refused: ${what}`, () => {
    const message = refusal(config);
    for (const pattern of patterns) assert.match(message, pattern);
    assert.match(message, /nothing was changed/);
    assert.doesNotMatch(message, /hidden-value/);
  });
}

test("refused: two routes for one place; a path with a slash at its end is another place than without", () => {
  const other = (...routes: object[]) => ({
    ...valid,
    services: { ...valid.services, web: { image: "a/web:1", routes } },
  });
  assert.match(refusal(other({ path: "/hoge/" })), /\/hoge\/ is already the route [\w-]+:services\.hoge\.routes\[0\]/);
  assert.match(refusal(other({ path: "/a" }, { path: "/a" })), /\/a is already the route .*web\.routes\[0\]/);
  assert.match(refusal(other({ host: "hoge.shop.example.com" })), /already the route/);
  const redirects = ["/old/", "/old"].map((path) => ({ path, to: "/hoge/" }));
  const taken = { ...other({ path: "/hoge/more/" }, { path: "/hoge" }), proxy: { redirects } };
  checkConfig(raw(taken), "test", projectDir);
});

test("refused: keys under a namespace that is nobody's", () => {
  assert.match(
    refusal(valid, { [`${project}x:donain`]: "x" }),
    new RegExp(`${project}x:donain[^]*did you mean "${project}"\\?`),
  );
  assert.doesNotMatch(refusal({ ...valid, domain: "x" }, { "gcp:userProjectOverride": "true" }), /userProjectOverride/);
});

test("refused: Google settings that no preview catches", () => {
  const gke = {
    ...valid,
    cluster: { kind: "gke", nodePools: { main: { minPerZone: 3, maxPerZone: 1 } }, network: { nodes: "10.0.0.1/20" } },
    registry: { kind: "artifact-registry" },
  };
  const message = refusal(gke, { "gcp:project": "A_B" });
  for (const part of [
    /"A_B" is not a Google Cloud project/,
    /gcp:region[^]*is missing/,
    /3 is more than maxPerZone, which is 1/,
    /cluster\.network/,
  ])
    assert.match(message, part);
});

test("all problems are reported at once, each on its own key", () => {
  const message = refusal({
    ...valid,
    domain: "x",
    namespce: "y",
    tls: { mode: "z" },
    services: { a: { image: "b" } },
  });
  assert.match(message, /^4 problems/);
});

test("no value, whatever its type, makes anything but a refusal or a config", () => {
  const anything = fc.oneof(fc.jsonValue(), fc.string({ unit: "grapheme" }));
  const keys = fc.constantFrom(
    "domain",
    "namespace",
    "cluster",
    "edge",
    "tls",
    "registry",
    "proxy",
    "services",
    "secrets",
    "rolloutSeconds",
  );
  fc.assert(
    fc.property(fc.dictionary(keys, anything), (changes) => {
      try {
        checkConfig(raw({ ...valid, ...changes }), "test", projectDir);
      } catch (error) {
        assert.ok(pulumi.RunError.isInstance(error), String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test("the nearest spelling is offered only when it is near", () => {
  assert.equal(nearest("imgae", ["image", "build"]), "image");
  assert.equal(nearest("banana", ["image", "build"]), undefined);
});
