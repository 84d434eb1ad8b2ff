/** Mistakes in a config, one row each, with the expected messages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { project } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

type Case = [string, Record<string, unknown>, RegExp[]];
const refused: Case[] = [
  ["an unknown key", { ...valid, servces: {} }, [/[\w-]+:servces/, /did you mean "services"\?/]],
  ["an unknown key deep inside", hoge({ replcas: 3 }), [/services\.hoge\.replcas/, /did you mean "replicas"\?/]],
  [
    "a key of routes at the service",
    hoge({ canary: { service: "hoge", percent: 10 } }),
    [/services\.hoge\.canary\n.*; move it to [\w-]+:services\.hoge\.routes\[0\]\.canary$/m],
  ],
  [
    "a key of the service in a route",
    hoge({ routes: [{ path: "/a/" }, { path: "/", health: "/readyz" }] }),
    [/routes\[1\].health\n.*; move it to [\w-]+:services\.hoge\.health$/m],
  ],
  [
    "a key of the service at the top",
    { ...valid, shutdownSeconds: 5 },
    [/:shutdownSeconds\n.*; move it to [\w-]+:services\.NAME\.shutdownSeconds$/m],
  ],
  [
    "a service at the top",
    { ...valid, notes: { image: "a/b:1" } },
    [/:notes\n.*; move it to [\w-]+:services\.notes$/m],
  ],
  [
    "a list of the edge at a route, which would close all others",
    hoge({ routes: [{ path: "/", allow: ["203.0.113.0/24"] }] }),
    [/routes\[0\]\.allow\n(?!.*move it).*; allowed: /],
  ],
  [
    "a key of routes in another list of the service",
    hoge({ egress: [{ cidr: "0.0.0.0/0", ports: [25], timeoutSeconds: 5 }] }),
    [/egress\[0\]\.timeoutSeconds\n(?!.*move it).*; allowed: /],
  ],
  [
    "a key of another kind of edge",
    { ...valid, edge: { ...valid.edge, timeoutSeconds: 60 } },
    [/edge\.timeoutSeconds\n(?!.*move it).*; it belongs to another kind or mode$/m],
  ],
  [
    "a path of Google's Ingress",
    hoge({ routes: [{ path: "/a/*" }] }),
    [/routes\[0\]\.path\n\s+"\/a\/\*" must not end with \*: a path that ends with \/ matches everything below it$/m],
  ],
  [
    "secrets without the name of a service",
    { ...valid, secrets: { API_KEY: "abc" } },
    [/:secrets\.API_KEY\n\s+\(secret\) must be a map of names, .* as in secrets\.hoge\.API_KEY$/m],
  ],
  [
    "an address for a range",
    hoge({ egress: [{ cidr: "203.0.113.7", ports: [443] }] }),
    [/egress\[0\]\.cidr\n.*; did you mean "203\.0\.113\.7\/32"\?$/m],
  ],
  [
    "an address for a range in a list",
    { ...valid, networkPolicies: { dns: ["2001:db8::1"] } },
    [/networkPolicies\.dns\[0\]\n.*; did you mean "2001:db8::1\/128"\?$/m],
  ],
  [
    "a switch in quotes",
    hoge({ routes: [{ path: "/a/", keepPrefix: "true" }] }),
    [/"true" must be true or false, without quotes/],
  ],
  [
    "text for a list, without a second problem",
    hoge({ calls: "a-long-name-of-a-service" }),
    [/services\.hoge\.calls\n {4}".*" must be a list/, /^(?!.*characters)/s],
  ],
  [
    "a redirect to itself",
    { ...valid, proxy: { redirects: [{ path: "/old/", to: "/old/" }] } },
    [/redirects\[0\]\.to\n\s+"\/old\/" leads back to the redirect's own path \/old\//],
  ],
  [
    "a redirect below itself",
    { ...valid, proxy: { redirects: [{ path: "/old/", to: "https://shop.example.com/old/new/" }] } },
    [/leads back/],
  ],
  [
    "a gRPC path of no method",
    hoge({ routes: [{ path: "/shop.v1.Orders", protocol: "grpc" }] }),
    [/routes\[0\]\.path\n\s+"\/shop\.v1\.Orders" is the path of no method.*, as in \/shop\.v1\.Orders\/$/m],
  ],
  [
    "a misplaced key whose value its place would not take",
    hoge({ canary: 10 }),
    [/services\.hoge\.canary\n(?!.*move it).*; allowed: /],
  ],
  ["a fraction", hoge({ replicas: 2.5 }), [/replicas\n\s+2\.5 must be a whole number from 1 to /]],
  [
    "a burst without a rate",
    hoge({ routes: [{ path: "/", limit: { burst: 5 } }] }),
    [
      /routes\[0\]\.limit\n\s+\{ burst: 5 \} must have requestsPerSecond where it has burst: a burst alone limits nothing/,
    ],
  ],
  [
    "a wrong type",
    hoge({ port: "80a" }),
    [/services\.hoge\.port/, /"80a" must be a port from 1 to 65535, or none for a worker/],
  ],
  ["a missing domain", { ...valid, domain: undefined }, [/[\w-]+:domain/, /is missing/]],
  ["a domain without a dot", { ...valid, domain: "shop" }, [/"shop" must be a lower-case DNS name/]],
  [
    "an image without a tag",
    hoge({ image: "registry.example.com:5000/hoge" }),
    [/services\.hoge\.image/, /must have a tag or a digest/],
  ],
  [
    "a short digest, without a second problem",
    hoge({ image: "registry.example.com/hoge@sha256:4f2a" }),
    [/services\.hoge\.image\n.* must have sha256: and 64 hexadecimal digits behind @/, /^1 problem/],
  ],
  ["the tag latest", hoge({ image: "registry.example.com/hoge:latest" }), [/must not use the tag latest/]],
  ["image and build together", hoge({ build: { context: "./services/sample" } }), [/exactly one of image and build/]],
  [
    "a context without a Dockerfile",
    hoge({ image: undefined, build: { context: "./docs" } }),
    [/services\.hoge\.build\.context/, /no Dockerfile/],
  ],
  [
    "a service name that is not a DNS label",
    { ...valid, services: { Hoge_1: valid.services.hoge } },
    [/Hoge_1/, /must be a DNS label/],
  ],
  ["the proxy's own name", { ...valid, services: { "nginx-proxy": valid.services.hoge } }, [/must not be nginx-proxy/]],
  [
    "a name with the prefix of headless Services",
    { ...valid, services: { "pods-x": valid.services.hoge } },
    [/must not start with pods-/],
  ],
  ["port 0", hoge({ port: 0 }), [/0 must be at least 1/]],
  [
    "an unknown mode",
    { ...valid, tls: { mode: "self-singed" } },
    [/tls\.mode/, /allowed: none, managed, self-signed, supplied; did you mean "self-signed"\?/],
  ],
  ["a path with dots", hoge({ routes: [{ path: "/a/../b/" }] }), [/routes\[0\]\.path/, /\.\. segments/]],
  ["a path that would break out of its directive", hoge({ routes: [{ path: '/a/;}{ "' }] }), [/routes\[0\]\.path/]],
  ["a route without path and host", hoge({ routes: [{}] }), [/routes\[0\]/, /must have a path, a host or both/]],
  ["a route by address", hoge({ routes: [{ host: "127.0.0.1" }] }), [/routes\[0\]\.host/, /not an address/]],
  [
    "keepPrefix without a prefix",
    hoge({ routes: [{ path: "/", keepPrefix: true }] }),
    [/routes\[0\]\.keepPrefix\n\s+true has no effect on the path \//],
  ],
  ["a reserved namespace", { ...valid, namespace: "kube-system" }, [/must not be default or kube-/]],
  ["gce without gke", { ...valid, edge: { kind: "gce" } }, [/edge\.kind/, /needs cluster\.kind gke/]],
  [
    "a registry without push access",
    { ...hoge({ image: undefined, build: { context: "./services/sample" } }), registry: { kind: "artifact-registry" } },
    [/needs a registry/],
  ],
  [
    "supplied without a certificate",
    { ...valid, tls: { mode: "supplied" } },
    [/tls\.mode\n\s+"supplied" needs a certificate and its key/],
  ],
  [
    "a missing certificate file",
    { ...valid, tls: { mode: "supplied", certFile: "no.crt", keyFile: "no.key" } },
    [/certFile: no\.crt.* names a file that cannot be read/],
  ],
  [
    "a certificate for another mode",
    { ...valid, secrets: { tls: { crt: "a", key: "b" } } },
    [/secrets\.tls/, /only used with tls\.mode supplied/],
  ],
  [
    "a secret for an unknown service",
    { ...valid, secrets: { hog: { KEY: "hidden-value" } } },
    [/secrets\.hog/, /\(secret\) is for a service that does not exist; name one of the services: hoge/],
  ],
  [
    "a secret named like a property of JavaScript's objects",
    { ...valid, secrets: { constructor: { KEY: "hidden-value" } } },
    [/secrets\.constructor/, /\(secret\) is for a service that does not exist; name one of the services: hoge/],
  ],
  [
    "a secret that is also in env",
    { ...hoge({ env: { KEY: "a" } }), secrets: { hoge: { KEY: "hidden-value" } } },
    [/secrets\.hoge\.KEY/],
  ],
  [
    "an invalid protocol",
    hoge({ routes: [{ path: "/", protocol: "gprc" }] }),
    [/routes\[0\]\.protocol\n\s+"gprc" .*http.*grpc/],
  ],
  [
    "the name of the proxy's Service for gRPC",
    { ...valid, services: { "nginx-proxy-grpc": valid.services.hoge } },
    [/must not be nginx-proxy or nginx-proxy-grpc/],
  ],
  [
    "a canary to an unknown service",
    hoge({ routes: [{ path: "/", canary: { service: "hogee", percent: 10 } }] }),
    [/routes\[0\]\.canary\.service/, /did you mean "hoge"\?/],
  ],
  [
    "a canary to itself",
    hoge({ routes: [{ path: "/", canary: { service: "hoge", percent: 10 } }] }),
    [/the route's own service/],
  ],
  [
    "a percentage of 100",
    hoge({ routes: [{ path: "/", canary: { service: "hoge", percent: 100 } }] }),
    [/canary\.percent/, /at most 99/],
  ],
  [
    "a version without header and cookie",
    hoge({ routes: [{ path: "/", versions: [{ value: "v2", service: "hoge" }] }] }),
    [/exactly one of header and cookie/],
  ],
  [
    "too many wildcard names for nginx",
    {
      ...valid,
      proxy: { wildcards: { path: { allow: Array.from({ length: 100 }, (_, index) => `n${index}`.padEnd(40, "x")) } } },
    },
    [/wildcards\.path\.allow/, /at most 3500 characters together/],
  ],
  [
    "a header of two lines",
    hoge({ routeDefaults: { responseHeaders: { "X-A": "a\r\nX-B: b" } } }),
    [/routeDefaults\.responseHeaders\.X-A/, /visible ASCII characters/],
  ],
  [
    "a cookie's value that no cookie can have",
    hoge({ routes: [{ path: "/", versions: [{ cookie: "version", value: 'a "b"', service: "hoge" }] }] }),
    [/versions\[0\]\.value/, /must be the value of a cookie/],
  ],
  ...[
    "Content-Length",
    "transfer-encoding",
    "Connection",
    "content-type",
    "ETag",
    "Trailer",
    "grpc-status",
    "Sec-WebSocket-Protocol",
    "Content-Digest",
  ].map((name): Case => [
    `the response header ${name}`,
    hoge({ routeDefaults: { responseHeaders: { [name]: "1" } } }),
    [new RegExp(`routeDefaults\\.responseHeaders\\.${name}\n.* must not be a header of the connection`)],
  ]),
  [
    "a redirect to an invalid target",
    { ...valid, proxy: { redirects: [{ path: "/old/", to: "ftp://x" }] } },
    [/proxy\.redirects\[0\]\.to/, /must be a path such as/],
  ],
  [
    "a redirect with an invalid status",
    { ...valid, proxy: { redirects: [{ path: "/old/", to: "/new/", status: 303 }] } },
    [/301, 302, 307 or 308/],
  ],
  [
    "a redirect with the path of a route",
    { ...valid, proxy: { redirects: [{ path: "/hoge/", to: "/new/" }] } },
    [/proxy\.redirects\[0\]/, /already the route .*services\.hoge\.routes\[0\]/],
  ],
  [
    "a wildcard for every service",
    { ...valid, proxy: { wildcards: { path: { allow: ["*"] } } } },
    [/wildcards\.path\.allow\[0\]/, /such as preview-\*/],
  ],
  [
    "a wildcard that matches the proxy",
    { ...valid, proxy: { wildcards: { subdomain: { allow: ["ng*"] } } } },
    [/must not take in nginx-proxy/],
  ],
  [
    "wildcards that match headless Services",
    { ...valid, proxy: { wildcards: { path: { allow: ["pods-hoge", "pods-*", "po*", "pod"] } } } },
    [/allow\[0\]\s+.*must not take in pods-…/, /allow\[1\]\s+.*pods-…/, /allow\[2\]\s+.*pods-…/, /3 problems/],
  ],
  [
    "a wildcard without a list",
    { ...valid, proxy: { wildcards: { subdomain: { allow: [] } } } },
    [/wildcards\.subdomain\.allow/],
  ],
  [
    "an invalid trusted range",
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

test("refused: two routes with the same host and path; a trailing slash makes a different path", () => {
  const other = (...routes: object[]) => ({
    ...valid,
    services: { ...valid.services, web: { image: "a/web:1", routes } },
  });
  assert.match(
    refusal(other({ path: "/hoge/" })),
    /"\/hoge\/" is already the route [\w-]+:services\.hoge\.routes\[0\]/,
  );
  assert.match(refusal(other({ path: "/a" }, { path: "/a" })), /"\/a" is already the route .*web\.routes\[0\]/);
  assert.match(refusal(other({ host: "hoge.shop.example.com" })), /already the route/);
  const redirects = ["/old/", "/old"].map((path) => ({ path, to: "/hoge/" }));
  const taken = { ...other({ path: "/hoge/more/" }, { path: "/hoge" }), proxy: { redirects } };
  checkConfig(raw(taken), "test", projectDir);
});

test("refused: keys under an unknown namespace", () => {
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

test("a key under another project's name is reported alone, not with what misses it", () => {
  const { services: _, ...rest } = valid;
  const message = refusal(
    { ...rest, secrets: { hoge: { A: "b" } } },
    { "shop:services": JSON.stringify(valid.services) },
  );
  assert.match(message, /^1 problem.*\n {2}shop:services\n/);
});

test("a redirect from everywhere to a path with a route of its own ends there", () => {
  const redirects = [
    { host: "old.example.com", to: "https://shop.example.com/" },
    { path: "/", to: "/hoge/" },
  ];
  checkConfig(raw({ ...valid, proxy: { redirects } }), "test", projectDir);
});

test("a route for the domain by name, and a version of another protocol, are warnings", () => {
  const warnings = (services: Record<string, unknown>) =>
    checkConfig(raw({ ...valid, services }), "test", projectDir).warnings;
  const image = "a/b:1";
  const web = { image, routes: [{ path: "/" }] };
  assert.deepEqual(warnings({ web, admin: { image, routes: [{ host: "shop.example.com", path: "/admin/" }] } }), [
    `${project}:services.admin.routes[0].host: shop.example.com is the domain, and with routes of its own it serves none of those without a host: ${project}:services.web.routes[0]; leave out this host, or give them the same`,
  ]);
  assert.deepEqual(warnings({ web, admin: { image, routes: [{ host: "admin", path: "/admin/" }] } }), []);
  const api = { image, routes: [{ path: "/shop.v1.Orders/", protocol: "grpc" }] };
  assert.deepEqual(
    warnings({ api, web: { image, routes: [{ path: "/", canary: { service: "api", percent: 10 } }] } }),
    [
      `${project}:services.web.routes[0].canary.service: api speaks grpc in all of its own routes, and this route is http; name a service that speaks http`,
    ],
  );
  assert.deepEqual(
    warnings({ api: { image }, web: { image, routes: [{ path: "/", canary: { service: "api", percent: 10 } }] } }),
    [],
  );
});
