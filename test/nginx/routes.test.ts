/** The renderer as a pure function: its exact text, and the input that it refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isHostName, isRoutePath } from "../../nginx/routeChecks.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import { defaultTimeoutSeconds, type ProxyRoutes } from "../../nginx/model.ts";

const small: ProxyRoutes = {
  resolver: "kube-dns.kube-system.svc.cluster.local",
  client: { trustedProxies: ["35.191.0.0/16", "130.211.0.0/22"], entry: "second-to-last" },
  upstreams: [
    { service: "web", address: "web.shop.svc.cluster.local", port: 8080 },
    { service: "hoge", address: "hoge.shop.svc.cluster.local", port: 8081 },
  ],
  routes: [
    { service: "web", path: "/", keepPrefix: false },
    { service: "hoge", path: "/v1.0/", keepPrefix: false },
    { service: "hoge", host: "hoge.example.com", path: "/exact", keepPrefix: false },
  ],
};

/** The text from the line that starts with `from` to the end of that block. */
function block(text: string, from: string): string {
  const start = text.indexOf(from);
  assert.notEqual(start, -1, `no block ${from}`);
  return text.slice(start, text.indexOf("\n}\n", start) + 3);
}

test("a stack's text is readable nginx configuration", () => {
  const text = renderRoutes(small);
  assert.match(text, /^resolver kube-dns\.kube-system\.svc\.cluster\.local valid=5s ipv6=off;$/m);
  assert.match(text, /default 0;\n {4}130\.211\.0\.0\/22 1;\n {4}35\.191\.0\.0\/16 1;\n\}/);
  assert.equal(
    block(text, "upstream hoge"),
    `upstream hoge {
    zone hoge 256k;
    random two least_conn;
    server hoge.shop.svc.cluster.local:8081 resolve max_fails=0;
    keepalive 512;
    keepalive_timeout 4s;
    keepalive_time 60s;
}
`,
  );
  assert.ok(
    block(text, "server {").startsWith(String.raw`server {
    listen 8080 default_server;
    server_name _;
    limit_conn requests 878;
    limit_conn requests_of_client 439;
    limit_conn bodies_of_10m 102;
    limit_conn bodies_of_client 51;

    if ($has_dot_segment) {
        return 400 $answer_bad_path;
    }

    # hoge
    location = /v1.0 {
        return 308 /v1.0/$is_args$args;
    }
    location /v1.0/ {
        set $service hoge;
        set $stripped_prefix /v1.0;
        if ($request_uri !~ "^/v1\.0(?<below_prefix>/.*)$") {
            return 404 $answer_no_route;
        }
        proxy_pass http://hoge$below_prefix;
    }

    # web
    location / {
        set $service web;
        proxy_pass http://web;
    }
`),
    text,
  );
  assert.match(
    text,
    /server_name hoge\.example\.com;[^]*location = \/exact \{[^]*location \/ \{\n {8}return 404 \$answer_no_route;/,
  );
});

test("without a resolver, nginx reads the pod's name servers from a file that the entry point writes", () => {
  const text = renderRoutes({ ...small, resolver: undefined });
  assert.match(
    text,
    /^# The pod's own name servers, from its \/etc\/resolv\.conf\.\ninclude \/tmp\/resolver\.conf;\nresolver_timeout 1s;$/m,
  );
  assert.doesNotMatch(text, /^resolver /m);
});

test("the default timeout of a route is that of nginx.conf", () => {
  const main = readFileSync(join(import.meta.dirname, "../../nginx/nginx.conf"), "utf8");
  for (const directive of ["proxy_read_timeout", "proxy_send_timeout"])
    assert.match(main, new RegExp(`^ +${directive} ${defaultTimeoutSeconds}s;$`, "m"));
});

test("idle connections are kept for more than the load balancer's 600 s", () => {
  const main = readFileSync(join(import.meta.dirname, "../../nginx/nginx.conf"), "utf8");
  assert.match(main, /^ +keepalive_timeout 620s;$/m);
});

test("with many services nginx keeps fewer connections, because each takes memory", () => {
  const kept = (services: number) => {
    const names = Array.from({ length: services }, (_, index) => `s${index}`);
    const upstreams = names.map((service) => ({ service, address: "web.shop.svc", port: 80 }));
    return /keepalive (\d+);/.exec(renderRoutes({ ...small, upstreams, routes: [] }))?.[1];
  };
  assert.deepEqual([1, 64, 128, 512, 1000].map(kept), ["512", "512", "256", "64", "64"]);
});

test("networks have nginx's spelling, without duplicates", () => {
  const trustedProxies = ["1:2:3:4:5:6:7::/112", "2001:DB8:0::/32", "2001:db8::/32"];
  const text = renderRoutes({ ...small, client: { trustedProxies, entry: "last" } });
  assert.match(text, /default 0;\n {4}1:2:3:4:5:6:7:0\/112 1;\n {4}2001:db8::\/32 1;\n\}/);
});

test("an exact route replaces the redirect to the prefix", () => {
  const routes = [...small.routes, { service: "web", path: "/v1.0", keepPrefix: false }];
  const text = renderRoutes({ ...small, routes });
  assert.doesNotMatch(text, /308/);
  assert.equal(text.split("location = /v1.0 {").length, 2);
});

describe("contradictory input is refused", () => {
  const [web, hoge] = small.upstreams;
  const cases: [what: string, proxy: Partial<ProxyRoutes>, message: string][] = [
    [
      "a service without upstream",
      { upstreams: web === undefined ? [] : [web] },
      'service of a route (it has no upstream) for nginx: "hoge"',
    ],
    [
      "two upstreams of one name",
      { upstreams: [...small.upstreams, ...(hoge === undefined ? [] : [hoge])] },
      'More than one upstream for nginx: "hoge"',
    ],
    [
      "two routes of one path",
      { routes: [...small.routes, { service: "hoge", path: "/", keepPrefix: true }] },
      'More than one route for nginx: "/"',
    ],
    [
      "a port out of range",
      { upstreams: [{ service: "web", address: "web", port: 65536 }] },
      'service port for nginx: "65536"',
    ],
    ["half a port", { upstreams: [{ service: "web", address: "web", port: 80.5 }] }, 'service port for nginx: "80.5"'],
    [
      "a network without bits",
      { client: { trustedProxies: ["10.0.0.0"], entry: "last" } },
      'trusted network for nginx: "10.0.0.0"',
    ],
    [
      "a network of too many bits",
      { client: { trustedProxies: ["10.0.0.0/33"], entry: "last" } },
      'trusted network for nginx: "10.0.0.0/33"',
    ],
    ["a resolver with an invalid port", { resolver: "dns:0" }, 'resolver for nginx: "dns:0"'],
  ];
  for (const [what, proxy, message] of cases) {
    test(what, () => {
      assert.throws(
        () => renderRoutes({ ...small, ...proxy }),
        (error) => error instanceof Error && error.message.endsWith(message),
      );
    });
  }
});

test("valid and invalid paths and hosts", () => {
  for (const path of [
    "/",
    "/a",
    "/a/",
    "/a.b/~c_-/D9",
    `/${"x".repeat(254)}`,
    "/v1:predict",
    "/@user/",
    "/a+b;v=1,2/(x)*!$&'/",
    "/caf%C3%A9/",
    "/a%20b%22%7B",
  ])
    assert.ok(isRoutePath(path), path);
  const badPaths = [
    "",
    "a",
    "//",
    "/a//b",
    "/.",
    "/../a",
    "/a/..",
    "/a b",
    "/a%2F",
    "/a?b",
    "/a#b",
    "/é",
    "/a\n",
    "/a/..;x",
    "/%2e%2e/",
    "/%2E/",
    "/a%5Cb",
    "/a%00",
    "/%41",
    "/%c3%a9",
    "/%FF",
    "/a%2",
    "/a^",
    "/{a}",
    '/"',
    "/a\\",
  ];
  for (const path of [...badPaths, `/${"x".repeat(255)}`]) assert.ok(!isRoutePath(path), path);
  for (const host of ["localhost", "hoge.shop.localhost", "xn--bcher-kva.example", "1.example", "a".repeat(63)])
    assert.ok(isHostName(host), host);
  const badHosts = [
    "",
    "A.example",
    "a..b",
    ".a",
    "a.",
    "-a",
    "a-",
    "a_b",
    "*.a",
    "10.0.0.1",
    "a b",
    "a\n",
    "a;",
    "~a",
    "a".repeat(64),
  ];
  for (const host of [...badHosts, Array(64).fill("abc").join(".")]) assert.ok(!isHostName(host), host);
});
