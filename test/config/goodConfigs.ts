/** Valid stack configs, with values at the limits as often as within them. */
import fc from "fast-check";
import { isReservedHeader } from "../../nginx/routeChecks.ts";
import type { Config } from "./keyPaths.ts";

const letters = "abcdefghijklmnopqrstuvwxyz".split("");
const inLabels = [...letters, ..."0123456789-".split("")];
const text = (characters: readonly string[], minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { minLength, maxLength }).map((each) => each.join(""));
/** A DNS label of up to 40 characters: all lengths are equally likely. */
const shortLabel = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 8 }).map((all) => all.join(""));
const label = fc
  .tuple(
    fc.constantFrom(...letters),
    fc.oneof(text(inLabels, 0, 12), text(inLabels, 38, 38)),
    fc.constantFrom(...letters),
  )
  .map((parts) => parts.join(""))
  .filter((all) => all.slice(2, 4) !== "--") // These are kept for international names.
  .filter((name) => name !== "default" && name !== "nginx-proxy" && name !== "shared" && !/^(kube|pods)-/.test(name));
const segment = text([...inLabels, ".", "_", "~"], 1, 12).filter((name) => name !== "." && name !== "..");
const path = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, isPrefix]) => `/${segments.join("/")}${isPrefix ? "/" : ""}`);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const seconds = fc.integer({ min: 1, max: 25 });
/** All characters that Kubernetes keeps unchanged: not those that its YAML cannot represent. */
const anyText = fc.string({ unit: "binary" }).filter((value) => !/[\0\x7f-\x9f\ufffe\uffff]/.test(value));
const headerText = text([...inLabels, " ", ";", ":", "=", "'", '"', "\\", "$", "{", "}", "(", ")", "%"], 1, 40)
  .map((value) => value.trim())
  .filter((value) => value !== "");
const headerName = text(inLabels.slice(0, 26), 1, 20).filter((name) => !isReservedHeader(name));

const requestSettings = {
  protocol: maybe(fc.constantFrom("http", "grpc")),
  timeoutSeconds: maybe(seconds),
  maxBodyMb: maybe(fc.constantFrom(1, 512)),
  maxResponseHeaderKb: maybe(fc.constantFrom(4, 64)),
  buffering: maybe(fc.boolean()),
  limit: maybe(
    fc.record({
      requestsPerSecond: fc.constantFrom(1, 50, 1_000_000),
      burst: fc.constantFrom(0, 100_000),
      connections: fc.constantFrom(1, 65_535),
    }),
  ),
  responseHeaders: maybe(fc.dictionary(headerName, headerText, { maxKeys: 3 })),
};

/** All settings of requests at once, for routes by default and for services found by name. */
const allSettings = {
  timeoutSeconds: 25,
  maxBodyMb: 512,
  maxResponseHeaderKb: 64,
  limit: { requestsPerSecond: 50, burst: 10, connections: 100 },
  responseHeaders: { "X-Robots-Tag": "none" },
};

const cpu = fc.constantFrom("1m", "100m", "1", "0.5", "99.5", "0.001", "999999m");
const memory = fc.constantFrom("6Mi", "32Mi", "1Gi", "1G", "7000k", "999999999999");
/** Autopilot has limits for both together, and a pod must fit on a node. */
const onGoogle = [
  { cpu: "50m", memory: "52Mi" },
  { cpu: "1", memory: "1Gi" },
  { cpu: "0.1", memory: "665Mi" },
];
const route = fc.record({
  path,
  host: maybe(label),
  keepPrefix: fc.constant(false),
  maintenance: maybe(fc.boolean()),
  ...requestSettings,
});
/** References to other services and secrets: chosen here, and named once all services have names. */
const schedule = fc.record({
  schedule: fc.constantFrom("* * * * *", "*/5 0-6,22 1,15 jan-mar ?", "@daily", "0 3 29 2 *"),
  timeZone: maybe(fc.constantFrom("Asia/Tokyo", "America/Argentina/Buenos_Aires", "Etc/UTC")),
  concurrency: maybe(fc.constantFrom("forbid", "allow", "replace")),
  deadlineSeconds: maybe(fc.constantFrom(1, 604_800)),
  retries: maybe(fc.constantFrom(0, 10)),
});
const others = fc.record({
  schedule: maybe(schedule),
  calls: fc.boolean(),
  canary: maybe(fc.constantFrom(1, 99)),
  version: maybe(fc.constantFrom({ header: "X-Version", value: "2" }, { cookie: "v_1", value: "a".repeat(64) })),
  secrets: fc.dictionary(fc.constantFrom("SECRET", "_SECRET_2"), anyText, { maxKeys: 2 }),
  addresses: fc.boolean(),
  isLike: fc.boolean(),
});
const containerEnv = { A: "1", POD: { pod: "name" }, GIVEN: { secret: "SHARED" }, BOTH: { expand: "$(POD) $(GIVEN)" } };
/** Beside what a service has itself: its sidecars and init containers share these. */
const shared = {
  scratch: { "/shared": "1Mi" },
  files: { "/etc/shared.txt": { text: "shared" } },
};
/** What runs in the pods, beside the keys that are there from the beginning. */
const program = {
  command: maybe(fc.constantFrom(["/bin/app"], ["sh", "-c", "echo $(POD) $(date)"])),
  args: maybe(fc.array(anyText, { minLength: 1, maxLength: 3 })),
  servicePort: maybe(fc.constantFrom(1, 80)),
  ports: fc.constantFrom<Config>({}, { admin: 9090, m: 81 }),
  health: fc.constantFrom<unknown>(
    ...["/readyz?full=true", "grpc", "tcp", "none"],
    { path: "/readyz", headers: { "X-Health": "1" }, host: "shop.example.com", port: 9191, startSeconds: 10 },
    ...[{ grpc: "shop.v1.Orders" }, { tcp: true, port: 9090 }, { exec: ["pg_isready"], startSeconds: 5 }],
  ),
  scratch: fc.constantFrom<Config>(shared.scratch, {
    ...shared.scratch,
    "/app/tmp": "1Gi",
    "/cache": { size: "1Mi", memory: true },
  }),
  files: fc.constantFrom<Config>(shared.files, {
    ...shared.files,
    "/etc/app.yaml": { text: "a: 1\n" },
    "/keys/key": { secret: "SHARED" },
  }),
  sidecars: fc.constantFrom<Config>(
    {},
    {
      s: {
        image: "registry.example.com/sql-proxy:2",
        command: ["/proxy", "$(A)"],
        args: ["$(PORT)"],
        ...{ port: 5432, user: 2000, shares: ["/shared", "/etc/shared.txt"], env: containerEnv },
        health: { path: "/up", headers: { A: "b" }, host: "shop.example.com", port: 9191, startSeconds: 10 },
      },
      t: { args: ["side"], health: { grpc: "a.B", port: 9192 } },
    },
    {
      a: { image: "a/b:1", port: 1, health: { tcp: true } },
      b: { image: "a/b:1", health: { exec: ["true"] }, resources: { cpu: "50m", memory: "64Mi" } },
    },
  ),
  init: fc.constantFrom<readonly Config[]>(
    [],
    [
      { name: "f", args: ["before"], env: containerEnv, shares: ["/shared"], user: 1 },
      {
        name: "g",
        image: "a/b:1",
        command: ["/bin/true"],
        args: ["$(GIVEN)"],
        resources: { cpu: "0.05", memory: "64Mi" },
      },
    ],
  ),
  nodes: maybe(
    fc.constantFrom<Config>(
      { spot: true },
      { arch: "arm64", labels: { "example.com/disk": "fast" } },
      { gpu: { type: "nvidia-l4", count: 2 } },
    ),
  ),
  user: maybe(fc.constantFrom(1, 999)),
  shutdownSeconds: maybe(fc.constantFrom(1, 3600)),
  rollout: maybe(fc.constantFrom("rolling", "recreate")),
  release: maybe(fc.constantFrom<Config>({ args: ["migrate"] }, { command: ["/app/migrate"], timeoutSeconds: 86_400 })),
  labels: maybe(fc.constant({ team: "checkout" })),
  annotations: maybe(fc.constant({ "example.com/team": "checkout" })),
};
const sources = { POD: { pod: "name" }, GIVEN: { secret: "SHARED" }, BOTH: { expand: "$(POD) $(GIVEN)" } };
const service = fc.record({
  image: fc.constantFrom("registry.example.com/hoge:1.4.2", `a/b@sha256:${"0".repeat(64)}`, "localhost:5000/x/y:v"),
  port: fc.constantFrom(1024, 8080, 65535),
  replicas: fc.constantFrom<number | Config>(
    1,
    2,
    100,
    { min: 1, max: 2 },
    { min: 2, max: 100, cpu: 1000, memory: 100 },
  ),
  ...program,
  routes: fc.uniqueArray(route, {
    maxLength: 4,
    selector: ({ host, path: where }) => `${host ?? ""}${where.replace(/\/$/, "")}`,
  }),
  routeDefaults: maybe(fc.constantFrom<Config>({ protocol: "http", buffering: true, ...allSettings }, {})),
  env: fc.dictionary(
    text(["A", "B", "_", "1"], 1, 30).filter((name) => !/^\d/.test(name)),
    fc.oneof(fc.string(), anyText, fc.integer(), fc.boolean(), fc.constant("x".repeat(10_000))),
    { maxKeys: 4 },
  ),
  resources: maybe(fc.record({ cpu, memory })),
  egress: fc.constantFrom([], [{ cidr: "203.0.113.0/24", ports: [1, 65535] }]),
  roles: fc.constantFrom([], ["roles/pubsub.publisher"]),
  others,
});
type Service = typeof service extends fc.Arbitrary<infer T> ? T : never;

/** Settings that depend on the kind of cluster. */
const elsewhere = fc.record({
  cluster: fc.constant({ kind: "existing", context: "somewhere" }),
  registry: fc.constant({ kind: "node" }),
  edge: fc.constantFrom<Config>(
    { kind: "ingress", className: "contour", trustedProxies: ["10.0.0.0/8", "::1/128"] },
    {
      kind: "ingress",
      className: "traefik",
      trustedProxies: [],
      annotations: { "example.com/timeout": "60s" },
      grpcServiceAnnotations: { "example.com/protocol": "h2c" },
    },
    { kind: "gateway", className: "contour", trustedProxies: [] },
  ),
  tls: fc.constantFrom<Config>(
    { mode: "none" },
    { mode: "self-signed", redirectHttp: false, hsts: { days: 3650, includeSubdomains: true } },
  ),
  wildcard: fc.constant(false),
  metrics: fc.constantFrom<Config>({}, { scrape: "own" }, { scrape: "prometheus-operator", labels: { release: "x" } }),
});
const wholeCluster = {
  kind: "gke",
  network: { nodes: "10.0.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" },
  nodePools: {
    main: { machineType: "n4-standard-4", minPerZone: 0, maxPerZone: 6, diskType: "hyperdisk-balanced" },
    batch: {
      labels: { "example.com/for": "batch" },
      taints: [{ key: "example.com/for", value: "batch", effect: "NO_SCHEDULE" }],
    },
  },
  maintenance: {
    start: "2026-01-03T17:00:00Z",
    end: "2026-01-04T05:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
    exclusions: { sale: { start: "2026-11-20T00:00:00Z", end: "2026-12-01T00:00:00Z", scope: "NO_MINOR_UPGRADES" } },
  },
  encryptionKey: "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets",
  securityGroup: "gke-security-groups@example.com",
  binaryAuthorization: false,
  deletionProtection: false,
};
const google = fc.record({
  cluster: fc.constantFrom<Config>(
    { kind: "gke" },
    { kind: "gke", mode: "autopilot", releaseChannel: "RAPID" },
    { kind: "gke", zones: ["asia-northeast1-a"], nodePools: { main: { spot: true, diskGb: 2000 } } },
    { kind: "gke", endpoint: { kind: "ip", authorizedNetworks: { office: "203.0.113.0/24" } } },
    wholeCluster,
  ),
  registry: fc.constantFrom<Config>(
    { kind: "artifact-registry" },
    { kind: "artifact-registry", keep: 1, scan: false },
    { kind: "artifact-registry", immutableTags: true },
  ),
  edge: fc.constantFrom<Config>(
    { kind: "gce", timeoutSeconds: 86_400, armor: { rateLimit: { requests: 1, seconds: 3600 } } },
    { kind: "gce", iap: { enabled: false, members: ["group:developers@example.com"] } },
    { kind: "gce", iap: { members: ["group:developers@example.com"] } },
    { kind: "gateway", drainSeconds: 3600, cdn: { cacheMode: "CACHE_ALL_STATIC" } },
    { kind: "gateway", armor: { log4j: false, allow: ["203.0.113.0/24"] } },
  ),
  tls: fc.constantFrom<Config>(
    { mode: "managed" },
    { mode: "managed", fallback: "none", hsts: { days: 0 } },
    { mode: "self-signed" },
  ),
  /** One certificate for all labels, which Google issues for a Gateway alone. */
  wildcard: fc.boolean(),
  dns: fc.constantFrom<Config | undefined>(undefined, { create: true, wildcard: true }, { zone: "example-com" }),
  metrics: fc.constantFrom<Config>(
    {},
    { byService: true },
    { scrape: "none" },
    { image: "registry.example.com/apps/exporter:1", resources: { cpu: "50m", memory: "64Mi" } },
  ),
});

const everywhere = fc.record({
  // Short: with a host of 40 characters, as long as Google certifies.
  domain: fc.tuple(shortLabel, shortLabel).map(([a, b]) => `${a}.${b}.com`),
  namespace: maybe(label),
  rolloutSeconds: maybe(fc.constantFrom(10, 180, 3600)),
  networkPolicies: fc.constantFrom<Config>({}, { enabled: false }, { dns: ["10.0.0.0/8"] }),
  proxy: fc.record({
    image: maybe(fc.constant("registry.example.com/apps/nginx-proxy:1")),
    replicas: fc.constantFrom<number | Config>(1, 100, { min: 2, max: 4, cpu: 1, memory: 1 }),
    resources: maybe(fc.constant({ cpu: "500m", memory: "1Gi" })),
    requestsPerClient: maybe(fc.constantFrom(1, 3000)),
    headerNames: maybe(fc.constantFrom("hyphens", "underscores", "any")),
    resolver: fc.constantFrom("10.96.0.10", "kube-dns.kube-system.svc.cluster.local"),
    redirects: fc.constantFrom(
      [],
      [{ host: "old", path: "/a/", to: "https://www.example.com/b/" }],
      [{ host: "old", path: "/a/", to: "/b/", status: 301 }],
    ),
    wildcards: fc.constantFrom<Config>(
      {},
      { subdomain: { allow: ["preview-*"] }, path: { allow: ["docs"], port: 65535 } },
      {
        subdomain: { allow: ["preview-*"], port: 3000, buffering: false, ...allSettings },
        path: { allow: ["docs"], buffering: true, ...allSettings },
      },
    ),
  }),
  services: fc.dictionary(label, service, { minKeys: 1, maxKeys: 4 }),
});

export const good: fc.Arbitrary<Config> = fc
  .tuple(everywhere, fc.oneof(elsewhere, google))
  .map(([{ services, proxy, ...rest }, { metrics, wildcard, tls, ...place }]) => {
    const isGoogle = place.cluster["kind"] === "gke";
    // Google creates no wildcard certificate for an Ingress, and its load balancer takes 15 certificates.
    const isNarrow = place.edge["kind"] === "gce" && tls["mode"] === "managed";
    const isWide = wildcard && place.edge["kind"] === "gateway" && tls["mode"] === "managed";
    const names = Object.keys(services);
    const settings = Object.entries(services).map<readonly [string, Config]>(
      ([name, { others, routes, roles, health, env, sidecars, init, ...more }], index) => {
        const other = names.length > 1 ? names[(index + 1) % names.length] : undefined;
        const own = { replicas: more.replicas, routes: [] };
        const addresses: Config =
          other !== undefined && others.addresses
            ? { URL: { url: other }, ADDRESS: { service: other }, PODS: { pods: other } }
            : {};
        const withAddresses = (container: Config) => ({
          ...container,
          env: { ...(container["env"] as Config | undefined), ...addresses },
        });
        // Of the first one, which calls the second: a copy of it must not be one of the two.
        if (index >= 2 && others.isLike) return [name, { like: names[0], ...own }];
        return [
          name,
          {
            ...more,
            ...(index % 3 === 2 ? { healthPath: "/readyz" } : { health }),
            env: {
              ...env,
              ...(others.addresses && sources),
              ...addresses,
            },
            sidecars: Object.fromEntries(
              Object.entries(sidecars).map(([key, each]) => [key, withAddresses(each as Config)]),
            ),
            init: init.map(withAddresses),
            ...(isGoogle && metrics["scrape"] !== "none" && { metrics: { port: 9100, path: "/m" } }),
            // No pool has what they ask for.
            ...(isGoogle && !("mode" in place.cluster && place.cluster.mode === "autopilot") && { nodes: undefined }),
            ...(isGoogle && { roles, resources: onGoogle[index % onGoogle.length] }),
            ...(other !== undefined && others.calls && { calls: [other] }),
            routes: routes.slice(0, isNarrow ? 3 : 4).map((each) => routeOf(name, each, other, others)),
          },
        ] as const;
      },
    );
    const schedules = Object.values(services)
      .slice(0, 1)
      .flatMap(({ others }) =>
        others.schedule === undefined ? [] : [["nightly", { like: names[0], ...others.schedule }] as const],
      );
    const secrets = Object.entries(services).map(([name, { others }]) => [name, others.secrets] as const);
    const { subdomain: _, ...narrow } = proxy.wildcards;
    return {
      ...rest,
      ...place,
      tls: isWide ? { ...tls, wildcard } : tls,
      proxy: { ...proxy, metrics, wildcards: isNarrow ? narrow : proxy.wildcards },
      services: Object.fromEntries([...settings, ...schedules]),
      secrets: { ...Object.fromEntries(secrets), shared: { SHARED: "a shared secret" } },
    };
  })
  .map((config) => JSON.parse(JSON.stringify(config)) as Config);

type Others = Service["others"];
/** Avoids conflicts between routes of different services: each path starts with the service. */
function routeOf(
  name: string,
  { buffering, ...route }: Service["routes"][number],
  other: string | undefined,
  { canary, version }: Others,
) {
  return {
    ...route,
    path: `/${name}${route.path}`,
    ...(route.protocol !== "grpc" && { buffering }),
    ...(other !== undefined && {
      ...(canary !== undefined && { canary: { service: other, percent: canary } }),
      ...(version && { versions: [{ ...version, service: other }] }),
    }),
  };
}
