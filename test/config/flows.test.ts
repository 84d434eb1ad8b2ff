/** Allowed connections derived from the config: nothing beyond it is allowed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { networkPolicies } from "../../components/workloads/networkPolicies.ts";
import { checkConfig } from "../../config/config.ts";
import { networkFlows } from "../../config/flows.ts";
import { mayConnect, type End, type Pod, type Policy } from "../networkPolicy.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const onGke = { domain: valid.domain, services: valid.services, proxy: { image: "a/b:1" } };
const image = "registry.example.com/apps/a:1";

function policiesOf(config: Record<string, unknown>, base: Record<string, unknown> = valid): Policy[] {
  const { settings } = checkConfig(raw({ ...base, ...config }, google), "test", projectDir);
  const specs = networkPolicies(networkFlows(settings));
  return Object.values(specs).map((spec) => ({ metadata: { namespace: settings.namespace }, spec }));
}

const pod = (name: string, address?: string): Pod => ({
  namespace: "apps",
  labels: { "app.kubernetes.io/name": name },
  ...(address !== undefined && { address }),
});
const proxy = pod("nginx-proxy");
const internet = { address: "203.0.113.9" };

test("a call is allowed in one direction, to the called service's port", () => {
  const policies = policiesOf({
    services: { shop: { image, calls: ["stock"] }, stock: { image, port: 9000 }, till: { image } },
  });
  const reaches = (from: string, to: string, port: number) => mayConnect(policies, pod(from), pod(to), port);
  assert.ok(reaches("shop", "stock", 9000));
  assert.ok(!reaches("shop", "stock", 8080));
  assert.ok(!reaches("stock", "shop", 8080));
  assert.ok(!reaches("till", "stock", 9000));
  assert.ok(!reaches("nginx-proxy", "stock", 9000), "it has no route");
});

test("a service reaches the destinations and ports of its egress; others do not", () => {
  const egress = [
    { cidr: "10.1.0.0/16", ports: [5432, 6379] },
    { cidr: "0.0.0.0/0", ports: [443, 80] },
  ];
  const policies = policiesOf({ services: { shop: { image, egress }, till: { image } } });
  const reaches = (from: string, address: string, port: number) => mayConnect(policies, pod(from), { address }, port);
  assert.ok(reaches("shop", "10.1.2.3", 5432) && reaches("shop", "10.1.2.3", 6379) && reaches("shop", "8.8.8.8", 443));
  assert.ok(!reaches("shop", "10.2.0.1", 5432) && !reaches("shop", "8.8.8.8", 22));
  assert.ok(!reaches("shop", "169.254.169.254", 80), "not even the widest range includes the metadata server");
  assert.ok(!reaches("till", "10.1.2.3", 5432) && !reaches("till", "8.8.8.8", 443));
});

test("the proxy reaches canaries and versions, but no service without a route", () => {
  const routes = [
    { path: "/", canary: { service: "next", percent: 5 }, versions: [{ header: "X-V", value: "b", service: "beta" }] },
  ];
  const policies = policiesOf({
    services: { shop: { image, routes }, next: { image }, beta: { image, port: 9000 }, job: { image } },
  });
  for (const [name, port] of [
    ["shop", 8080],
    ["next", 8080],
    ["beta", 9000],
  ] as const)
    assert.ok(mayConnect(policies, proxy, pod(name), port), name);
  assert.ok(!mayConnect(policies, proxy, pod("job"), 8080));
});

test("a wildcard reaches matching services and foreign pods in the namespace, and no other service", () => {
  const policies = policiesOf({
    services: { "preview-a": { image, port: 9000 }, shop: { image, port: 9000 } },
    proxy: { wildcards: { path: { allow: ["preview-*"], port: 9000 } } },
  });
  assert.ok(mayConnect(policies, proxy, pod("preview-a"), 9000));
  assert.ok(mayConnect(policies, proxy, pod("made-elsewhere"), 9000));
  assert.ok(mayConnect(policies, proxy, { namespace: "apps", labels: {} }, 9000));
  assert.ok(!mayConnect(policies, proxy, pod("preview-a"), 8080));
  assert.ok(!mayConnect(policies, proxy, pod("shop"), 9000));
  assert.ok(!mayConnect(policies, proxy, proxy, 9000));
  assert.ok(!mayConnect(policies, pod("shop"), pod("preview-a"), 9000));
});

test("only trusted proxies reach the proxy; if the controller's addresses are unknown, everybody does", () => {
  const edge = (trustedProxies: string[]) => ({ edge: { kind: "ingress", className: "contour", trustedProxies } });
  const known = policiesOf(edge(["10.9.0.0/16", "2001:db8::/32"]));
  for (const address of ["10.9.1.1", "2001:db8::1"]) assert.ok(mayConnect(known, { address }, proxy, 8080), address);
  assert.ok(!mayConnect(known, internet, proxy, 8080));
  const unknown = policiesOf(edge([]));
  assert.ok(mayConnect(unknown, internet, proxy, 8080));
  for (const policies of [known, unknown]) assert.ok(!mayConnect(policies, internet, proxy, 8081), "its health");
});

test("Google's Gateway reaches the proxy as its Ingress does", () => {
  const policies = policiesOf({ edge: { kind: "gateway" } }, onGke);
  for (const port of [8080, 8081]) assert.ok(mayConnect(policies, { address: "35.191.9.9" }, proxy, port));
  assert.ok(!mayConnect(policies, internet, proxy, 8080));
  assert.ok(!mayConnect(policies, { namespace: "other", labels: {} }, proxy, 8080));
});

test("gRPC uses a separate port, which is closed without gRPC routes", () => {
  const withRoute = (protocol: string) =>
    policiesOf(
      { services: { shop: { image, port: 9000, routes: [{ host: "shop", path: "/a.B/", protocol }] } } },
      onGke,
    );
  const front = { address: "35.191.9.9" };
  const [grpc, http] = [withRoute("grpc"), withRoute("http")];
  assert.ok(mayConnect(grpc, front, proxy, 8443) && mayConnect(grpc, front, proxy, 8081));
  assert.ok(!mayConnect(http, front, proxy, 8443) && !mayConnect(grpc, internet, proxy, 8443));
  assert.ok(mayConnect(grpc, proxy, pod("shop"), 9000));
});

test("an unnamed scraper may be in any other namespace", () => {
  const policies = policiesOf({ proxy: { metrics: { scrape: "prometheus-operator" } } });
  assert.ok(mayConnect(policies, { namespace: "monitoring", labels: {} }, proxy, 9113));
  assert.ok(!mayConnect(policies, pod("hoge"), proxy, 9113));
  assert.ok(!mayConnect(policies, internet, proxy, 9113));
});

test("pods may query DNS at the configured addresses", () => {
  const policies = policiesOf({
    proxy: { resolver: "192.0.2.53" },
    networkPolicies: { dns: ["192.0.2.54/32"] },
  });
  for (const address of ["192.0.2.53", "192.0.2.54"])
    assert.ok(mayConnect(policies, proxy, { address }, 53, "UDP"), address);
  assert.ok(!mayConnect(policies, proxy, { address: "192.0.2.55" }, 53, "UDP"));
});

const names = ["a", "b", "c", "dns"] as const;
const servicesOf = fc.record(
  Object.fromEntries(
    names.map((name) => [
      name,
      fc.record({
        port: fc.constantFrom(8080, 9000),
        routed: fc.boolean(),
        calls: fc.subarray(names.filter((other) => other !== name)),
        roles: fc.constantFrom([], ["roles/pubsub.publisher"]),
        egress: fc.constantFrom([], [{ cidr: "0.0.0.0/0", ports: [443, 8080, 9000] }]),
      }),
    ]),
  ),
);
const wildcardOf = fc.option(
  fc.record({ allow: fc.subarray(["a", "dn*", "preview-*"], { minLength: 1 }), port: fc.constantFrom(8080, 9000) }),
);

test("property: only routes, callers and wildcards reach a service", () => {
  fc.assert(
    fc.property(servicesOf, wildcardOf, fc.boolean(), fc.boolean(), (services, wildcard, isGoogles, byAddress) => {
      const config = {
        services: Object.fromEntries(
          Object.entries(services).map(([name, { routed, roles, ...service }]) => [
            name,
            { image, ...service, roles: isGoogles ? roles : [], routes: routed ? [{ path: `/${name}/` }] : [] },
          ]),
        ),
        proxy: { image, wildcards: wildcard === null ? {} : { path: wildcard } },
      };
      const policies = policiesOf(config, isGoogles ? onGke : valid);
      const found = (name: string) =>
        wildcard?.allow.some((allow) => new RegExp(`^${allow.replace("*", ".*")}$`).test(name)) ?? false;
      const at = (index: number) => (byAddress ? `10.213.1.${index + 2}` : undefined);
      const own = [...names, "nginx-proxy"].map((name, index) => ({ name, end: pod(name, at(index)) }));
      const ends: { name: string; end: End }[] = [
        ...own,
        { name: "", end: { namespace: "other", labels: { "app.kubernetes.io/name": "nginx-proxy" } } },
        { name: "", end: internet },
        { name: "", end: { address: "35.191.0.1" } },
      ];
      for (const from of ends)
        for (const [index, to] of names.entries())
          for (const port of [8080, 9000, 8081, 443]) {
            const { routed = false, port: own } = services[to] ?? {};
            const stated =
              (from.name === "nginx-proxy" && routed && port === own) ||
              (from.name === "nginx-proxy" && found(to) && port === wildcard?.port) ||
              (services[from.name]?.calls.includes(to) === true && port === own);
            assert.equal(
              mayConnect(policies, from.end, pod(to, at(index)), port),
              stated,
              `${from.name} → ${to}:${port}`,
            );
          }
    }),
    { numRuns: 60 },
  );
});

for (const [config, message] of [
  [
    { hoge: { image, calls: ["hogee"] } },
    /services\.hoge\.calls\[0\]\n\s+"hogee" is not another service: there is none; remove it/,
  ],
  [{ a: { image, calls: ["bb"] }, b: { image } }, /services\.a\.calls\[0\]\n.*allowed: b; did you mean "b"\?/],
  [
    { a: { image, calls: ["a"] }, b: { image } },
    /services\.a\.calls\[0\]\n\s+"a" is the service itself, which needs no permission; remove it/,
  ],
  [{ a: { image, calls: ["b", "b"] }, b: { image } }, /services\.a\.calls\n.*must name each service once/],
  [
    { a: { image, egress: [{ cidr: "10.1.0.1/16", ports: [1] }] } },
    /egress\[0\]\.cidr\n\s+"10\.1\.0\.1\/16" must have no bits/,
  ],
  [
    { a: { image, egress: [{ cidr: "internet", ports: [1] }] } },
    /egress\[0\]\.cidr\n\s+"internet" must be an address range/,
  ],
  [{ a: { image, egress: [{ cidr: "10.1.0.0/16" }] } }, /egress\[0\]\.ports\n\s+is missing/],
  [
    { a: { image, egress: [{ cidr: "10.1.0.0/16", ports: [] }] } },
    /egress\[0\]\.ports\n.*at least one port, such as 443/,
  ],
  [{ a: { image, egress: [{ cidr: "10.1.0.0/16", ports: [70000] }] } }, /ports\[0\]\n\s+70000 must be at most 65535/],
  [
    { a: { image, egress: [{ cidr: "169.254.169.254/32", ports: [80] }] } },
    /egress\[0\]\.cidr\n.*must not be link-local: .* services with roles/,
  ],
] as const)
  test(`refused: ${JSON.stringify(config)}`, () => {
    assert.match(refusal({ ...valid, services: config }), message);
  });

test("refused: DNS by name instead of address", () => {
  const config = { ...valid, networkPolicies: { dns: ["kube-dns"], enabeld: false } };
  assert.match(refusal(config), /networkPolicies\.dns\[0\]\n\s+"kube-dns" must be an address range/);
  assert.match(refusal(config), /networkPolicies\.enabeld\n.*did you mean "enabled"\?/);
});
