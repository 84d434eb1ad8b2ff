/** Stack configs as nobody should write them: a good one, with up to three things in it changed, for something hostile or not. */
import fc from "fast-check";
import { good } from "./goodConfigs.ts";
import { harmlessChange } from "./harmless.ts";
import { at, put, type Change, type Config } from "./keyPaths.ts";

/** A config as it was generated, and what was done to it. */
export interface Hostile {
  readonly config: Config;
  /** At least one. */
  readonly changes: readonly string[];
  /** Whether what it was changed to is as good as what it was: then it ought to be taken. */
  readonly isHarmless: boolean;
}

/** Google's project and region, for configs that are on Google. */
export const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };

/** Of a run that failed, to have it again. */
export const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

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

/** All are changed. Of those changed for something hostile few are still good, so two of five are changed harmlessly. */
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
