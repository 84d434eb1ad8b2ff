/** Stack configs as nobody should write them: a good one, with up to three things in it changed for something hostile. */
import fc from "fast-check";

export type Config = Record<string, unknown>;
type Path = readonly (string | number)[];

/** A config as it was generated, and what was done to it. */
export interface Hostile {
  readonly config: Config;
  /** Empty where nothing was changed: the config is one that ought to be taken. */
  readonly changes: readonly string[];
}

const letters = "abcdefghijklmnopqrstuvwxyz".split("");
const inLabels = [...letters, ..."0123456789-".split("")];
const text = (characters: readonly string[], minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { minLength, maxLength }).map((each) => each.join(""));
/** A DNS label of up to 40 characters: the longest that is allowed is as likely as any other. */
const label = fc
  .tuple(
    fc.constantFrom(...letters),
    fc.oneof(text(inLabels, 0, 12), text(inLabels, 38, 38)),
    fc.constantFrom(...letters),
  )
  .map((parts) => parts.join(""))
  .filter((name) => name !== "default" && name !== "nginx-proxy" && !/^(kube|pods)-/.test(name));
const segment = text([...inLabels, ".", "_", "~"], 1, 12).filter((name) => name !== "." && name !== "..");
const path = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, isPrefix]) => `/${segments.join("/")}${isPrefix ? "/" : ""}`);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const seconds = fc.integer({ min: 1, max: 25 });
/** Whatever Kubernetes takes as it is: not the characters that its YAML knows no way to write. */

const anyText = fc.string({ unit: "binary" }).filter((value) => !/[\0\x7f-\x9f\ufffe\uffff]/.test(value));
const headerText = text([...inLabels, " ", ";", ":", "=", "'", "(", ")", "%"], 1, 40);

const requestSettings = {
  timeoutSeconds: maybe(seconds),
  maxBodyMb: maybe(fc.constantFrom(1, 512)),
  buffering: maybe(fc.boolean()),
  limit: maybe(
    fc.record({
      requestsPerSecond: fc.constantFrom(1, 50, 1_000_000),
      burst: fc.constantFrom(0, 100_000),
      connections: fc.constantFrom(1, 65_535),
    }),
  ),
  responseHeaders: maybe(fc.dictionary(text(inLabels.slice(0, 26), 1, 20), headerText, { maxKeys: 3 })),
};

const cpu = fc.constantFrom("1m", "100m", "1", "0.5", "1.5m");
const memory = fc.constantFrom("1", "32Mi", "1Gi", "1G", "512k");
const route = fc.record({ path, host: maybe(label), keepPrefix: fc.constant(false), ...requestSettings });
const service = fc.record({
  image: fc.constantFrom("registry.example.com/hoge:1.4.2", `a/b@sha256:${"0".repeat(64)}`, "localhost:5000/x/y:v"),
  port: fc.constantFrom(1024, 8080, 65535),
  replicas: fc.constantFrom(1, 2, 100),
  healthPath: path,
  routes: fc.uniqueArray(route, {
    maxLength: 4,
    selector: ({ host, path: where }) => `${host ?? ""}${where.replace(/\/$/, "")}`,
  }),
  env: fc.dictionary(
    text(["A", "B", "_", "1"], 1, 30).filter((name) => !/^\d/.test(name)),
    fc.oneof(fc.string(), anyText, fc.integer(), fc.boolean(), fc.constant("x".repeat(10_000))),
    { maxKeys: 4 },
  ),
  resources: maybe(fc.record({ cpu, memory })),
});

/** Configs that ought to be taken, at the limits as often as within them. */
const good: fc.Arbitrary<Config> = fc
  .record({
    domain: fc.tuple(label, label).map(([a, b]) => `${a}.${b}.example`),
    namespace: maybe(label),
    rolloutSeconds: maybe(fc.constantFrom(10, 180, 3600)),
    cluster: fc.constant({ kind: "existing", context: "somewhere" }),
    registry: fc.constant({ kind: "node" }),
    edge: fc.constantFrom<Config>(
      { kind: "ingress", className: "contour", trustedProxies: ["10.0.0.0/8", "::1/128"] },
      { kind: "gateway", className: "contour", trustedProxies: [] },
    ),
    tls: fc.constantFrom<Config>({ mode: "none" }, { mode: "self-signed", hsts: { days: 3650 } }),
    proxy: fc.record({
      replicas: fc.constantFrom(1, 100),
      resolver: fc.constantFrom("10.96.0.10", "kube-dns.kube-system.svc.cluster.local"),
      redirects: fc.constantFrom([], [{ host: "old", path: "/a/", to: "https://www.example.com/b/" }]),
      wildcards: fc.constantFrom({}, { subdomain: { allow: ["preview-*"] }, path: { allow: ["docs"], port: 65535 } }),
    }),
    services: fc.dictionary(label, service, { minKeys: 1, maxKeys: 4 }),
  })
  // Routes of different services that contradict each other are not what is looked for here: paths begin with the service.
  .map(({ services, ...rest }) => ({
    ...rest,
    services: Object.fromEntries(
      Object.entries(services).map(([name, { routes, ...more }]) => [
        name,
        { ...more, routes: routes.map((each) => ({ ...each, path: `/${name}${each.path}` })) },
      ]),
    ),
  }))
  .map((config) => JSON.parse(JSON.stringify(config)) as Config);

const huge = "9".repeat(400);
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1), "": [nested(0)] });
/** Text that would mean something to nginx, YAML, a shell, Kubernetes or JavaScript. */
const words = [
  ..."{ } ; $ # \" ' \\ ` \0 \n \r \t * % & | < > ! .. // ../ ~ \u202e \ufeff \u007f \u0085 \u009b \uffff \ud800 é 日本 🦊".split(
    " ",
  ),
  "x; } server { listen 9999; }",
  "/a/;return 200",
  "$host",
  "${HOME}",
  "$(reboot)",
  "a\nmap $x $y { default 1; }",
  '"; include /etc/passwd; "',
  "{{ .Values.x }}",
  "&a [*a, *a]",
  "!!js/function 'x'",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "default",
  "kube-system",
  "localhost",
  "127.0.0.1",
  "0.0.0.0/0",
  "-",
  "-a",
  "a-",
  "A",
  "a".repeat(63),
  "a".repeat(64),
  "a".repeat(254),
  `/${"a".repeat(5000)}`,
  "a.".repeat(200),
  huge,
  "x".repeat(100_000),
  "",
  " ",
  "/",
  "/../",
  "/%2e%2e/",
  "nginx:latest",
  "nginx",
  "1e999",
  "0x10",
  "1Ei",
  "99999999999Gi",
  "0",
  "-1m",
];
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...words),
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 65536, 2 ** 31, 2 ** 53, 1e308, [], {}, [[]], [null], [{}]),
  fc.constantFrom<unknown>(
    nested(200),
    Array.from({ length: 3000 }, () => "a"),
    { a: huge, [huge]: 1 },
  ),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.string({ maxLength: 30 }),
  fc.json().map((value) => JSON.parse(value) as unknown),
);

/** What is done at a place that `where` chooses. */
type Change = (config: Config, where: number) => string;

function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    return [here, ...places(item, here)];
  });
}

/** The object that holds a place, and the place's name in it. */
function holder(config: Config, path: Path): [Record<string | number, unknown>, string | number] {
  let object: unknown = config;
  for (const key of path.slice(0, -1)) object = (object as Record<string | number, unknown>)[key];
  return [object as Record<string | number, unknown>, path.at(-1) ?? ""];
}

const at =
  (kind: string, act: (object: Record<string | number, unknown>, key: string | number) => void): Change =>
  (config, where) => {
    const all = places(config);
    const path = all[where % all.length] ?? [];
    act(...holder(config, path));
    return `${kind} ${path.join(".").slice(0, 200)}`;
  };
/** As an own property, whatever the name: `__proto__` too. */
const put = (object: object, key: string | number, value: unknown) =>
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: hostileValue.map((value) => at("replace", (object, key) => put(object, key, structuredClone(value)))),
  },
  { weight: 1, arbitrary: fc.constant(at("remove", (object, key) => Reflect.deleteProperty(object, key))) },
  {
    weight: 2,
    arbitrary: fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 20 })).map((name) =>
      at("rename", (object, key) => {
        if (Array.isArray(object)) return;
        const value = object[key];
        Reflect.deleteProperty(object, key);
        put(object, name, value);
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      at("repeat", (object) => {
        if (Array.isArray(object)) object.push(...(object as unknown[]));
        else for (const [name, value] of Object.entries(object)) put(object, `${name}-2`, value);
      }),
    ),
  },
);

/** About half are as they should be; no more than some of the changed ones are still good. */
export const hostileConfigs: fc.Arbitrary<Hostile> = fc
  .tuple(
    good,
    fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 6, arbitrary: fc.array(fc.tuple(change, fc.nat()), { minLength: 1, maxLength: 3 }) },
    ),
  )
  .map(([config, changes]) => {
    const copy = structuredClone(config);
    return { changes: changes.map(([apply, where]) => apply(copy, where)), config: copy };
  });
