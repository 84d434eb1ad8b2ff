/** Properties of every rendered text. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { syntaxProblem } from "../../tools/programs/nginx.ts";
import { fitsInto, isHostName, isMethodPath } from "../../nginx/routeChecks.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import { headerNames, type ProxyRoutes, type Redirect, type Route } from "../../nginx/model.ts";

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
/**
 * All lengths with equal probability: by default fast-check prefers short ones, but nginx's limits are about long ones.
 */
const chars = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet.split(/(?:)/)), minLength, maxLength, size: "max" });
const serviceName = fc
  .tuple(chars(lower, 1, 1), chars(`${lower}09-`, 0, 61), chars(`${lower}09`, 1, 1))
  .map((parts) => parts.join(""));
const hostName = fc.array(serviceName, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
/** All characters of a path in RFC 3986; others are encoded. Among them are those that nginx's config uses itself. */
const segment = chars(`${lower}ABYZ0189._~-:@+!$&'()*,;= "{}#%|^\`<>é`, 1, 12)
  .map((text) => encodeURIComponent(text).replaceAll(/%(?:3A|40|2B|24|26|2C|3B|3D)/g, decodeURIComponent))
  .filter((text) => !/^\.\.?(?:;|$)/.test(text));
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([parts, slash]) => `/${parts.join("/")}${slash && parts.length > 0 ? "/" : ""}`);
const network = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, bits]) => `${address}/${bits}`),
);

const hostPath = fc.record({ host: fc.option(hostName, { nil: undefined, freq: 2 }), path });
const count = (most: number) => fc.option(fc.integer({ min: 1, max: most }), { nil: undefined });
const word = chars(`${lower}ABC019._-!#$%&'()*+/:<=>?@[]^\`{|}~`, 1, 64);
const cookieName = chars(`${lower}AZ09_-!#$%&'*+.^\`|~`, 1, 62);
/** Visible ASCII, with blanks inside. */
const headerValue = chars(
  ` ${Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join("")}`,
  1,
  400,
)
  .map((text) => text.trim())
  .filter((text) => text !== "");
const settings = fc.record({
  timeoutSeconds: count(86_400),
  maxBodyMb: count(1000),
  maxResponseHeaderKb: fc.option(fc.integer({ min: 4, max: 64 }), { nil: undefined }),
  buffering: fc.option(fc.boolean(), { nil: undefined }),
  limit: fc.option(fc.record({ requestsPerSecond: count(1000), burst: count(100), connections: count(100) }), {
    nil: undefined,
  }),
  responseHeaders: fc.option(
    fc.dictionary(
      fc.oneof(
        chars(lower, 1, 62).map((name) => `X-${name}`),
        fc.constantFrom("X-Frame-Options", "strict-transport-security", "Content-Security-Policy"),
      ),
      headerValue,
      { maxKeys: 2 },
    ),
    { nil: undefined },
  ),
});
const versionsTo = (services: readonly string[]) =>
  fc.array(
    fc
      .tuple(fc.boolean(), chars(lower, 1, 62), cookieName, word, fc.constantFrom(...services))
      .map(([byHeader, name, cookie, value, service]) => ({
        ...(byHeader ? { header: `X-${name}` } : { cookie }),
        value,
        service,
      })),
    { maxLength: 3 },
  );
const target = fc.oneof(
  path,
  hostName.filter(isHostName).map((host) => `https://${host}`),
  fc.tuple(hostName.filter(isHostName), path).map(([host, path]) => `http://${host}:8443${path}`),
);
const pattern = fc
  .tuple(
    serviceName.filter((name) => name.length > 1 && name.length < 60),
    fc.boolean(),
  )
  .map(([name, isBeginning]) => (isBeginning ? `${name}*` : name));
const wildcard = fc.record({
  allow: fc
    .array(pattern, { minLength: 1, maxLength: 100, size: "max" })
    .map((names) => names.filter((_, index) => fitsInto(names.slice(0, index + 1)))),
  domain: hostName.filter(isHostName),
  suffix: fc.constant("shop.svc.cluster.local"),
  port: fc.integer({ min: 1, max: 65535 }),
  settings: fc.option(settings, { nil: undefined }),
});

/** Any valid set of routes, redirects and wildcards. */
const proxies: fc.Arbitrary<ProxyRoutes> = fc
  .uniqueArray(serviceName, { minLength: 1, maxLength: 5 })
  .chain((services) =>
    fc.record({
      resolver: fc.oneof(fc.constant(undefined), fc.constant("127.0.0.1:53"), fc.ipV4()),
      client: fc.record({
        trustedProxies: fc.uniqueArray(network, { maxLength: 4 }),
        entry: fc.constantFrom("last" as const, "second-to-last" as const),
      }),
      hsts: fc.option(fc.record({ seconds: fc.integer({ min: 1 }), includeSubdomains: fc.boolean() }), {
        nil: undefined,
      }),
      upstreams: fc
        .tuple(...services.map(() => fc.tuple(hostName, fc.integer({ min: 1, max: 65535 }))))
        .map((addresses) =>
          addresses.map(([address, port], index) => ({ service: services[index] ?? "", address, port })),
        ),
      hostPaths: fc.uniqueArray(hostPath, { maxLength: 12, selector: ({ host, path }) => `${host ?? ""}${path}` }),
      routes: fc.array(
        fc.record({
          service: fc.constantFrom(...services),
          protocol: fc.constantFrom(undefined, "http" as const, "grpc" as const),
          keepPrefix: fc.boolean(),
          canary: fc.option(
            fc.record({ service: fc.constantFrom(...services), percent: fc.integer({ min: 1, max: 99 }) }),
            { nil: undefined },
          ),
          versions: fc.option(versionsTo(services), { nil: undefined }),
          maintenance: fc.option(fc.boolean(), { nil: undefined }),
          settings: fc.option(settings, { nil: undefined }),
        }),
        { minLength: 12, maxLength: 12 },
      ),
      redirects: fc.array(
        fc.record({ to: target, status: fc.constantFrom(301 as const, 302 as const, 307 as const, 308 as const) }),
        { maxLength: 4 },
      ),
      wildcards: fc.tuple(fc.option(wildcard), fc.option(wildcard)),
      memoryMb: count(2000),
      requestsPerClient: count(3000),
      headerNames: fc.constantFrom(undefined, ...headerNames),
    }),
  )
  // Each host and path has one route or redirect: two would conflict.
  .map(({ hostPaths, routes, redirects, wildcards: [bySubdomain, byPath], ...proxy }) => ({
    ...proxy,
    routes: hostPaths
      .slice(redirects.length)
      .map((where, index) => ({ ...where, ...routes[index] }) as Route)
      .map((route) => (isMethodPath(route.path) ? route : { ...route, protocol: undefined })),
    redirects: hostPaths
      .slice(0, redirects.length)
      .map((where, index) => ({ ...where, ...redirects[index] }) as Redirect),
    wildcards: [
      ...(bySubdomain ? [{ by: "subdomain" as const, ...bySubdomain }] : []),
      ...(byPath ? [{ by: "path" as const, ...byPath }] : []),
    ],
  }));

const unquoted = (parameter: string) =>
  parameter.startsWith('"') ? parameter.slice(1, -1).replaceAll(/\\([\\"])/g, "$1") : parameter;

/**
 * What nginx reads: the directives, each with the number of its parameters and of the variables in them. Blocks have
 * braces. Regular expressions and the paths of locations have no variables. https://nginx.org/en/docs/dev/development_guide.html#config_directives
 */
function structureOf(text: string): string[] {
  const tokens =
    text.match(/#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[;{}]|(?:[^\s;{}"'\\]|\\.|\$\{\w+\})+|\S/gs) ?? [];
  const structure: string[] = [];
  let words: string[] = [];
  for (const token of tokens.filter((each) => !each.startsWith("#")))
    if (!/^[;{}]$/.test(token)) words.push(token);
    else {
      // The path of a location has no variables.
      const names = (words[0] === "location" ? [] : words)
        .filter((word) => !/^"?[~^]/.test(word))
        .flatMap((word) => word.match(/\$\{?[A-Za-z_]\w*/g) ?? []);
      structure.push(
        `${/^"?[~^]/.test(words[0] ?? "") ? "~" : (words[0] ?? "")} ${words.length} ${names.filter((name) => name !== "${dollar").length} ${token}`,
      );
      words = [];
    }
  return structure;
}

/** Values of the same form that no config takes for something else. */
const harmlessLike = (value: string): string[] =>
  value.startsWith("/")
    ? [value === "/" ? "/" : value.endsWith("/") ? "/a/" : "/a"]
    : ["a", "X-A", "web", "10.0.0.0/8", "https://a.example", "127.0.0.1"];

function structures(render: () => string): string[][] {
  try {
    return [structureOf(render())];
  } catch {
    return [];
  }
}

describe("properties", () => {
  test("the order of the input does not matter", () => {
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

  test("each route has one location, in the server of its host and protocol, longer paths first", () => {
    fc.assert(
      fc.property(proxies, (proxy) => {
        const raw = new Map(proxy.routes.map(({ path }) => [decodeURIComponent(path), path]));
        const servers = renderRoutes(proxy)
          .split(/^server \{$/m)
          .slice(1);
        const found = servers.flatMap((server) => {
          const host = /server_name (\S+);/.exec(server)?.[1] ?? "";
          if (host === "" || host.startsWith('"~')) return []; // Any subdomain, or any of several: no own routes.
          const protocol = server.includes("listen 8443") ? "grpc" : "http";
          const locations = [
            ...server.matchAll(
              /location (?:= |\^~ )?(\/\S*|"(?:[^"\\]|\\.)*") \{\n\s+set \$service ([^$\s]+|\$to_)\S*;/g,
            ),
          ].map(([, path = "", service = ""]) => ({ path: raw.get(unquoted(path)) ?? "", service }));
          const lengths = locations.map(({ path }) => path.length);
          assert.deepEqual(
            lengths,
            lengths.toSorted((a, b) => b - a),
          );
          return locations.map(({ path, service }) => `${protocol} ${host}${path} ${service}`);
        });
        assert.deepEqual(
          found.sort(),
          proxy.routes
            .map(({ protocol = "http", host, path, service, canary, versions = [], maintenance }) => {
              const isChosen = maintenance !== true && (canary !== undefined || versions.length > 0);
              return `${protocol} ${host ?? "_"}${path} ${isChosen ? "$to_" : service}`;
            })
            .sort(),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("no injection: any value in any field is refused or has the safe form", () => {
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
    const fields: ((value: string) => ProxyRoutes)[] = [
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
    const route = small.routes[0] ?? assert.fail();
    const withRoute = (more: Partial<Route>) => ({ ...small, routes: [{ ...route, ...more }] });
    const byPath = { by: "path", allow: ["web"], domain: "a.example", suffix: "shop.svc", port: 80 } as const;
    fields.push(
      (value) => withRoute({ settings: { responseHeaders: { "X-A": value } } }),
      (name) => withRoute({ settings: { responseHeaders: { [name]: "a" } } }),
      (value) => withRoute({ versions: [{ header: "X-A", value, service: "web" }] }),
      (header) => withRoute({ versions: [{ header, value: "a", service: "web" }] }),
      (cookie) => withRoute({ versions: [{ cookie, value: "a", service: "web" }] }),
      (service) => withRoute({ canary: { service, percent: 5 } }),
      (to) => ({ ...small, redirects: [{ path: "/to/", to, status: 301 }] }),
      (path) => ({ ...small, redirects: [{ path, to: "/a/", status: 301 }] }),
      (allowed) => ({ ...small, wildcards: [{ ...byPath, allow: [allowed] }] }),
      (domain) => ({ ...small, wildcards: [{ ...byPath, domain }] }),
      (suffix) => ({ ...small, wildcards: [{ ...byPath, suffix }] }),
    );
    fc.assert(
      fc.property(hostile, fc.constantFrom(...fields), (value, field) => {
        try {
          renderRoutes(field(value));
        } catch (error) {
          assert.ok(error instanceof Error && error.message.startsWith("Not a valid "), String(error));
          return;
        }
        // The same directives and variables as with a harmless value of the same form.
        const harmless = harmlessLike(value).flatMap((each) => structures(() => renderRoutes(field(each))));
        // Sorted, because longer paths come first.
        assert.deepEqual(
          structureOf(renderRoutes(field(value))).toSorted(),
          harmless[0]?.toSorted(),
          JSON.stringify(value),
        );
      }),
      { numRuns: 5000 },
    );
  });

  test("a real nginx accepts the longest allowed values", async () => {
    const name = "s".repeat(63);
    const route = { service: name, path: "/", keepPrefix: false };
    const upstreams = [...small.upstreams, { service: name, address: "web.shop.svc.cluster.local", port: 80 }];
    const longest: Record<string, Partial<ProxyRoutes>> = {
      "a canary's service": { upstreams, routes: [{ ...route, canary: { service: "web", percent: 5 } }] },
      "a version's value": {
        upstreams,
        routes: [{ ...route, versions: [{ header: "X-V", value: "v".repeat(64), service: "web" }] }],
      },
      "names that may be found": {
        wildcards: (["subdomain", "path"] as const).map((by) => ({
          by,
          allow: Array.from({ length: 100 }, (_, index) => `n${index}`.padEnd(33, "x")),
          domain: Array(4).fill("d".repeat(62)).join("."),
          suffix: "shop.svc.cluster.local",
          port: 8080,
        })),
      },
    };
    for (const [what, more] of Object.entries(longest))
      assert.equal(await syntaxProblem(renderRoutes({ ...small, ...more })), undefined, what);
  });

  test("a real nginx accepts the text of every valid set of routes", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const samples = fc.sample(proxies, { numRuns: 400, seed }).values();
    // In parallel, because nearly all the time is spent in nginx processes.
    const check = async () => {
      for (const proxy of samples)
        assert.equal(await syntaxProblem(renderRoutes(proxy)), undefined, `seed ${seed}: ${JSON.stringify(proxy)}`);
    };
    await Promise.all(Array.from({ length: 4 }, check));
  });
});
