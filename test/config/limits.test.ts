/** Sizes and forms that Kubernetes or Linux would refuse after the preview are refused before it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { literal } from "../../names/kubernetes.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

const accepted = (config: Record<string, unknown>) => checkConfig(raw(config), "test", projectDir).settings;
const many = (services: number, routes: number) => ({
  ...valid,
  services: Object.fromEntries(
    Array.from({ length: services }, (_, service) => [
      `service-${service}`,
      { image: "a/b:1", routes: Array.from({ length: routes }, (_, route) => ({ path: `/${service}/${route}/` })) },
    ]),
  ),
});

test("routes that do not fit into a ConfigMap are refused with both sizes", () => {
  assert.match(
    refusal(many(200, 15)),
    /gke-microservices:services\n\s+\{ services: 200, routes: 3000 \} make 1,\d{3},\d{3} bytes of nginx config, and a ConfigMap has room for 1,044,480; use fewer routes/,
  );
  accepted(many(200, 12));
});

test("a variable that Linux cannot pass to a program is refused, the longest that it can is not", () => {
  const most = 131_071 - "A=".length;
  assert.match(
    refusal(hoge({ env: { A: "x".repeat(most + 1) } })),
    /services\.hoge\.env\.A\n\s+"x+… has 131,070 bytes, and Linux starts no program with a variable of 131,072 or more/,
  );
  assert.match(refusal(hoge({ env: { A: "é".repeat(most / 2 + 1) } })), /has 131,07\d bytes/);
  accepted(hoge({ env: { A: "x".repeat(most) } }));
  const secret = { ...valid, secrets: { hoge: { A: "x".repeat(140_000) } } };
  assert.match(refusal(secret), /secrets\.hoge\.A\n\s+\(secret\) has 140,000 bytes/);
  const together = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`A${index}`, "x".repeat(120_000)]));
  assert.match(
    refusal(hoge({ env: together })),
    /services\.hoge\.env\n\s+\[A0, .* have 1,080,018 bytes together, and Kubernetes takes 1,048,576/,
  );
  assert.match(
    refusal({ ...valid, secrets: { hoge: together } }),
    /secrets\.hoge\n\s+\(secret\) have 1,080,018 bytes together/,
  );
});

test("an argument that Linux cannot pass to a program is refused, wherever it is", () => {
  const word = "x".repeat(131_071);
  for (const place of ["args", "command", "health.exec"]) {
    const [key = "", inner] = place.split(".");
    const with_ = (...words: string[]) => hoge({ [key]: inner === undefined ? words : { [inner]: words } });
    accepted(with_("sh", "-c", word));
    assert.match(
      refusal(with_("sh", "-c", `${word}x`)),
      new RegExp(
        `^1 problem[^]*services\\.hoge\\.${place.replace(".", "\\.")}\\[2\\]\\n\\s+"x+… has 131,072 bytes, and Linux starts no program with an argument of 131,072 or more; put`,
      ),
    );
  }
});

test("text that names variables counts with their values", () => {
  const half = "x".repeat(65_600);
  const named = (env: object, more: object = {}) => hoge({ env: { A: half, ...env }, ...more });
  accepted(named({ B: { expand: "$(A)y" } }, { args: ["$(A)y"] }));
  assert.match(
    refusal(named({ B: { expand: "$(A)$(A)" } })),
    /^1 problem[^]*services\.hoge\.env\.B\n\s+"\$\(A\)\$\(A\)" has 131,200 bytes, and Linux starts no program with a variable/,
  );
  assert.match(
    refusal(named({}, { command: ["sh", "$(A)$(A)"] })),
    /services\.hoge\.command\[1\]\n\s+"\$\(A\)\$\(A\)" has 131,200 bytes/,
  );
  const secret = { ...hoge({ args: ["$(S)$(S)"] }), secrets: { hoge: { S: half } } };
  assert.match(refusal(secret), /args\[0\]\n\s+"\$\(S\)\$\(S\)" has 131,200 bytes/);
  accepted(hoge({ args: ["$(S)$(S)"] })); // No such variable.
});

test("all long texts of a service fit into a Deployment, and what a program starts with into Linux' limit", () => {
  const text = "x".repeat(100_000);
  const texts = (length: number) => Array.from({ length }, () => text);
  const message = (key: string) =>
    new RegExp(
      `^1 problem[^]*services\\.hoge\\.${key}\\n.* make a Deployment of about 1,\\d+,\\d+ bytes, and Kubernetes takes 1,572,864; put some`,
    );
  accepted(hoge({ args: texts(14) }));
  assert.match(refusal(hoge({ args: texts(16) })), message("args"));
  assert.match(refusal(hoge({ command: texts(10), args: texts(6) })), message("command"));
  assert.match(refusal(hoge({ health: { exec: texts(16) } })), message("health\\.exec"));
  assert.match(refusal(hoge({ health: { path: "/", headers: { A: text.repeat(16) } } })), message("health\\.headers"));
  assert.match(refusal(hoge({ env: { A: text }, args: texts(15) })), message("args"));
  const secrets = { hoge: Object.fromEntries(texts(10).map((value, at) => [`S${at}`, value])) };
  accepted({ ...hoge({ args: texts(10) }), secrets });
  assert.match(
    refusal({ ...hoge({ args: texts(11) }), secrets }),
    /services\.hoge\.env\n.* have 2,100,\d+ bytes with secrets\.hoge, command and args, and Linux starts a program with at most 2,097,152/,
  );
});

test("annotations of pods have the same limit", () => {
  const most = 258_048 - "example.com/a".length;
  const annotations = (size: number) => hoge({ annotations: { "example.com/a": "x".repeat(size) } });
  accepted(annotations(most));
  assert.match(
    refusal(annotations(most + 1)),
    /^1 problem[^]*services\.hoge\.annotations\n\s+\[example\.com\/a\] have 258,049 bytes together, and there is room for 258,048/,
  );
});

test("annotations that Kubernetes does not take are refused", () => {
  const edge = (size: number) => ({
    ...valid,
    edge: { ...valid.edge, annotations: { "example.com/a": "x".repeat(size) } },
  });
  // 256 KiB with those of the program, for which 4 KiB are left.
  const most = 258_048 - "example.com/a".length;
  accepted(edge(most));
  for (const size of [most + 1, 262_144 - "example.com/a".length, 262_144])
    assert.match(
      refusal(edge(size)),
      /edge\.annotations\n\s+\[example\.com\/a\] have 2\d\d,\d{3} bytes together, and there is room for 258,048 of the 262,144 that Kubernetes takes/,
    );
});

test("names of variables are those that Kubernetes takes", () => {
  for (const name of ["discovery.type", "cluster.name", "MY-VAR", "_x", "-a", ".a", "a1"])
    accepted(hoge({ env: { [name]: "1" } }));
  for (const name of ["1a", "", "a b", "a=b", "..", "..a", ".", "é", "a/b", "x".repeat(254)])
    assert.match(refusal(hoge({ env: { [name]: "1" } })), /services\.hoge\.env/, name);
});

test("image references are those that registries take", () => {
  const digest = `@sha256:${"a".repeat(64)}`;
  for (const image of [
    ...["a:1", "a/b:1", "registry.example.com/a/b-c_d.e__f:1.4.2", "localhost:5000/a:1", "Registry.Example.com/a:1"],
    ...[
      "a--b:1",
      `a${digest}`,
      `a/b:1${digest}`,
      "1.2.3.4:5000/a:x_Y-z.1",
      "asia-northeast1-docker.pkg.dev/acme/apps/hoge:1",
    ],
  ])
    assert.equal(accepted(hoge({ image })).services["hoge"]?.image, image);
  for (const image of [
    ...[
      "r.example.com/a..b:1",
      "/-a:1",
      "a.-b.com/x:1",
      "-a.com/x:1",
      "a-.com/x:1",
      "a/-b:1",
      "a/b-:1",
      "a/_b:1",
      "a___b:1",
    ],
    ...[
      "a//b:1",
      "a/:1",
      "/a:1",
      "a/B:1",
      "a:-1",
      "a:1:2",
      "a.b.com:x/c:1",
      "a b:1",
      "a/.b:1",
      "a._b:1",
      "a/b:",
      "a@sha256:abc",
      "é:1",
    ],
    ...["https://a.com/b:1", `a:${"x".repeat(129)}`],
  ])
    assert.match(refusal(hoge({ image })), /services\.hoge\.image/, image);
});

/** https://github.com/kubernetes/kubernetes/blob/v1.34.0/third_party/forked/golang/expansion/expand.go */
function expanded(value: string, variables: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$(\$|\(([^)]*)\))/g, (all, next: string, name?: string) =>
    next === "$" ? "$" : (variables[name ?? ""] ?? all),
  );
}

test("text with $ reaches the program as it is written", () => {
  for (const text of [
    "a$$b",
    "$(HOME)",
    "$$(HOME)",
    "$$$",
    "$",
    "a$b",
    "${A}",
    "$(",
    "$()",
    "$$$$(A)$",
    "pa$$w0rd",
    "$(A)$(B)",
    "^a$",
  ]) {
    assert.equal(expanded(literal(text), { HOME: "/root", A: "1", B: "2", "": "3" }), text, text);
    if (!/\$[$(]/.test(text)) assert.equal(literal(text), text);
  }
});

const variables = (count: number, length: number, prefix = "V") =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, "x".repeat(length)]));

test("variables and secrets together fit into what Linux starts a program with", () => {
  const both = (length: number) => ({
    ...hoge({ env: variables(8, length) }),
    secrets: { hoge: variables(8, length, "S") },
  });
  accepted(both(120_000));
  assert.match(
    refusal(both(130_000)),
    /services\.hoge\.env\n\s+\[V0,.* have 2,080,192 bytes with secrets\.hoge, command and args, and Linux starts a program with at most 2,097,152; put some/,
  );
});

test("variables fit into a Deployment, as they are written there", () => {
  accepted(hoge({ env: variables(8, 120_000) }));
  const message =
    /services\.hoge\.env\n.* make a Deployment of about [\d,]+ bytes, and Kubernetes takes 1,572,864; put some/;
  const dollars = Object.fromEntries(Object.keys(variables(8, 0)).map((name) => [name, "$".repeat(120_000)]));
  assert.match(refusal(hoge({ env: dollars })), message); // Each $ is doubled.
  accepted(hoge({ env: variables(10_000, 0) }));
  assert.match(refusal(hoge({ env: variables(100_000, 0) })), message);
});

test("keys and values of annotations are those that Kubernetes takes", () => {
  for (const kind of ["annotations", "grpcServiceAnnotations"]) {
    const edge = (key: string, value: unknown) => ({ ...valid, edge: { ...valid.edge, [kind]: { [key]: value } } });
    for (const [key, value] of [
      ["nginx.ingress.kubernetes.io/rewrite-target", "/$1"],
      ["Example.COM/Key_1", "line\nbreak"],
      ["k".repeat(63), ""],
      ["timeout", 60],
    ] as const)
      accepted(edge(key, value));
    for (const key of [
      "a b",
      "",
      "a/b/c",
      "/a",
      "a/",
      "-k",
      "é",
      "k".repeat(64),
      `${"a".repeat(254)}/k`,
      "a_b.example/k",
    ])
      assert.match(
        refusal(edge(key, "x")),
        new RegExp(`edge\\.${kind}.*\\n\\s+".* must be the key of an annotation`),
        key,
      );
    for (const value of ["\0", "\u0085"]) assert.match(refusal(edge("k", value)), /must have no NUL/);
    assert.match(refusal(edge("k", true)), /\.k\n\s+true must be text; write "true", with the quotes/);
  }
});

test("registries may have ports and addresses, names 255 characters, digests SHA-512", () => {
  for (const image of ["[fd00::1]:5000/a:1", `a@sha512:${"0a".repeat(64)}`, `r.example.com:65535/${"a".repeat(235)}:1`])
    assert.equal(accepted(hoge({ image })).services["hoge"]?.image, image);
  for (const image of ["r.example.com:123456/a:1", `a@sha512:${"a".repeat(64)}`, `r.example.com/${"a".repeat(242)}:1`])
    assert.match(refusal(hoge({ image })), /services\.hoge\.image/, image);
  for (const image of ["r.example.com:65536/a:1", "[::1]:99999/a/b:1", `localhost:70000/a@sha256:${"a".repeat(64)}`])
    assert.match(refusal(hoge({ image })), /^1 problem[^]*must have a port of at most 65535/, image);
  for (const image of ["a:65536", "a/b:99999", "r.example.com/a:70000"]) accepted(hoge({ image })); // Tags.
});

test("quantities have fractions and all units", () => {
  for (const resources of [{ memory: "1.5Gi" }, { memory: "0.001Ti" }, { cpu: ".5" }, { cpu: 2 }, { cpu: "1.5m" }])
    accepted(hoge({ resources }));
  for (const resources of [{ cpu: "0.5u" }, { memory: "1.5" }, { memory: "512m" }, { memory: "1GB" }])
    assert.match(refusal(hoge({ resources })), /must be an amount of/, JSON.stringify(resources));
});

test("classes are names of objects; namespaces are not those of GKE", () => {
  for (const className of ["nginx.example.com", "1nginx"]) accepted({ ...valid, edge: { kind: "ingress", className } });
  for (const className of ["Nginx", "a_b", "a..b", ""])
    assert.match(refusal({ ...valid, edge: { kind: "ingress", className } }), /edge\.className/);
  for (const namespace of ["gke-managed-system", "gke-gmp-system", "gmp-public"])
    assert.match(refusal({ ...valid, namespace }), /namespace\n\s+".*" must not be one that GKE manages/);
  accepted({ ...valid, namespace: "gke-shop" });
});

test("a service named default gets no roles: every pod would have them", () => {
  const services = { default: { image: "a:1", roles: ["roles/pubsub.publisher"] } };
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  const onGke = {
    ...valid,
    cluster: { kind: "gke" },
    edge: { kind: "gce" },
    registry: { kind: "artifact-registry" },
    services,
  };
  assert.match(
    refusal(onGke, google),
    /services\.default\.roles\n.* would be those of every pod: they run as the account default, and the service has its name; give/,
  );
  accepted({ ...valid, services: { default: { image: "a:1" } } });
});
