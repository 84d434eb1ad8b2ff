/** Changes that keep a valid config valid: other values, optional keys, another order. */
import fc from "fast-check";
import { at, put, type Change } from "./keyPaths.ts";

/** By key path: values at the limits and within them. */
const values: readonly (readonly [RegExp, readonly unknown[]])[] = [
  [/^domain$/, ["a.b", `${"a".repeat(18)}.com`]],
  [/^rolloutSeconds$/, [10, 3600]],
  [/^proxy\.replicas$|^services\.[^.]+\.replicas$/, [1, 2, 100, { min: 1, max: 2 }]],
  [/^proxy\.resolver$/, ["127.0.0.53", "dns.example"]],
  [/^services\.[^.]+\.port$/, [1024, 65535]],
  [/^services\.[^.]+\.image$/, ["a:1", `registry.example.com:65535/a/b:${"v".repeat(128)}`]],
  [/^services\.[^.]+\.healthPath$/, ["/", `/${"a".repeat(199)}`]],
  [/^services\.[^.]+\.resources$/, [{ cpu: "0.125" }, { memory: "665Mi" }, {}]], // on Autopilot as well
  [/^services\.[^.]+\.env\.\w+$/, ["", 0, true, "\n", "日本 🦊", "*a", "{{ }}", "null", "1e3", -1.5]],
  [/^secrets\.[^.]+\.\w+$/, ["", "0", "'\"`$", "a: b", "~"]],
  [/^services\..*\.timeoutSeconds$/, [1, 25]],
  [/\.maxBodyMb$/, [1, 512]],
  [
    /\.limit$/,
    [{ requestsPerSecond: 1, burst: 0 }, { requestsPerSecond: 1_000_000, burst: 100_000 }, { connections: 1 }],
  ],
  [/\.responseHeaders$/, [{}, { ["A".repeat(64)]: "%".repeat(1000) }]],
  [/\.canary\.percent$/, [1, 99]],
  [/\.versions\.0\.value$/, ["a", "Z".repeat(64), "1.2-3_4"]],
  [/\.egress$/, [[], [{ cidr: "0.0.0.0/0", ports: [443] }], [{ cidr: "2001:db8::/32", ports: [1] }]]],
  [/^networkPolicies$/, [{}, { enabled: false }, { dns: ["0.0.0.0/0", "::/0"] }]],
];
const mayGo = new RegExp(
  [
    "^(namespace|rolloutSeconds|networkPolicies|dns|tls|proxy)$",
    "^proxy\\.\\w+$",
    "^secrets\\.(?!shared\\b)[^.]+(\\.\\w+)?$", // variables and files name the shared one
    "^services\\.[^.]+\\.(port|replicas|healthPath|health|env|resources|egress|roles|calls|routes)$",
    "^services\\.[^.]+\\.(command|args|servicePort|nodes|metrics|ports|sidecars|init|user|shutdownSeconds|rollout|release|labels|annotations)$",
    "^services\\.[^.]+\\.(timeZone|concurrency|deadlineSeconds|retries)$",
    "^services\\.[^.]+\\.(sidecars\\.s|init\\.0)(\\.(command|port|user|shares))?$", // sidecars and init share scratch and files
    "^services\\.[^.]+\\.env\\.(?!POD$|GIVEN$)\\w+$", // another one names these
    "^services\\.[^.]+\\.routes\\.\\d+$",
    "\\.routes\\.\\d+\\.(timeoutSeconds|maxBodyMb|buffering|limit|responseHeaders|canary|versions|keepPrefix)$",
  ].join("|"),
);
/** Optional keys of a service. */
const more: readonly (readonly [string, unknown])[] = [
  ["routeDefaults", { timeoutSeconds: 25, maxBodyMb: 512 }],
  ["routeDefaults", { limit: { connections: 65_535 }, responseHeaders: { "X-A": "b" } }],
  ["resources", { cpu: "0.05", memory: "54525952" }],
  ["replicas", 1],
  ["env", {}],
  ["calls", []],
];

/** Keys that a service with a schedule does not have: in the valid configs it is called `nightly`. */
const ofServers = ["routeDefaults", "replicas"];

const remove = (object: Record<string | number, unknown>, key: string | number) =>
  Array.isArray(object) ? object.splice(Number(key), 1) : Reflect.deleteProperty(object, key);

function reorder(object: Record<string | number, unknown>): void {
  if (Array.isArray(object)) {
    object.reverse();
    return;
  }
  for (const [key, value] of Object.entries(object).reverse()) {
    Reflect.deleteProperty(object, key);
    put(object, key, value);
  }
}

export const harmlessChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...values)
      .chain(([keyPath, allowed]) =>
        fc
          .constantFrom(...allowed)
          .map((value) => at("other value", (object, key) => put(object, key, structuredClone(value)), keyPath)),
      ),
  },
  { weight: 2, arbitrary: fc.constant(at("leave out", remove, mayGo)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...more)
      .map(([key, value]) =>
        at(
          `give ${key}`,
          (object, name) => put(object[name] as object, key, structuredClone(value)),
          ofServers.includes(key) ? /^services\.(?!nightly$)[^.]+$/ : /^services\.[^.]+$/,
        ),
      ),
  },
  { weight: 1, arbitrary: fc.constant(at("reorder", reorder)) },
);
