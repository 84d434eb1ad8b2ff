/** Sizes and forms that Kubernetes or Linux would refuse after the preview are refused before it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { literal } from "../../components/workloads/microservice.ts";
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
    /gke-microservices:services\n\s+\{"services":200,"routes":3000\} make 1,\d{3},\d{3} bytes of nginx config, and a ConfigMap has room for 1,044,480; use fewer routes/,
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
    /services\.hoge\.env\n\s+\["A0".* have 1,080,018 bytes together, and Kubernetes takes 1,048,576/,
  );
  assert.match(
    refusal({ ...valid, secrets: { hoge: together } }),
    /secrets\.hoge\n\s+\(secret\) have 1,080,018 bytes together/,
  );
});

test("annotations that Kubernetes does not take are refused", () => {
  const edge = (size: number) => ({
    ...valid,
    edge: { ...valid.edge, annotations: { "example.com/a": "x".repeat(size) } },
  });
  assert.match(
    refusal(edge(262_144)),
    /edge\.annotations\n\s+\["example\.com\/a"\] have 262,157 bytes together, and Kubernetes takes 262,144/,
  );
  accepted(edge(262_144 - "example.com/a".length));
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
