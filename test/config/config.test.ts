/** The configs that are accepted, and properties of all refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { fullKey } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";
import { nearest } from "../../config/problems.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

test("a valid config is accepted, with its defaults", () => {
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
    files: {},
    scratch: {},
    sidecars: {},
    init: [],
    ports: {},
    shutdownSeconds: 40,
    rollout: "rolling",
    labels: {},
    annotations: {},
    resources: { cpu: "100m", memory: "128Mi" },
    roles: [],
    calls: [],
    egress: [],
  });
  assert.equal(settings.proxy.replicas, 3);
  assert.equal(settings.namespace, "apps");
  assert.deepEqual(settings.networkPolicies, { enabled: true, dns: [] });
});

test("the CLI's empty default of an unset object counts as unset", () => {
  const empty = { cluster: {}, edge: {}, tls: {}, registry: {}, proxy: {}, networkPolicies: {} };
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  const unset = { domain: valid.domain, services: valid.services };
  const { settings } = checkConfig(raw({ ...unset, ...empty }, google), "test", projectDir);
  assert.deepEqual(settings, checkConfig(raw(unset, google), "test", projectDir).settings);
  assert.equal(settings.registry.kind, "artifact-registry");
});

test("a route with a longer timeout than the load balancer is refused", () => {
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  const slow = (edge: object) => ({
    domain: valid.domain,
    edge: { kind: "gce", ...edge },
    services: { hoge: { ...valid.services.hoge, routes: [{ path: "/", timeoutSeconds: 60 }] } },
  });
  assert.match(
    refusal(slow({}), google),
    /services\.hoge\.routes\[0\]\.timeoutSeconds\n\s+60 is more than the 35 s .*; raise [\w-]+:edge\.timeoutSeconds to 65/,
  );
  checkConfig(raw(slow({ timeoutSeconds: 65 }), google), "test", projectDir);
  const byName = {
    ...slow({ timeoutSeconds: 65 }),
    proxy: { wildcards: { path: { allow: ["a"], timeoutSeconds: 61 } } },
  };
  assert.match(refusal(byName, google), /wildcards\.path\.timeoutSeconds\n\s+61 is more than the 60 s/);
});

test("a body that the proxy cannot buffer must be streamed", () => {
  const route = (settings: object, routeDefaults: object = {}) =>
    hoge({ routes: [{ path: "/", ...settings }], routeDefaults });
  assert.match(
    refusal(route({ maxBodyMb: 0 })),
    /services\.hoge\.routes\[0\]\.maxBodyMb\n\s+0 \(without limit\) is more than the 512 MiB .*; set buffering to false/,
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
      /[\w-]+:services\n\s+\(secret\) is encrypted, and only [\w-]+:secrets may be/.test(message) &&
      /2 problems/.test(message) &&
      /[\w-]+:domain\n\s+"no domain" must be/.test(message) &&
      !message.includes("canary"),
  );
  const allowed = { ...valid, secrets: { hoge: { TOKEN: "canary" } } };
  checkConfig(raw(allowed), "test", projectDir, [fullKey("secrets")]);
});

test("a stack name that is invalid at Google is refused before anything is created", () => {
  const onGoogle = { domain: valid.domain, services: valid.services };
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  assert.throws(
    () => checkConfig(raw(onGoogle, google), "Staging_2", projectDir),
    /cluster\.kind\n\s+"gke" cannot be named after the stack "Staging_2".*; give the stack a name of at most 24/,
  );
});

test("env accepts numbers and booleans, which `pulumi config set --path` stores", () => {
  const { settings } = checkConfig(raw(hoge({ env: { PORTS: 8080, VERBOSE: true, NAME: "x" } })), "test", projectDir);
  assert.deepEqual(settings.services["hoge"]?.env, { PORTS: "8080", VERBOSE: "true", NAME: "x" });
});

test("env accepts all text that Kubernetes keeps unchanged, including terminal colours", () => {
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

test("any value of any type gives either a refusal or a config", () => {
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

test("a spelling is suggested only if it is close", () => {
  assert.equal(nearest("imgae", ["image", "build"]), "image");
  assert.equal(nearest("banana", ["image", "build"]), undefined);
});

test("services and secrets may have names of JavaScript's own object properties", () => {
  const service = { image: "registry.example.com/apps/a:1", env: { LOG: "info" } };
  const names = { services: { constructor: service }, secrets: { constructor: { toString: "hidden-value" } } };
  const { settings } = checkConfig(raw({ ...valid, ...names }), "test", projectDir);
  assert.deepEqual(Object.keys(settings.services), ["constructor"]);
});
