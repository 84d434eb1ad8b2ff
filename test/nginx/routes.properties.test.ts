/** What holds for every text that is rendered. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { renderRoutes, type ProxyRoutes, type Route } from "../../nginx/routes.ts";
import { checkSyntax } from "./realNginx.ts";

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

const lower = "abcdefghijklmnopqrstuvwxyz";
const chars = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet.split(/(?:)/)), minLength, maxLength });
const serviceName = fc
  .tuple(chars(lower, 1, 1), chars(`${lower}09-`, 0, 61), chars(`${lower}09`, 1, 1))
  .map((parts) => parts.join(""));
const hostName = fc.array(serviceName, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const segment = chars(`${lower}ABYZ0189._~-`, 1, 12).filter((text) => text !== "." && text !== "..");
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([parts, slash]) => `/${parts.join("/")}${slash && parts.length > 0 ? "/" : ""}`);
const network = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, bits]) => `${address}/${bits}`),
);

/** Any set of routes that is valid. */
const proxies: fc.Arbitrary<ProxyRoutes> = fc
  .uniqueArray(serviceName, { minLength: 1, maxLength: 5 })
  .chain((services) =>
    fc.record({
      resolver: fc.oneof(fc.constant("127.0.0.1:53"), fc.ipV4()),
      client: fc.record({
        trustedProxies: fc.uniqueArray(network, { maxLength: 4 }),
        entry: fc.constantFrom("last" as const, "second-to-last" as const),
      }),
      upstreams: fc
        .tuple(...services.map(() => fc.tuple(hostName, fc.integer({ min: 1, max: 65535 }))))
        .map((places) => places.map(([address, port], index) => ({ service: services[index] ?? "", address, port }))),
      routes: fc.uniqueArray(
        fc.record({
          service: fc.constantFrom(...services),
          host: fc.option(hostName, { nil: undefined, freq: 2 }),
          path,
          keepPrefix: fc.boolean(),
        }),
        { maxLength: 12, selector: (route) => `${route.host ?? ""}${route.path}` },
      ),
    }),
  )
  .map((proxy) => ({
    ...proxy,
    routes: proxy.routes.map(({ host, ...route }): Route => (host === undefined ? route : { ...route, host })),
  }));

describe("properties", () => {
  test("the order of what is given makes no difference", () => {
    const orders = proxies.chain((proxy) =>
      fc.record({
        proxy: fc.constant(proxy),
        routes: fc.shuffledSubarray([...proxy.routes], { minLength: proxy.routes.length }),
        upstreams: fc.shuffledSubarray([...proxy.upstreams], { minLength: proxy.upstreams.length }),
      }),
    );
    fc.assert(
      fc.property(orders, ({ proxy, routes, upstreams }) => {
        assert.equal(renderRoutes({ ...proxy, routes, upstreams }), renderRoutes(proxy));
      }),
      { numRuns: 1000 },
    );
  });

  test("each route has one location, in its host's server, longer paths first", () => {
    fc.assert(
      fc.property(proxies, (proxy) => {
        const servers = renderRoutes(proxy)
          .split(/^server \{$/m)
          .slice(1);
        const found = servers.flatMap((server) => {
          const host = /server_name (\S+);/.exec(server)?.[1] ?? "";
          const locations = [...server.matchAll(/location (?:= )?(\/\S*) \{\n\s+set \$service (\S+);/g)].map(
            ([, path = "", service = ""]) => ({ path, service }),
          );
          const lengths = locations.map(({ path }) => path.length);
          assert.deepEqual(
            lengths,
            lengths.toSorted((a, b) => b - a),
          );
          return locations.map(({ path, service }) => `${host}${path} ${service}`);
        });
        assert.deepEqual(
          found.sort(),
          proxy.routes.map(({ host, path, service }) => `${host ?? "_"}${path} ${service}`).sort(),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("no value breaks out: whatever is put into one place is refused, or is of the safe form", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .tuple(
          fc.constantFrom("/a", "web", "10.0.0.0/8"),
          fc.constantFrom(..." \t\n\r;{}\"'\\$#%*@()[]\0".split(/(?:)/)),
          fc.string(),
        )
        .map((parts) => parts.join("")),
    );
    const places: ((value: string) => ProxyRoutes)[] = [
      (resolver) => ({ ...small, resolver }),
      (value) => ({ ...small, client: { ...small.client, trustedProxies: [value] } }),
      (address) => ({ ...small, upstreams: small.upstreams.map((upstream) => ({ ...upstream, address })) }),
      (service) => ({
        ...small,
        upstreams: [{ service, address: "web", port: 80 }],
        routes: [{ service, path: "/", keepPrefix: false }],
      }),
      (path) => ({ ...small, routes: [{ service: "web", path, keepPrefix: false }] }),
      (host) => ({ ...small, routes: [{ service: "web", host, path: "/", keepPrefix: false }] }),
    ];
    fc.assert(
      fc.property(hostile, fc.constantFrom(...places), (value, place) => {
        try {
          renderRoutes(place(value));
        } catch (error) {
          assert.ok(error instanceof Error && error.message.startsWith("Not a valid "), String(error));
          return;
        }
        assert.match(value, /^[A-Za-z0-9._~:/-]+$/);
      }),
      { numRuns: 5000 },
    );
  });

  test("a real nginx takes the text of every valid set of routes", async () => {
    await fc.assert(
      fc.asyncProperty(proxies, async (proxy) => checkSyntax(renderRoutes(proxy))),
      { numRuns: 30, interruptAfterTimeLimit: 20_000, endOnFailure: true },
    );
  });
});
