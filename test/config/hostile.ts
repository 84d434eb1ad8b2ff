/** Malicious or harmless mutations of stack configs: a valid config with up to three changes. */
import fc from "fast-check";
import { good } from "./goodConfigs.ts";
import { harmlessChange } from "./harmless.ts";
import { at, put, type Change, type Config } from "./keyPaths.ts";

/** A generated config and its changes. */
export interface Hostile {
  readonly config: Config;
  /** At least one. */
  readonly changes: readonly string[];
  /** Whether all changes are harmless, so that the config must be accepted. */
  readonly isHarmless: boolean;
}

/** Google's project and region, for configs on Google. */
export const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };

/** Set SEED to repeat a failed run. */
export const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const huge = "9".repeat(400);
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1), "": [nested(0)] });
/** Text that is special to nginx, YAML, a shell, Kubernetes or JavaScript. */
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

const hostileChange: fc.Arbitrary<Change> = fc.oneof(
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

const some = (change: fc.Arbitrary<Change>) => fc.array(fc.tuple(change, fc.nat()), { minLength: 1, maxLength: 3 });

/** Every config is changed. Few malicious changes leave a config valid, so two of five are harmless. */
export const hostileConfigs: fc.Arbitrary<Hostile> = fc
  .tuple(
    good,
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ isHarmless: fc.constant(true), changes: some(harmlessChange) }) },
      { weight: 3, arbitrary: fc.record({ isHarmless: fc.constant(false), changes: some(hostileChange) }) },
    ),
  )
  .map(([config, { isHarmless, changes }]) => {
    const copy = structuredClone(config);
    return { isHarmless, changes: changes.map(([apply, where]) => apply(copy, where)), config: copy };
  });
