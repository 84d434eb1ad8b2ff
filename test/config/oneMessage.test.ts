/** One mistake has one message: what follows from it is not reported beside it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const image = "registry.example.com/hoge:1.4.2";
const stack = (services: Record<string, unknown>) => ({ ...valid, services });
const one = (more: Record<string, unknown>) => stack({ shop: { image, ...more } });

/** Each has the one problem that the pattern describes. */
const mistakes: readonly (readonly [what: string, config: Record<string, unknown>, problem: RegExp])[] = [
  [
    "like of no service, with keys that it would remove",
    stack({ shop: { image }, jobs: { like: "shpo", args: null, env: { A: null } } }),
    /jobs\.like\n\s+"shpo" is not another service; allowed: shop; did you mean "shop"\?/,
  ],
  [
    "like of no service, with variables of it",
    stack({ shop: { image, env: { A: "1" } }, jobs: { like: "shpo", image, env: { B: { expand: "$(A)" } } } }),
    /jobs\.like\n\s+"shpo" is not another service/,
  ],
  [
    "like of itself",
    stack({ shop: { image }, jobs: { like: "jobs", args: null } }),
    /jobs\.like\n\s+"jobs" is the service itself; name another: shop/,
  ],
  [
    "like of itself, alone",
    stack({ jobs: { like: "jobs", args: null } }),
    /jobs\.like\n\s+"jobs" is the service itself; remove it/,
  ],
  [
    "like of a like, with keys that it would remove",
    stack({ shop: { image, env: { A: "1" } }, jobs: { like: "shop" }, more: { like: "jobs", env: { A: null } } }),
    /more\.like\n\s+"jobs" takes its own keys from shop, .*; write shop/,
  ],
  [
    "two that are like each other",
    stack({ shop: { like: "jobs" }, jobs: { like: "shop", args: null } }),
    /shop\.like\n\s+"jobs" is like this service; give one of them an image or a folder to build/,
  ],
  [
    "three that are like each other",
    stack({ a: { like: "b" }, b: { like: "c" }, c: { like: "a" } }),
    /a\.like\n\s+"b" is like c, which is like this service;/,
  ],
  [
    "like that is no name",
    stack({ shop: { image }, jobs: { like: "Sh_op", args: ["a"] } }),
    /jobs\.like\n\s+"Sh_op" is not another service; allowed: shop; did you mean "shop"\?/,
  ],
  ...[["shop"], 5, null, { shop: true }].map(
    (like) =>
      [
        `like that is ${JSON.stringify(like)}`,
        stack({ shop: { image }, jobs: { like } }),
        /jobs\.like\n.* is not another service; allowed: shop/,
      ] as const,
  ),
  [
    "null, and no service whose keys it would remove",
    stack({ shop: { image }, jobs: { args: null, env: { A: null } } }),
    /jobs\.like\n\s+is missing; name the service whose keys null removes: shop/,
  ],
  [
    "an origin that is nothing",
    stack({ shop: null, jobs: { like: "shop", args: null } }),
    /shop\n\s+null must be a map/,
  ],
  [
    "an unknown source of a variable",
    one({ env: { A: { valueFrom: { fieldRef: {} } } } }),
    /env\.A\.valueFrom\n\s+is not a key that is known here; write what it has inside/,
  ],
  [
    "a mistyped source of a variable, which another one names",
    one({ env: { A: { secrets: "X" }, B: { expand: "$(A)" } } }),
    /env\.A\.secrets\n.*did you mean "secret"\?/,
  ],
  ["a mistyped image", stack({ shop: { imag: image, port: 80 } }), /shop\.imag\n.*did you mean "image"\?/],
  ["an image in the words of Helm", stack({ shop: { tag: "1", port: 80 } }), /shop\.tag\n.*write image/],
  ["the content of a file", one({ files: { "/a": { content: "x" } } }), /files\["\/a"\]\.content\n/],
  ["a route in the words of Ingress", one({ routes: [{ prefix: "/a/" }] }), /routes\[0\]\.prefix\n.*write path/],
  ["a host in egress", one({ egress: [{ host: "a.example.com", ports: [443] }] }), /egress\[0\]\.host\n.*write cidr/],
  ["a mistyped bound", one({ replicas: { mni: 2, max: 3 } }), /replicas\.mni\n.*did you mean "min"\?/],
];
for (const [what, config, problem] of mistakes)
  test(`one message: ${what}`, () => {
    const text = refusal(config);
    assert.match(text, /^1 problem /, text);
    assert.match(text, problem);
  });

test("two mistakes have two messages", () => {
  for (const config of [
    stack({ shop: { image }, jobs: { like: "shpo", user: 0 } }),
    stack({ shop: { foo: 1, port: 80 } }),
    one({ env: { A: { secret: "X", service: "y", foo: 1 } } }),
    stack({ shop: { image }, jobs: { like: "shpo" }, more: { image, env: { A: { expand: "$(B)" } } } }),
  ])
    assert.match(refusal(config), /^2 problems /, refusal(config));
});

/** The keys of a refused config's problems, below `services`. */
const keysOf = (config: Record<string, unknown>): string[] =>
  [...refusal(config).matchAll(/^ {2}[\w-]+:(?:services\.)?(\S.*)$/gm)].map(([, key = ""]) => key);

test("what a service takes over is reported at its origin, whatever the message", () => {
  const taken = {
    image: "redis", // no tag
    env: { A: { service: "nobody" }, B: { secret: "X" }, C: { expand: "$(NOPE)" } },
    files: { "/a": { from: "./nowhere" } },
    calls: ["jobs", "nobody"],
    nodes: { pool: "nowhere" },
    scratch: { "/m": { size: "1Gi", memory: true } },
    resources: { memory: "1" },
  };
  const alone = keysOf(stack({ shop: taken }));
  const copies = stack({ shop: taken, jobs: { like: "shop" }, more: { like: "shop" } });
  assert.deepEqual(keysOf(copies), alone);
  const { image: _, resources: __, ...valid } = taken;
  const checks = { image, ...valid };
  const keys = keysOf(stack({ shop: checks, jobs: { like: "shop" }, more: { like: "shop" } }));
  assert.ok(keys.length > 6, keys.join());
  assert.deepEqual(
    keys.filter((key) => !key.startsWith("shop.")),
    [],
  );
  assert.deepEqual(keysOf(stack({ shop: { port: 80 }, jobs: { like: "shop", port: "none" } })), ["shop"]);
});

test("what a service sets itself is reported there, also if its origin has the same", () => {
  const wrong = { replicas: 0, user: 0, env: { A: null }, files: { "/a": { from: 1, text: "" } } };
  const keys = keysOf(stack({ shop: { image, ...wrong }, jobs: { ...wrong, like: "shop", env: { "1": "" } } }));
  const of = (name: string) =>
    keys.filter((key) => key.startsWith(`${name}.`)).map((key) => key.slice(name.length + 1));
  assert.deepEqual(of("shop"), ["replicas", "env.A", 'files["/a"]', "user"]);
  assert.deepEqual(of("jobs"), ["replicas", "env.1", 'files["/a"]', "user"]);
});

test("a warning of what a service takes over is given once", () => {
  const shop = {
    image,
    args: ["$HOME"],
    env: { A: "$(B)", B: "x", URL: "https://api.example.org/" },
    annotations: { a: "b" },
  };
  const { warnings, notes } = checkConfig(
    raw(
      stack({
        shop,
        jobs: { like: "shop", port: "none" },
        more: { like: "shop", args: ["$MORE"], env: { C: "$(B)" } },
      }),
    ),
    "test",
    projectDir,
  );
  const keys = (texts: readonly string[]) => texts.map((text) => /services\.(\S+): /.exec(text)?.[1]);
  assert.deepEqual(keys(warnings), ["shop.args", "shop.env.A", "more.args", "more.env.C"]);
  assert.deepEqual(keys(notes), ["shop.env", "more.env"]);
});
