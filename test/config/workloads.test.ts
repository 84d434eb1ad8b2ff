/** What runs in a service's pods: what the component gets, and which mistakes are refused or warned of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { healthOf } from "../../config/health.ts";
import { nodesOf } from "../../config/nodes.ts";
import { callsOf, secretsOf, variablesOf } from "../../config/variables.ts";
import { imageName, workloadsOf } from "../../config/workloads.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

const image = "registry.example.com/hoge:1.4.2";
const stack = (services: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({
  ...valid,
  services,
  ...rest,
});
const checked = (config: Record<string, unknown>) => checkConfig(raw(config), "test", projectDir);
const settingsOf = (config: Record<string, unknown>) => checked(config).settings;

test("each form of health becomes a check; without one it follows from the routes", () => {
  const forms: readonly (readonly [health: unknown, expected: unknown])[] = [
    [undefined, { kind: "http", path: "/healthz", port: 8080, startSeconds: 60 }],
    ["/readyz?full=true", { kind: "http", path: "/readyz?full=true", port: 8080, startSeconds: 60 }],
    ["grpc", { kind: "grpc", port: 8080, startSeconds: 60 }],
    ["tcp", { kind: "tcp", port: 8080, startSeconds: 60 }],
    ["none", undefined],
    [{ startSeconds: 150 }, { kind: "http", path: "/healthz", port: 8080, startSeconds: 150 }],
    [
      { grpc: "", port: 9090 },
      { kind: "grpc", service: "", port: 9090, startSeconds: 60 },
    ],
    [
      { tcp: true, startSeconds: 90 },
      { kind: "tcp", port: 8080, startSeconds: 90 },
    ],
    [{ exec: ["pg_isready", "-q"] }, { kind: "exec", command: ["pg_isready", "-q"], startSeconds: 60 }],
    [
      { path: "/up", headers: { "X-Health": true } },
      undefined, // A header's value is text.
    ],
  ];
  for (const [health, expected] of forms.slice(0, -1)) {
    const { services } = settingsOf(hoge({ health }));
    assert.deepEqual(JSON.parse(JSON.stringify(healthOf(services).get("hoge") ?? null)), expected ?? null);
  }
  assert.match(refusal(hoge({ health: forms.at(-1)?.[0] })), /health\.headers\.X-Health/);
});

test("a worker has a check only by a command, or on a port that it names", () => {
  const of = (health: unknown) => {
    const { services } = settingsOf(stack({ worker: { image, port: "none", health } }));
    return healthOf(services).get("worker")?.kind;
  };
  assert.deepEqual([undefined, "none", { exec: ["true"] }, { path: "/up", port: 7433 }].map(of), [
    undefined,
    undefined,
    "exec",
    "http",
  ]);
});

test("variables: text, PORT, the pod, addresses, and what names them comes last", () => {
  const { services } = settingsOf(
    stack(
      {
        shop: {
          image,
          port: 3000,
          env: {
            URL: { expand: "http://$(POD):$(PORT)/$(TOKEN)/$x" },
            POD: { pod: "name" },
            CART: { service: "cart" },
            CART_URL: { url: "cart" },
            LITERAL: "$(POD)",
            PASSWORD: { secret: "DB" },
            COUNT: 3,
          },
        },
        cart: { image, port: 8080, servicePort: 80 },
      },
      { secrets: { shop: { DB: "d", TOKEN: "t" } } },
    ),
  );
  assert.deepEqual(variablesOf("shop", services, ["PASSWORD", "TOKEN"]), [
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "CART", value: "cart:80" },
    { name: "CART_URL", value: "http://cart:80" },
    { name: "LITERAL", value: "$$(POD)" },
    { name: "COUNT", value: "3" },
    { name: "PORT", value: "3000" },
    { name: "URL", value: "http://$(POD):$(PORT)/$(TOKEN)/$x" },
  ]);
  assert.deepEqual(services["shop"] && callsOf(services["shop"]), ["cart"]);
});

test("a client that spreads its calls gets the name of the pods, with the container's port", () => {
  const settings = settingsOf(
    stack({ shop: { image, env: { CART: { pods: "cart" } } }, cart: { image, port: 50051, servicePort: 80 } }),
  );
  assert.deepEqual(variablesOf("shop", settings.services, [])[0], { name: "CART", value: "pods-cart:50051" });
  assert.deepEqual(callsOf(settings.services["shop"] ?? assert.fail()), ["cart"]);
  const headless = workloadsOf(settings, projectDir).map(({ service, program }) => [service, program.headless]);
  assert.deepEqual(headless, [
    ["shop", false],
    ["cart", true],
  ]);
  const refusedFor = (name: string) =>
    refusal(stack({ shop: { image, env: { CART: { pods: name } } }, jobs: { image, port: "none" } }));
  assert.match(refusedFor("jobs"), /env\.CART\.pods\n\s+"jobs" is a worker/);
  assert.match(refusedFor("jbos"), /env\.CART\.pods\n\s+"jbos" is not a service; allowed: /);
});

test("PORT is the service's own, unless env or a secret says otherwise", () => {
  const portOf = (service: object, secrets: readonly string[] = []) => {
    const { services } = settingsOf(stack({ shop: { image, ...service } }));
    return variablesOf("shop", services, secrets).find(({ name }) => name === "PORT")?.value;
  };
  assert.equal(portOf({}), "8080");
  assert.equal(portOf({ env: { PORT: "8080" } }), "8080");
  assert.equal(portOf({ port: "none" }), undefined);
  assert.equal(portOf({}, ["PORT"]), undefined);
});

test("a secret that a variable or a file names is only there; the others are variables of their name", () => {
  const settings = settingsOf(
    stack(
      {
        shop: { image, env: { PASSWORD: { secret: "DB" } }, files: { "/keys/jwt.pem": { secret: "JWT" } } },
        jobs: { like: "shop", port: "none", env: { MORE: { secret: "COMMON" } } },
      },
      { secrets: { shop: { DB: "d", JWT: "j", API: "a" }, jobs: { API: "b" }, shared: { COMMON: "c", UNUSED: "u" } } },
    ),
  );
  assert.deepEqual(secretsOf("shop", settings), { env: { API: "a", PASSWORD: "d" }, files: { "/keys/jwt.pem": "j" } });
  assert.deepEqual(secretsOf("jobs", settings), {
    env: { API: "b", MORE: "c", PASSWORD: "d" },
    files: { "/keys/jwt.pem": "j" },
  });
});

test("like takes over all but how a service is reached, checked, scaled and replaced", () => {
  const { services } = settingsOf(
    stack({
      shop: {
        image,
        command: ["bundle", "exec"],
        args: ["puma"],
        port: 3000,
        servicePort: 80,
        ports: { admin: 9090 },
        health: "/up",
        replicas: 4,
        rollout: "recreate",
        routes: [{ path: "/" }],
        env: { A: "1", B: "2", C: { pod: "name" } },
        resources: { cpu: "1", memory: "1Gi" },
        scratch: { "/a": "1Gi" },
        calls: ["cart"],
        shutdownSeconds: 90,
      },
      jobs: {
        like: "shop",
        args: ["sidekiq"],
        port: "none",
        env: { B: null, C: "text" },
        resources: { memory: "2Gi" },
        command: null,
      },
      cart: { image },
    }),
  );
  const { port, servicePort, ports, health, replicas, rollout, routes, command, args, env, ...rest } =
    services["jobs"] ?? assert.fail();
  assert.deepEqual(
    { port, servicePort, ports, health, replicas, rollout, routes, command, args, env },
    {
      ...{ port: "none", servicePort: undefined, ports: {}, health: undefined, replicas: 2, rollout: "rolling" },
      ...{ routes: [], command: undefined, args: ["sidekiq"], env: { A: "1", C: "text" } },
    },
  );
  assert.equal(rest.image, image);
  assert.deepEqual(rest.resources, { cpu: "1", memory: "2Gi" });
  assert.deepEqual(rest.scratch, { "/a": { size: "1Gi", memory: false } });
  assert.deepEqual([rest.calls, rest.shutdownSeconds], [["cart"], 90]);
});

test("an image that is built for a service and those like it is built once", () => {
  const build = { context: "./services/sample" };
  const { services } = settingsOf(
    stack({ shop: { build }, jobs: { like: "shop" }, other: { build }, own: { like: "shop", image } }),
  );
  assert.deepEqual(
    Object.keys(services).map((name) => imageName(name, services)),
    ["shop", "shop", "other", "own"],
  );
  assert.deepEqual([services["own"]?.image, services["own"]?.build], [image, undefined]);
});

test("a mistake that is taken over is reported once, where it was written", () => {
  const text = refusal(stack({ shop: { image, shutdownSeconds: 0 }, jobs: { like: "shop", user: 0 } }));
  assert.match(text, /^2 problems/);
  assert.match(text, /services\.shop\.shutdownSeconds\n/);
  assert.match(text, /services\.jobs\.user\n/);
});

test("an autoscaler aims at 70 % of the CPU, unless the config says what at", () => {
  const of = (replicas: object) => {
    const { services, proxy } = settingsOf({ ...hoge({ replicas }), proxy: { replicas } });
    assert.deepEqual(proxy.replicas, services["hoge"]?.replicas);
    return services["hoge"]?.replicas;
  };
  assert.deepEqual(of({ min: 2, max: 4 }), { min: 2, max: 4, cpu: 70, memory: undefined });
  assert.deepEqual(of({ min: 2, max: 4, memory: 80 }), { min: 2, max: 4, cpu: undefined, memory: 80 });
  assert.deepEqual(of({ min: 2, max: 4, cpu: 150, memory: 80 }), { min: 2, max: 4, cpu: 150, memory: 80 });
});

test("an autoscaler that has no choice is warned of", () => {
  const { warnings } = checked({ ...hoge({ replicas: { min: 2, max: 2 } }), proxy: { replicas: { min: 3, max: 3 } } });
  assert.match(
    warnings.join("\n"),
    /proxy\.replicas: min and max are the same.*; write 3.*\n.*hoge\.replicas: .*; write 2/,
  );
});

test("a slow start makes rollouts wait longer", () => {
  const slow = (replicas: unknown) => hoge({ replicas, health: { startSeconds: 150 } });
  assert.equal(settingsOf(slow(1)).rolloutSeconds, 180);
  assert.equal(settingsOf(slow(3)).rolloutSeconds, 450);
  assert.equal(settingsOf(slow(100)).rolloutSeconds, 3600);
});

const two = (shop: object, cart: object = {}) => stack({ shop: { image, ...shop }, cart: { image, ...cart } });
const refused: readonly (readonly [what: string, config: Record<string, unknown>, message: RegExp])[] = [
  [
    "like of nothing",
    stack({ shop: { like: "shpo" }, shopp: { image } }),
    /shop\.like\n\s+"shpo" is not another service; allowed: shopp/,
  ],
  [
    "like of itself",
    stack({ shop: { like: "shop", image }, b: { image } }),
    /shop\.like\n\s+"shop" is the service itself; name another: b/,
  ],
  [
    "like of a like",
    stack({ a: { image }, b: { like: "a" }, c: { like: "b" } }),
    /c\.like\n\s+"b" takes its own keys from a.*; write a/,
  ],
  ["null in a service that is like none", hoge({ command: null }), /command\n\s+null must be a list/],
  [
    "a command as one text",
    hoge({ command: "bundle exec" }),
    /command\n\s+"bundle exec" must be a list, such as \[bundle, exec\]/,
  ],
  ["a route to a worker", hoge({ port: "none" }), /hoge\.routes\n.* reaches no worker, and port is none; remove them/],
  ["a Service's port of a worker", two({ port: "none", servicePort: 80 }), /servicePort\n\s+80 reaches no worker/],
  ["ports of a worker", two({ port: "none", ports: { a: 1 } }), /ports\n.* reaches no worker/],
  [
    "health of a worker over HTTP",
    two({ port: "none", health: "/up" }),
    /health\n\s+"\/up" needs a port, and port is none; use exec/,
  ],
  ["health of a worker by a map", two({ port: "none", health: { tcp: true } }), /health\n.* needs a port/],
  ["a call of a worker", two({ calls: ["cart"] }, { port: "none" }), /calls\[0\]\n\s+"cart" is a worker/],
  [
    "an address of a worker",
    two({ env: { A: { url: "cart" } } }, { port: "none" }),
    /env\.A\.url\n\s+"cart" is a worker/,
  ],
  [
    "an address of itself",
    two({ env: { A: { service: "shop" } } }),
    /env\.A\.service\n\s+"shop" is the service itself/,
  ],
  [
    "an address of nothing",
    two({ env: { A: { url: "cartt" } } }),
    /"cartt" is not a service; allowed: shop, cart; did you mean "cart"/,
  ],
  [
    "a canary that is a worker",
    two({ routes: [{ path: "/", canary: { service: "cart", percent: 5 } }] }, { port: "none" }),
    /routes\[0\]\n\s+"cart" is a worker/,
  ],
  ["a word as port", two({ port: "no" }), /port\n\s+"no" must be a port from 1 to 65535, or none for a worker/],
  ["a port twice", two({ ports: { admin: 8080 } }), /ports\.admin\n\s+8080 is the service's port already/],
  [
    "a port that is the Service's",
    two({ servicePort: 80, ports: { admin: 80 } }),
    /ports\.admin\n\s+80 is the port of the Service/,
  ],
  ["two ports with a number", two({ ports: { a: 1, b: 1 } }), /ports\n.* must name each port once/],
  ["a port called http", two({ ports: { http: 1 } }), /ports\.http\n.*must not be http/],
  ["a port with a long name", two({ ports: { "a-very-long-name": 1 } }), /must be the name of a port: at most 15/],
  [
    "health in two ways",
    two({ health: { path: "/up", tcp: true } }),
    /health\n.* must have at most one of path, grpc, tcp, exec/,
  ],
  [
    "health by an unknown word",
    two({ health: "http" }),
    /health\n\s+"http" must be a path such as \/readyz, or one of grpc, tcp and none/,
  ],
  [
    "health with an unknown key",
    two({ health: { path: "/up", period: 1 } }),
    /health\.period\n\s+is not a key that is known here/,
  ],
  [
    "headers without a path",
    two({ health: { tcp: true, headers: { A: "b" } } }),
    /must have headers and host only with path/,
  ],
  ["a port for a command", two({ health: { exec: ["a"], port: 1 } }), /must have no port with exec/],
  [
    "health under both names",
    hoge({ health: "/a", healthPath: "/b" }),
    /healthPath\n\s+"\/b" is the former name of health; remove it/,
  ],
  [
    "a start that is slower than a rollout",
    { ...hoge({ health: { startSeconds: 150 } }), rolloutSeconds: 100 },
    /startSeconds\n\s+150 is more than rolloutSeconds, which is 100/,
  ],
  [
    "HTTP health of Redis",
    two({ image: "docker.io/library/redis:8.4" }),
    /health\n.*redis:8.*redis does not speak HTTP; set .*health to tcp/,
  ],
  [
    "HTTP health of Postgres",
    two({ image: "registry.example.com:5000/bitnami/postgresql:17@sha256:" + "0".repeat(64) }),
    /postgresql does not speak HTTP/,
  ],
  [
    "a secret that is not there",
    two({ env: { A: { secret: "DB" } } }),
    /env\.A\.secret\n\s+"DB" is not among the service's secrets, nor in .*secrets\.shared; set it/,
  ],
  [
    "a file's secret that is not there",
    two({ files: { "/a": { secret: "DB" } } }),
    /files\["\/a"\]\.secret\n\s+"DB" is not among/,
  ],
  [
    "a variable from two sources",
    two({ env: { A: { pod: "name", secret: "B" } } }),
    /env\.A\n.* must have exactly one of pod, secret, service, url, pods, expand/,
  ],
  [
    "an unknown field of the pod",
    two({ env: { A: { pod: "uid" } } }),
    /env\.A\.pod\n\s+"uid" is not one of these; allowed: name, namespace, ip, hostIp, node/,
  ],
  [
    "nothing to expand",
    two({ env: { A: { expand: "text" } } }),
    /"text" names no variable as \$\(NAME\); write the text as A, without expand/,
  ],
  [
    "an unknown variable to expand",
    two({ env: { HOST: "a", A: { expand: "$(HSOT)" } } }),
    /names HSOT, which is no variable of the service; allowed: .*did you mean "\$\(HOST\)"/,
  ],
  ["a variable that expands itself", two({ env: { A: { expand: "$(A)" } } }), /names itself/],
  [
    "a variable that is expanded too",
    two({ env: { A: { expand: "$(B)" }, B: { expand: "$(PORT)" } } }),
    /names B, which is expanded itself; write the text of B here/,
  ],
  [
    "a file from nothing",
    two({ files: { "/a": {} } }),
    /files\["\/a"\]\n.* must have exactly one of from, text, secret/,
  ],
  [
    "a file that does not exist",
    two({ files: { "/a": { from: "./nothing" } } }),
    /from\n\s+"\.\/nothing" does not exist; name a readable file/,
  ],
  ["a folder as a file", two({ files: { "/a": { from: "./services" } } }), /"\.\/services" is not a file/],
  [
    "a file below a file",
    two({ files: { "/a": { text: "" }, "/a/b": { text: "" } } }),
    /is a file, and \/a\/b is below it/,
  ],
  [
    "a file in place of a folder",
    two({ scratch: { "/a": "1Gi" }, files: { "/a": { text: "" } } }),
    /is or contains the folder \/a of scratch/,
  ],
  ["a file in place of /tmp", two({ files: { "/tmp": { text: "" } } }), /is or contains the folder \/tmp of scratch/],
  [
    "files of more than 1 MiB",
    two({ files: { "/a": { text: "a".repeat(2 ** 20) } } }),
    /files\n.* have 1,048,576 bytes together, and Kubernetes takes/,
  ],
  ["a relative path", two({ scratch: { tmp: "1Gi" } }), /must be an absolute path in the container/],
  [
    "a path with dots",
    two({ files: { "/a/../b": { text: "" } } }),
    /must have no empty part and no dots between slashes/,
  ],
  ["a file that is a folder", two({ files: { "/etc/x/": { text: "" } } }), /must have .* no slash at its end/],
  ["the root as a folder", two({ scratch: { "/": "1Gi" } }), /must have no empty part/],
  ["a path with a colon", two({ scratch: { "/a:b": "1Gi" } }), /must have no colon, comma or control character/],
  [
    "a file outside of the project",
    two({ files: { "/a": { from: "../secrets.env" } } }),
    /from\n\s+"\.\.\/secrets\.env" is outside of the project; move it into the project/,
  ],
  [
    "a file of the machine",
    two({ files: { "/a": { from: "/etc/hostname" } } }),
    /"\/etc\/hostname" is outside of the project/,
  ],
  ["the kernel's folders", two({ scratch: { "/proc/x": "1Gi" } }), /must not be below \/proc, \/sys or \/dev/],
  [
    "a scratch folder without unit",
    two({ scratch: { "/a": "512" } }),
    /must be at least 64Ki: without a unit it is bytes/,
  ],
  [
    "memory for more than there is",
    two({ scratch: { "/a": { size: "1Gi", memory: true } } }),
    /scratch\n.* may fill the pod's memory, of which there is 128Mi/,
  ],
  [
    "an autoscaler without max",
    two({ replicas: { min: 2 } }),
    /replicas\.max\n\s+is missing; it must be a number from 2/,
  ],
  [
    "an autoscaler without min",
    two({ replicas: { max: 2 } }),
    /replicas\.min\n\s+is missing; it must be a number from 1/,
  ],
  ["scaling to zero", two({ replicas: { min: 0, max: 3 } }), /replicas\.min\n\s+0 must be at least 1/],
  ["an autoscaler without a choice", two({ replicas: { min: 1, max: 1 } }), /replicas\.max\n\s+1 must be at least 2/],
  [
    "bounds the wrong way round",
    two({ replicas: { min: 3, max: 2 } }),
    /replicas\n.* must have a min that is at most max/,
  ],
  [
    "a target with a unit",
    two({ replicas: { min: 2, max: 3, cpu: "70%" } }),
    /replicas\.cpu\n\s+"70%" must be a number from 1 to 1000, without quotes and unit\n/,
  ],
  [
    "a target as an amount",
    two({ replicas: { min: 2, max: 3, memory: "500Mi" } }),
    /replicas\.memory\n\s+"500Mi" must be a number from 1 to 100, without quotes and unit\n/,
  ],
  [
    "more memory than a pod may have",
    two({ replicas: { min: 2, max: 3, memory: 120 } }),
    /replicas\.memory\n\s+120 must be at most 100/,
  ],
  [
    "bounds as text",
    two({ replicas: "2-10" }),
    /"2-10" must be a whole number from 1 to 100, or a map with min and max/,
  ],
  ["bounds as a list", two({ replicas: [2, 10] }), /\[2, 10\] must be a whole number from 1 to 100, or a map/],
  [
    "Kubernetes' own names",
    two({ replicas: { minReplicas: 2, maxReplicas: 10 } }),
    /minReplicas\n\s+is not a key that is known here; write min\n/,
  ],
  [
    "an autoscaler beside replicas",
    two({ autoscaling: { min: 2, max: 3 } }),
    /autoscaling\n.*; write replicas, a map with min, max and cpu/,
  ],
  ["root", two({ user: 0 }), /user\n\s+0 must be at least 1: root is not allowed/],
  ["a reserved label", two({ labels: { "app.kubernetes.io/name": "x" } }), /must not have a prefix of Kubernetes/],
  [
    "a reserved annotation",
    two({ annotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" } }),
    /must not have a prefix of Kubernetes/,
  ],
  [
    "a service called shared",
    stack({ shared: { image } }),
    /must not be shared: secrets\.shared are those of all services/,
  ],
  [
    "an unknown rollout",
    two({ rollout: "blue" }),
    /rollout\n\s+"blue" is not one of these; allowed: rolling, recreate/,
  ],
  [
    "a pool of a stack without pools",
    two({ nodes: { pool: "batch" } }),
    /nodes\.pool\n\s+"batch" needs node pools, and the stack has none; name labels/,
  ],
  [
    "metrics that nobody scrapes",
    two({ metrics: {} }),
    /metrics\n.* has no effect, because nobody scrapes; set .*proxy\.metrics\.scrape/,
  ],
  [
    "metrics of a worker without a port",
    { ...two({ metrics: {}, port: "none" }), proxy: { metrics: { scrape: "own" } } },
    /needs a port, and port is none; name a port in metrics/,
  ],
  [
    "two ports called metrics",
    { ...two({ metrics: { port: 9100 }, ports: { metrics: 9200 } }), proxy: { metrics: { scrape: "own" } } },
    /metrics\.port\n\s+9100 is not that of ports\.metrics/,
  ],
];
for (const [what, config, message] of refused)
  test(`refused: ${what}`, () => {
    assert.match(refusal(config), message);
  });

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const onGoogle = (nodes: object) => ({
  domain: valid.domain,
  cluster: {
    kind: "gke",
    nodePools: {
      main: {},
      gpus: { machineType: "g2-standard-8" },
      batch: {
        machineType: "t2a-standard-4",
        spot: true,
        labels: { disk: "fast" },
        taints: [{ key: "example.com/for", value: "batch", effect: "NO_SCHEDULE" }],
      },
    },
  },
  services: { shop: { image, nodes } },
});

test("pods that no pool takes are refused", () => {
  const message = (nodes: object) => refusal(onGoogle(nodes), google);
  assert.match(
    message({ pool: "main", spot: true }),
    /nodes\.spot\n\s+true is what the pool main does not have; remove it/,
  );
  assert.match(
    message({ pool: "main", arch: "arm64" }),
    /nodes\.arch\n.*; remove it, or add a pool of a series with Arm/,
  );
  assert.match(
    message({ pool: "batch", gpu: {} }),
    /nodes\.gpu\n.* is what the pool batch does not have; .* such as g2-standard-8/,
  );
  assert.match(message({ labels: { disk: "slow" } }), /nodes\.labels\.disk\n\s+"slow" is what no pool has/);
  assert.match(message({ gpu: {}, spot: true }), /nodes\n.* is together what no pool has/);
  for (const nodes of [
    { spot: true, arch: "arm64", labels: { disk: "fast" } },
    { arch: "amd64" },
    { gpu: { type: "nvidia-l4" }, arch: "amd64" },
    { labels: { "topology.kubernetes.io/zone": "asia-northeast1-a" } },
  ])
    checkConfig(raw(onGoogle(nodes), google), "test", projectDir);
});

test("labels that no node of Autopilot gets are warned of; those of Google and of a compute class are not", () => {
  const warningsOf = (labels: object, cluster: object = { kind: "gke", mode: "autopilot" }) => {
    const config = { domain: valid.domain, cluster, services: { shop: { image, nodes: { labels } } } };
    return checkConfig(raw(config, google), "test", projectDir).warnings.filter((text) =>
      text.includes("nodes.labels"),
    );
  };
  assert.match(
    warningsOf({ disk: "fast", "topology.kubernetes.io/zone": "asia-northeast1-a" }).join("\n"),
    /^\S+services\.shop\.nodes\.labels\.disk: is a label that Autopilot gives to no node, .*; remove it, or choose .*compute-class$/,
  );
  for (const labels of [
    { "cloud.google.com/machine-family": "c3", "kubernetes.io/arch": "amd64" },
    { "cloud.google.com/compute-class": "batch", disk: "fast" },
  ])
    assert.deepEqual(warningsOf(labels), []);
  assert.deepEqual(
    warningsOf({ disk: "fast" }, { kind: "gke", nodePools: { main: { labels: { disk: "fast" } } } }),
    [],
  );
});

test("a service that is like its caller does not call itself", () => {
  const { services } = settingsOf(
    stack({ web: { image, calls: ["api", "cart"] }, api: { like: "web", port: 9000 }, cart: { image } }),
  );
  assert.deepEqual(services["api"]?.calls, ["cart"]);
  assert.deepEqual(services["web"]?.calls, ["api", "cart"]);
});

test("a pool is chosen by a label of its nodes, and its taints are accepted", () => {
  const { settings } = checkConfig(
    raw(onGoogle({ pool: "batch", spot: true, arch: "arm64" }), google),
    "test",
    projectDir,
  );
  const { cluster, services } = settings;
  assert.ok(cluster.kind === "gke");
  assert.deepEqual(
    Object.values(cluster.nodePools).map(({ labels }) => labels),
    [{}, {}, { disk: "fast", "gke-microservices/pool": "batch" }],
  );
  const accepted = { operator: "Equal", effect: "NoSchedule" };
  assert.deepEqual(services["shop"] && nodesOf(services["shop"], cluster), {
    labels: { "gke-microservices/pool": "batch", "cloud.google.com/gke-spot": "true", "kubernetes.io/arch": "arm64" },
    tolerations: [
      { ...accepted, key: "example.com/for", value: "batch" },
      { ...accepted, key: "cloud.google.com/gke-spot", value: "true" },
      { ...accepted, key: "kubernetes.io/arch", value: "arm64" },
    ],
  });
  const { settings: withGpu } = checkConfig(
    raw(onGoogle({ gpu: { type: "nvidia-l4", count: 2 } }), google),
    "test",
    projectDir,
  );
  assert.deepEqual(withGpu.services["shop"] && nodesOf(withGpu.services["shop"], cluster), {
    labels: { "cloud.google.com/gke-accelerator": "nvidia-l4" },
    tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
    devices: { "nvidia.com/gpu": "2" },
  });
  assert.match(
    refusal({ ...onGoogle({ gpu: {} }), cluster: { kind: "gke", mode: "autopilot" } }, google),
    /nodes\.gpu\n.* has no type, and Autopilot makes nodes for one; set type/,
  );
  assert.match(
    refusal(onGoogle({ pool: "btach" }), google),
    /"btach" is not one of cluster\.nodePools; allowed: main, gpus, batch; did you mean "batch"/,
  );
  assert.match(
    refusal(onGoogle({ pool: "main", spot: true }), google),
    /nodes\.spot\n\s+true is what the pool main does not have/,
  );
});

const warned: readonly (readonly [what: string, config: Record<string, unknown>, message: RegExp])[] = [
  ["the former name", hoge({ healthPath: "/up" }), /healthPath: is now called health; write health: \/up/],
  ["recreate with routes", hoge({ rollout: "recreate" }), /rollout: recreate stops all pods/],
  [
    "recreate with two pods",
    hoge({ rollout: "recreate", routes: [] }),
    /rollout: recreate is for a program that must not run twice, and 2 pods of it run at once; set replicas: 1/,
  ],
  [
    "a probe in Compose's form",
    two({ health: { exec: ["CMD-SHELL", "redis-cli ping"] } }),
    /health\.exec: CMD-SHELL is a word of Compose, and no program; write \[sh, -c, "redis-cli ping"\]/,
  ],
  ["a probe in one word", two({ health: { exec: ["redis-cli ping"] } }), /health\.exec: "redis-cli ping" is one word/],
  ["the port of a database", two({ port: 3306 }), /health: is GET \/healthz .* port 3306 is that of MySQL; set tcp/],
  [
    "a variable in plain text",
    two({ env: { PASSWORD: "x", URL: "redis://:$(PASSWORD)@r" } }),
    /env\.URL: \$\(PASSWORD\) stays as it is; write { expand: "…\$\(PASSWORD\)…" }/,
  ],
  [
    "a variable as shells write it",
    two({ env: { PASSWORD: "x", URL: { expand: "redis://$(PASSWORD):${PASSWORD}@r" } } }),
    /env\.URL: \${PASSWORD} stays as it is/,
  ],
  [
    "the name of a host that may not be called",
    two({ env: { CART_HOST: "cart" } }),
    /env\.CART_HOST: "cart" is the name of cart, which the service may not call; add cart to calls/,
  ],
  ["a command in one word", two({ command: ["bundle exec puma"] }), /command: "bundle exec puma" is one word/],
  ["a shell's variable without a shell", two({ args: ["--port=$PORT"] }), /args: "--port=\$PORT" stays as it is/],
  ["another PORT", two({ env: { PORT: 3000 } }), /env\.PORT: is 3000, and the service's port is 8080/],
  [
    "an address that may not be called",
    two({ env: { CART: "cart:8080" } }),
    /env\.CART: "cart:8080" .* may not call; write { service: cart }, or add cart to calls/,
  ],
  ["a URL that may not be called", two({ env: { CART: "http://cart:8080/x" } }), /write { url: cart }/],
  [
    "a URL with another port",
    two({ env: { CART: "http://cart/" }, calls: ["cart"] }),
    /names port 80 of cart, and callers use 8080/,
  ],
  [
    "an address with the namespace",
    two({ env: { CART: "cart.apps.svc.cluster.local:7070" }, calls: ["cart"] }),
    /names port 7070 of cart/,
  ],
  ["an address of a worker", two({ env: { CART: "cart:80" } }, { port: "none" }), /which is a worker without a port/],
];
for (const [what, config, message] of warned)
  test(`warned of: ${what}`, () => {
    assert.match(checked(config).warnings.join("\n"), message);
  });

test("an address outside is noted, unless egress allows some or it is the stack's own", () => {
  const notes = (env: object, more: object = {}) =>
    checked(two({ env, ...more })).notes.filter((note) => note.includes("egress"));
  const [note, ...others] = notes({
    STRIPE: "https://api.stripe.com/v1",
    DB: { expand: "postgres://u:$(PORT)@db.example.net/x" },
  });
  assert.match(note ?? "", /services\.shop\.env: STRIPE, DB name addresses outside of the cluster/);
  assert.deepEqual(others, []);
  assert.deepEqual(notes({ A: "https://api.stripe.com" }, { egress: [{ cidr: "203.0.113.0/24", ports: [443] }] }), []);
  for (const own of [
    `https://${valid.domain}/`,
    `https://hoge.${valid.domain}`,
    "http://cart.apps.svc.cluster.local",
    "info",
    "1.2.3.4",
  ])
    assert.deepEqual(notes({ A: own }), [], own);
});

test("a service that is like one with another health check is asked in a way that its program may not know", () => {
  const warningsOf = (shop: object, copy: object = {}) =>
    checked(stack({ shop: { image, ...shop }, copy: { like: "shop", ...copy } })).warnings.filter((text) =>
      text.includes("copy.health"),
    );
  const grpc = { routes: [{ path: "/shop.v1.Orders/", protocol: "grpc" }] };
  for (const [shop, written] of [
    [{ health: "grpc" }, "grpc"],
    [grpc, "grpc"],
    [{ ...grpc, health: { startSeconds: 90 } }, '{ grpc: "", startSeconds: 90 }'],
    [{ health: "tcp", port: 6379 }, "tcp"],
    [{ health: "none" }, "none"],
    [{ health: "/up" }, "/up"],
    [{ healthPath: "/up" }, "/up"],
    [{ health: { path: "/up", port: 9000 } }, "{ path: /up, port: 9000 }"],
    [{ health: { exec: ["true"] } }, '{ exec: ["true"] }'],
    [{ health: { startSeconds: 300 } }, "{ startSeconds: 300 }"],
  ] as const) {
    const [warning = "", ...others] = warningsOf(shop, "port" in shop ? { port: shop.port } : {});
    assert.deepEqual(others, []);
    const fix = `is GET /healthz without the key, and shop, which runs the same image, has ${written}; write health: ${written}, or`;
    assert.ok(warning.includes(fix), `${written}: ${warning}`);
  }
  for (const [shop, copy] of [
    [{}, {}],
    [{ health: "/healthz" }, {}],
    [{ port: "none" }, { port: 80 }],
    [{ health: "grpc" }, { health: "/healthz" }],
    [{ health: "grpc" }, { port: "none" }],
    [{ health: "grpc" }, { image: "registry.example.com/other:1" }],
    [{ health: "grpc" }, { routes: [{ path: "/web/" }] }],
    [grpc, { routes: [{ path: "/shop.v1.Admin/", protocol: "grpc" }] }],
  ])
    assert.deepEqual(warningsOf(shop ?? {}, copy), []);
  assert.match(
    refusal(stack({ cache: { image: "redis:8", port: 6379, health: "tcp" }, more: { like: "cache", port: 6379 } })),
    /^1 problem [^]*more\.health\n.*redis does not speak HTTP; write health: tcp here too, which like does not take over/,
  );
});

test("a name in $(…) that is no variable is answered with the one that is meant", () => {
  const secrets = { shared: { COMMON: "c" }, shop: { TOKEN: "t", KEY: "k" } };
  const env = { DB_PASSWORD: "x", HELD: { secret: "TOKEN" } };
  const found = (expand: string) => refusal(stack({ shop: { image, env: { ...env, U: { expand } } } }, { secrets }));
  for (const [expand, fix] of [
    ["$(DB_PASWORD)", 'did you mean "$(DB_PASSWORD)"?'],
    ["$(KEYX)", 'did you mean "$(KEY)"?'],
    ["$(key)", 'did you mean "$(KEY)"?'],
    ["$( KEY )", 'did you mean "$(KEY)"?'],
    ["$(UX)", "allowed: DB_PASSWORD, HELD, KEY, PORT\n"],
    ["$(TOKEN)", "; write $(HELD), which holds that secret"],
    ["$(COMMON)", "; add COMMON: { secret: COMMON } to env"],
    ["a${KEY}", "; write $(KEY) instead of ${KEY}"],
  ] as const) {
    assert.match(found(expand), /^1 problem /, expand);
    assert.ok(found(expand).includes(fix), found(expand));
  }
  assert.match(found("$(NO) $(NO)"), /^1 problem /);
  const { warnings } = checked(
    stack(
      {
        shop: { image, env, args: ["--key=$(KEYX)", "$(KEY)", "$(TOKEN)", "$(PORT)"] },
        jobs: { image, command: ["sh", "-c", "echo $(date)"] },
      },
      { secrets },
    ),
  );
  assert.deepEqual(
    warnings.map((text) => text.replace(/^[^ ]+services\./, "")),
    [
      'shop.args: $(KEYX) stays as it is, because the service has no variable of that name; did you mean "$(KEY)"?',
      "shop.args: $(TOKEN) stays as it is, because the service has no variable of that name",
    ],
  );
});

test("a warning shows no password of an address", () => {
  const { warnings } = checked(two({ env: { DB: "postgres://app:canary@cart:5432/shop" }, calls: ["cart"] }));
  assert.match(warnings.join(), /"postgres:\/\/…@cart:5432\/shop" names port 5432/);
});

test("memory for /dev/shm can be given, as databases need", () => {
  checked(two({ scratch: { "/dev/shm": { size: "64Mi", memory: true } } }));
});

test("what is right is not warned of", () => {
  const quiet = [
    two({ env: { CART: "cart:8080", A: "cart", B: "cart:1.2", C: "https://cart.example.com/" }, calls: ["cart"] }),
    two({ env: { CART: "http://cart:9090" }, calls: ["cart"] }, { ports: { admin: 9090 } }),
    two({ env: { CART: "redis://cart" }, calls: ["cart"] }, { image: "redis:8", port: 6379, health: "tcp" }),
    two({ command: ["/bin/sh", "-c", "echo $HOME && exec app"] }),
    two({ args: ["--price=5$", "$(PORT)"] }),
  ];
  for (const config of quiet) assert.deepEqual(checked(config).warnings, []);
});
