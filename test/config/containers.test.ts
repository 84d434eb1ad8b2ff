/** Sidecars and init containers: what the component gets, and which mistakes are refused or warned of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { checkConfig } from "../../config/config.ts";
import { networkFlows } from "../../config/flows.ts";
import { podAmounts, podParts } from "../../config/podAmounts.ts";
import { secretsOf } from "../../config/variables.ts";
import { workloadsOf } from "../../config/workloads.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const image = "registry.example.com/hoge:1.4.2";
const proxyImage = "registry.example.com/sql-proxy:2.20.0";
const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const stack = (services: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({
  ...valid,
  services,
  ...rest,
});
const shop = (service: object, rest: Record<string, unknown> = {}) => stack({ shop: { image, ...service } }, rest);
const two = (service: object, cart: object = {}) => stack({ shop: { image, ...service }, cart: { image, ...cart } });
const checked = (config: Record<string, unknown>, more: Record<string, string> = {}) =>
  checkConfig(raw(config, more), "test", projectDir);
const sidecar = (settings: object) => ({ sidecars: { sql: { image: proxyImage, ...settings } } });
const init = (...all: readonly object[]) => ({
  init: all.map((each) => ({ name: "wait", image: proxyImage, ...each })),
});

test("the component gets each with its own variables, and secrets apart from the program's", async () => {
  const { settings } = checked(
    stack(
      {
        shop: {
          image,
          scratch: { "/app/tmp": "1Gi" },
          env: { OWN: "1" },
          sidecars: {
            sql: {
              image: proxyImage,
              port: 5432,
              health: { path: "/readiness", port: 9090, startSeconds: 20 },
              env: { TOKEN: { secret: "DB" }, DSN: { expand: "x:$(TOKEN):$(PORT)" } },
              user: 2000,
            },
            alike: { args: ["side"] },
          },
          init: [
            { name: "wait", args: ["$(CART)"], env: { CART: { service: "cart" } }, shares: ["/app/tmp"] },
            { name: "after", command: ["true"] },
          ],
        },
        cart: { image, servicePort: 80 },
      },
      { secrets: { shop: { DB: "canary-db", API: "canary-api" } } },
    ),
  );
  const [{ program } = assert.fail()] = workloadsOf(settings, projectDir);
  const small = { cpu: "50m", memory: "64Mi" };
  const none = { image: undefined, command: undefined, user: undefined, shares: [], resources: small };
  const [alike, sql] = program.sidecars ?? [];
  assert.deepEqual(alike, {
    ...{ ...none, name: "alike", args: ["side"], env: [], secretEnv: {}, port: undefined, health: undefined },
  });
  const { secretEnv, ...rest } = sql ?? assert.fail();
  assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
    name: "sql",
    image: proxyImage,
    resources: small,
    shares: [],
    user: 2000,
    port: 5432,
    health: { kind: "http", path: "/readiness", port: 9090, startSeconds: 20 },
    env: [
      { name: "PORT", value: "5432" },
      { name: "DSN", value: "x:$(TOKEN):$(PORT)" },
    ],
  });
  const token = secretEnv?.["TOKEN"];
  assert.ok(await pulumi.isSecret(token as pulumi.Output<string>));
  assert.deepEqual(program.init, [
    {
      ...{ ...none, name: "wait", args: ["$(CART)"], secretEnv: {}, shares: ["/app/tmp"] },
      env: [{ name: "CART", value: "cart:80" }],
    },
    { ...none, name: "after", command: ["true"], args: undefined, env: [], secretEnv: {} },
  ]);
  // A secret that only a sidecar names is no variable of the program.
  assert.deepEqual(secretsOf("shop", settings), { env: { API: "canary-api" }, files: {} });
  assert.deepEqual(networkFlows(settings).services["shop"]?.calls, ["cart"]);
});

test("pods that only a sidecar or an init container finds by DNS have a Service for it", () => {
  for (const part of [sidecar({ env: { A: { pods: "cart" } } }), init({ env: { A: { pods: "cart" } } })]) {
    const { settings } = checked(two(part));
    assert.deepEqual(
      workloadsOf(settings, projectDir).map(({ program }) => program.headless),
      [false, true],
    );
  }
});

test("like: sidecars merge by name, null removes one, and a list of init containers replaces", () => {
  const one = { image: proxyImage };
  const { settings } = checked(
    stack({
      shop: { image, sidecars: { a: one, b: one, c: one }, init: [{ name: "x", args: ["x"] }] },
      jobs: { like: "shop", sidecars: { b: null, c: { image, args: ["c"] } }, init: [{ name: "y", args: ["y"] }] },
      more: { like: "shop", init: null, sidecars: null },
    }),
  );
  const { jobs, more } = settings.services;
  assert.deepEqual(
    Object.entries(jobs?.sidecars ?? {}).map(([name, each]) => [name, each.image]),
    [
      ["a", proxyImage],
      ["c", image],
    ],
  );
  assert.deepEqual(
    jobs?.init.map(({ name }) => name),
    ["y"],
  );
  assert.deepEqual([more?.sidecars, more?.init], [{}, []]);
});

test("a pod requests its sidecars, and beside them the most of its program and each init container", () => {
  const of = (service: object) => {
    const { shop: made } = checked(shop(service)).settings.services;
    const { milliCpu, bytes } = podAmounts(podParts("shop", made ?? assert.fail()));
    return [milliCpu, bytes / 2 ** 20];
  };
  const resources = (cpu: string, memory: string) => ({ resources: { cpu, memory } });
  assert.deepEqual(of({}), [100, 128]);
  assert.deepEqual(of(sidecar({})), [150, 192]);
  assert.deepEqual(of(init({})), [100, 128]);
  assert.deepEqual(
    of({ ...sidecar({}), ...init(resources("1", "64Mi"), { name: "b", ...resources("50m", "1Gi") }) }),
    [1050, 1088],
  );
});

test("a pod that fits on no node because of its other containers is refused where it asks for the most", () => {
  const config = (part: object) => ({
    domain: valid.domain,
    cluster: { kind: "gke", nodePools: { main: { machineType: "e2-standard-2" } } },
    services: { shop: { image, resources: { cpu: "1900m" }, ...part } },
  });
  checked(config({}), google);
  assert.match(
    refusal(config(sidecar({})), google),
    /shop\.resources\.cpu\n\s+"1900m" makes a pod of 1950m of CPU with its other containers, which no node has: pods get 1930m/,
  );
  assert.match(
    refusal(config(init({ resources: { memory: "7Gi" } })), google),
    /shop\.init\[0\]\.resources\.memory\n\s+"7Gi" makes a pod of 7168Mi of memory with its other containers/,
  );
});

test("Autopilot's limits hold for each container, and for the pod", () => {
  const config = (part: object) => ({
    domain: valid.domain,
    cluster: { kind: "gke", mode: "autopilot" },
    services: { shop: { image, ...part } },
  });
  const refused = (part: object) => refusal(config(part), google);
  checked(config({ ...sidecar({}), ...init({}) }), google);
  // Together they fit: 50m and 128Mi beside 500m and 512Mi.
  checked(
    config({ resources: { cpu: "550m", memory: "512Mi" }, ...sidecar({ resources: { memory: "128Mi" } }) }),
    google,
  );
  assert.match(
    refused(sidecar({ resources: { cpu: "10m" } })),
    /^1 problem[^]*shop\.sidecars\.sql\.resources\.cpu\n\s+"10m" is below the minimum of Autopilot, which is 50m/,
  );
  assert.match(
    refused({ ...sidecar({}), ...init({ resources: { cpu: "30", memory: "32Gi" } }) }),
    /shop\.init\[0\]\.resources\.cpu\n\s+"30" is above the maximum of Autopilot for a pod, which is 30, with its other containers; lower one of them/,
  );
  assert.match(
    refused(sidecar({ resources: { cpu: "1" } })),
    /shop\.resources\.memory\n\s+"128Mi" makes a pod of 1100m of CPU and 192Mi of memory with its other containers, and Autopilot needs 1Gi for each CPU; raise the memory/,
  );
  assert.match(
    refused(sidecar({ resources: { memory: "2Gi" } })),
    /shop\.resources\.cpu\n\s+"100m" makes a pod of 150m of CPU and 2176Mi of memory with its other containers, and Autopilot has at most 6\.5Gi for each CPU; raise the CPU/,
  );
  // 9728Mi are left for /tmp and scratch, and each sidecar takes 768Mi of them, each init container 256Mi.
  const scratch = (mebibytes: number) => ({ scratch: { "/a": `${mebibytes}Mi` } });
  checked(config({ ...scratch(8704), ...sidecar({}) }), google);
  assert.match(refused({ ...scratch(8705), ...sidecar({}) }), /shop\.scratch\n.* more than the 8960Mi of disk/);
  checked(config({ ...scratch(9216), ...init({}) }), google);
  assert.match(refused({ ...scratch(9217), ...init({}) }), /shop\.scratch\n.* more than the 9472Mi of disk/);
});

test("sidecars that start slowly make rollouts wait longer", () => {
  const seconds = (startSeconds: number) =>
    checked(shop({ replicas: 2, ...sidecar({ health: { tcp: true, port: 1, startSeconds } }) })).settings
      .rolloutSeconds;
  assert.deepEqual([seconds(30), seconds(90)], [180, 300]);
});

const refused: readonly (readonly [what: string, config: Record<string, unknown>, message: RegExp])[] = [
  [
    "a sidecar with the service's name",
    shop({ sidecars: { shop: { image } } }),
    /sidecars\.shop\n\s+"shop" is the name of the service's own container; choose another, or remove it with null/,
  ],
  [
    "an init container with the service's name",
    shop(init({ name: "shop" })),
    /init\[0\]\.name\n\s+"shop" is the name of the service's own container/,
  ],
  [
    "two init containers with one name",
    shop(init({}, {})),
    /init\[1\]\.name\n\s+"wait" is also the name of gke-microservices:services\.shop\.init\[0\]; choose another/,
  ],
  [
    "one name in both",
    shop({ ...sidecar({}), ...init({ name: "sql" }) }),
    /init\[0\]\.name\n\s+"sql" is also the name of gke-microservices:services\.shop\.sidecars\.sql/,
  ],
  [
    "an init container without a name",
    shop({ init: [{ image }] }),
    /init\[0\]\.name\n\s+is missing; it must be text, such as wait-for-cart/,
  ],
  [
    "a name that is no label",
    shop({ sidecars: { My_Proxy: { image } } }),
    /"My_Proxy" must be a DNS label.*"my-proxy"/,
  ],
  ["init containers by name", shop({ init: { wait: { image } } }), /init\n.* must be a list, such as \[\{ name/],
  ["sidecars as a list", shop({ sidecars: [{ image }] }), /sidecars\n.* must be a map of names, such as \{ sql/],
  ["the tag latest", shop(sidecar({ image: "a/b:latest" })), /sidecars\.sql\.image\n.* must not use the tag latest/],
  ["an image without a tag", shop(init({ image: "busybox" })), /init\[0\]\.image\n.* must have a tag or a digest/],
  [
    "the service's own program again",
    shop({ sidecars: { sql: {} } }),
    /sidecars\.sql\n\s+"?sql"? would run the service's own program again: .*; set args to what must run beside/,
  ],
  [
    "the service's own program before itself",
    shop({ init: [{ name: "wait" }] }),
    /init\[0\]\n\s+"?wait"? would run the service's own program again: .*; set args to what must run before/,
  ],
  [
    "a folder that the service does not have",
    shop({ scratch: { "/app/tmp": "1Gi" }, ...sidecar({ shares: ["/app/temp"] }) }),
    /sidecars\.sql\.shares\[0\]\n\s+"\/app\/temp" is neither a folder of scratch nor one of files; allowed: \/app\/tmp; did you mean "\/app\/tmp"/,
  ],
  [
    "a folder of a service without any",
    shop(init({ shares: ["/app/tmp"] })),
    /init\[0\]\.shares\[0\]\n\s+"\/app\/tmp" is not among scratch and files, which the service does not have; add it there first/,
  ],
  [
    "a folder in a folder",
    shop({ scratch: { "/app": "1Gi" }, ...sidecar({ shares: ["/app/tmp"] }) }),
    /shares\[0\]\n\s+"\/app\/tmp" is in the folder \/app, which is shared as a whole; write \/app/,
  ],
  [
    "/tmp",
    shop({ scratch: { "/tmp": "1Gi" }, ...sidecar({ shares: ["/tmp"] }) }),
    /shares\[0\]\n\s+"\/tmp" is each container's own; name another folder/,
  ],
  [
    "a path twice",
    shop({ scratch: { "/a": "1Gi" }, ...sidecar({ shares: ["/a", "/a"] }) }),
    /sidecars\.sql\.shares\n.* must name each path once/,
  ],
  [
    "the service's port",
    shop(sidecar({ port: 8080 })),
    /sidecars\.sql\.port\n\s+8080 is the service's port, and the containers of a pod have one network; choose another, or remove it if the sidecar answers/,
  ],
  [
    "one port of two sidecars",
    shop({ sidecars: { a: { image, port: 1 }, b: { image, port: 1 } } }),
    /sidecars\.b\.port\n\s+1 is also the port of the sidecar a, and they have one network; choose another/,
  ],
  [
    "health without a port",
    shop(sidecar({ health: "/readiness" })),
    /sidecars\.sql\.health\n\s+"\/readiness" needs a port, and the sidecar has none; set port of the sidecar, or name one/,
  ],
  [
    "health that does not say how to ask",
    shop(sidecar({ port: 1, health: { startSeconds: 5 } })),
    /sidecars\.sql\.health\n\s+\{ startSeconds: 5 \} does not say how to ask; add one of path, grpc, tcp and exec/,
  ],
  [
    "a start that is slower than a rollout",
    shop(sidecar({ port: 1, health: { tcp: true, startSeconds: 150 } }), { rolloutSeconds: 100 }),
    /sidecars\.sql\.health\.startSeconds\n\s+150 is more than rolloutSeconds, which is 100.*before the program starts; raise/,
  ],
  [
    "health of an init container",
    shop(init({ health: "tcp" })),
    /init\[0\]\.health\n\s+is not a key that is known here; leave it out, or make it a sidecar/,
  ],
  [
    "a secret that is not there",
    shop(sidecar({ env: { A: { secret: "DB" } } })),
    /sidecars\.sql\.env\.A\.secret\n\s+"DB" is not among the service's secrets, nor in .*set --secret --path 'gke-microservices:secrets\.shop\.DB'/,
  ],
  [
    "an address of nothing",
    two(init({ env: { A: { url: "cartt" } } })),
    /init\[0\]\.env\.A\.url\n\s+"cartt" is not a service; allowed: shop, cart; did you mean "cart"/,
  ],
  [
    "an address of a worker",
    two(init({ env: { A: { service: "cart" } } }), { port: "none" }),
    /init\[0\]\.env\.A\.service\n\s+"cart" is a worker/,
  ],
  [
    "an address of its own service",
    two(sidecar({ env: { A: { service: "shop" } } })),
    /sidecars\.sql\.env\.A\.service\n\s+"shop" is the service itself; use localhost/,
  ],
  [
    "a variable of the program",
    shop({ env: { HOST: "a" }, ...sidecar({ env: { A: { expand: "$(HOST)" } } }) }),
    /sidecars\.sql\.env\.A\.expand\n\s+"\$\(HOST\)" names HOST, which is no variable of the sidecar sql; add HOST to env/,
  ],
  [
    "a long argument",
    shop(init({ args: ["x".repeat(131_072)] })),
    /init\[0\]\.args\[0\]\n\s+"x+… has 131,072 bytes, and Linux starts no program with an argument of 131,072 or more/,
  ],
  [
    "a long secret",
    shop(sidecar({ env: { A: { secret: "DB" } } }), { secrets: { shop: { DB: "x".repeat(140_000) } } }),
    /sidecars\.sql\.env\.A\n\s+"" has 140,000 bytes, and Linux starts no program with a variable/,
  ],
  ["root", shop(sidecar({ user: 0 })), /sidecars\.sql\.user\n\s+0 must be at least 1: root is not allowed/],
  [
    "more sidecars than ten",
    shop({ sidecars: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`s${index}`, { image }])) }),
    /sidecars\n.* must have at most 10 sidecars/,
  ],
  [
    "more init containers than ten",
    shop(init(...Array.from({ length: 11 }, () => ({})))),
    /init\n.* must have at most 10 entries/,
  ],
  [
    "a secret that is also a variable of the program",
    shop({ env: { DB: "x" }, ...sidecar({}) }, { secrets: { shop: { DB: "canary" } } }),
    /secrets\.shop\.DB\n\s+\(secret\) is also in services\.shop\.env/,
  ],
  [
    "Kubernetes' key",
    shop(sidecar({ volumeMounts: [] })),
    /sidecars\.sql\.volumeMounts\n\s+is not a key that is known here; write scratch or files in the service, and their paths in shares/,
  ],
];
for (const [what, config, message] of refused)
  test(`refused: ${what}`, () => {
    assert.match(refusal(config), message);
  });

const nightly = (service: object, rest: Record<string, unknown> = {}) =>
  stack({ nightly: { image, schedule: "@daily", ...service } }, rest);

test("a service with a schedule has them, and nothing waits for the start of its sidecars", () => {
  const health = { tcp: true, startSeconds: 900 };
  const { settings } = checked(nightly({ ...sidecar({ port: 5432, health }), ...init({}) }));
  const [{ program, schedule } = { program: undefined, schedule: undefined }] = workloadsOf(settings, projectDir);
  assert.equal(schedule?.schedule, "@daily");
  assert.deepEqual(
    [...(program?.sidecars ?? []), ...(program?.init ?? [])].map(({ name }) => name),
    ["sql", "wait"],
  );
  const rolloutSecondsOf = (config: Record<string, unknown>) => checked(config).settings.rolloutSeconds;
  assert.equal(rolloutSecondsOf(nightly(sidecar({ port: 5432, health }))), rolloutSecondsOf(nightly({})));
  checked(nightly(sidecar({ port: 5432, health }), { rolloutSeconds: 200 }));
});

test("a service with a schedule: what its sidecars need counts, and the deadline of a run", () => {
  const standard = { cluster: { kind: "gke", nodePools: { main: { machineType: "e2-standard-2" } } } };
  const autopilot = { cluster: { kind: "gke", mode: "autopilot" } };
  const onGke = { edge: { kind: "gce" }, registry: { kind: "artifact-registry" } };
  const cases = [
    [
      nightly(sidecar({ resources: { cpu: "4" } }), { ...onGke, ...standard }),
      /nightly\.sidecars\.sql\.resources\.cpu\n.* makes a pod of .* with its other containers, which no node has/,
    ],
    [
      nightly(sidecar({ resources: { memory: "4Gi" } }), { ...onGke, ...autopilot }),
      /nightly\.resources\.cpu\n.* with its other containers, and Autopilot has at most/,
    ],
    [
      nightly({ deadlineSeconds: 200, ...sidecar({ port: 5432, health: { tcp: true, startSeconds: 300 } }) }),
      /sidecars\.sql\.health\.startSeconds\n\s+300 is more than deadlineSeconds, which is 200: each run could end before the program starts; raise \S*services\.nightly\.deadlineSeconds/,
    ],
    [
      nightly(sidecar({ port: 5432, health: "tcp", env: { A: { service: "nightly" } } })),
      /sidecars\.sql\.env\.A\.service\n\s+"nightly" is the service itself/,
    ],
  ] as const;
  for (const [config, message] of cases) assert.match(refusal(config, google), message);
});

test("a release's job reaches what the service's containers call", () => {
  const { settings } = checked(
    two({ release: { args: ["migrate"] }, ...sidecar({ env: { CART: { service: "cart" } } }) }),
  );
  const { services } = networkFlows({ ...settings });
  assert.deepEqual(services["shop-release"]?.calls, ["cart"]);
  assert.deepEqual(workloadsOf(settings, projectDir).find(({ service }) => service === "shop")?.release?.after, [
    "cart",
  ]);
});

test("a mistyped $(NAME) in the words of a sidecar is warned of, with the variable that is meant", () => {
  const { warnings } = checked(shop(sidecar({ port: 5432, env: { TARGET: "a" }, args: ["$(TARGT)", "$(PORT)"] })));
  assert.deepEqual(
    warnings.filter((each) => each.includes("$(")),
    [
      'gke-microservices:services.shop.sidecars.sql.args: $(TARGT) stays as it is, because the sidecar sql has no variable of that name; did you mean "$(TARGET)"?',
    ],
  );
});

test("a copy whose name is that of a sidecar it takes over is refused, and null helps", () => {
  const config = (sql: object) => stack({ shop: { image, ...sidecar({}) }, sql: { like: "shop", ...sql } });
  assert.match(
    refusal(config({})),
    /services\.sql\.sidecars\.sql\n\s+"sql" is the name of the service's own container/,
  );
  checked(config({ sidecars: { sql: null } }));
});

test("what may be right is accepted: a metrics port, a port for callers, an image that a variable steers", () => {
  checked(shop({ ports: { admin: 9090 }, ...sidecar({ port: 9090 }) }));
  checked(shop({ init: [{ name: "migrate", env: { MODE: "migrate" } }] }));
  checked(shop(sidecar({ env: { A: { secret: "DB" } } }), { secrets: { shop: { DB: "x" } } }));
});

const warned: readonly (readonly [what: string, config: Record<string, unknown>, message: RegExp])[] = [
  [
    "an address that network policies block",
    two(init({ env: { CART: "http://cart:8080" } })),
    /services\.shop\.init\[0\]\.env\.CART: "http:\/\/cart:8080" is the address of cart, which the service may not call/,
  ],
  [
    "an address in a command",
    two(init({ command: ["sh", "-c", "until nc -z cart 8080; do sleep 1; done"] })),
    /init\[0\]\.command: has an address of cart, which the service may not call; write \$\(NAME\) with NAME: \{ service: cart \} in its env, or add cart to calls/,
  ],
  [
    "a command in one word",
    shop(sidecar({ command: ["./proxy --port=1"] })),
    /sidecars\.sql\.command: "\.\/proxy --port=1" is one word/,
  ],
  [
    "a check in one word",
    shop(sidecar({ health: { exec: ["./check --all"] } })),
    /sidecars\.sql\.health\.exec: "\.\/check --all" is one word/,
  ],
  [
    "a variable that no shell reads",
    shop(init({ args: ["--to=$HOME"] })),
    /init\[0\]\.args: "--to=\$HOME" stays as it is/,
  ],
  [
    "a variable in plain text",
    shop(sidecar({ env: { A: "1", B: "$(A)" } })),
    /sidecars\.sql\.env\.B: \$\(A\) stays as it is; write \{ expand/,
  ],
  [
    "another port",
    shop(sidecar({ port: 1, env: { PORT: "2" } })),
    /sidecars\.sql\.env\.PORT: is 2, and the sidecar's port is 1/,
  ],
  [
    "a folder in memory that is more than the container has",
    shop({
      resources: { memory: "1Gi" },
      scratch: { "/m": { size: "64Mi", memory: true } },
      ...sidecar({ shares: ["/m"] }),
    }),
    /sidecars\.sql\.resources\.memory: 64Mi is not more than the folders in memory that it shares, \/m; raise it/,
  ],
];
for (const [what, config, message] of warned)
  test(`warned of: ${what}`, () => {
    const { warnings } = checked(config);
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0] ?? "", message);
  });

test("an address in a command is no mistake if the service may call it, or without network policies", () => {
  const wait = init({ args: ["sh", "-c", "until nc -z cart 8080; do sleep 1; done"] });
  for (const config of [
    two({ calls: ["cart"], ...wait }),
    { ...two(wait), networkPolicies: { enabled: false } },
    two(init({ args: ["sh", "-c", "until nc -z my-cart 8080 || nc -z cart-2 8080; do sleep 1; done"] })),
  ])
    assert.deepEqual(checked(config).warnings, []);
});

test("an address outside of the cluster is noted, if the service reaches nothing there", () => {
  const env = { API: "https://api.example.org/" };
  const { notes } = checked(shop(sidecar({ env })));
  assert.match(notes.join(), /services\.shop\.sidecars\.sql\.env: API names an address outside of the cluster/);
  assert.deepEqual(checked(shop({ ...sidecar({ env }), egress: [{ cidr: "0.0.0.0/0", ports: [443] }] })).notes, []);
});
