/** The config reference matches the schema, its examples are valid, and the JSON Schema finds errors in stack files. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { format } from "prettier";
import { parse } from "yaml";
import { schema } from "../../../config/schema.ts";
import { projectDir, stacksDir } from "../../../tools/cli/paths.ts";
import { configSchema, schemaFile, stackFileSchema } from "../../../tools/reference/jsonSchema.ts";
import { keysOf, page, type Key } from "../../../tools/reference/page.ts";

const read = (file: string, folder = projectDir) => readFileSync(join(folder, file), "utf8");
const keys = keysOf(configSchema());

test("docs/config.md and config.schema.json are the output of `npm run reference`", async () => {
  assert.equal(read("docs/config.md"), page(configSchema()));
  const json = await format(JSON.stringify(stackFileSchema()), { parser: "json", printWidth: 120 });
  assert.equal(read(schemaFile), json);
});

test("every key has a meaning and an example", () => {
  assert.ok(keys.length > 200, `${keys.length} keys`);
  for (const { path, schema: key } of keys) {
    assert.match(key.description ?? "", /^[A-Z`].*\.$/, path);
    assert.equal(key.examples?.length, 1, path);
  }
});

test("Pulumi.yaml names the keys of each object that it describes, unless an ellipsis stands for some", () => {
  const { config } = parse(read("Pulumi.yaml")) as { config: Record<string, { description: string }> };
  for (const { path } of keys) {
    const [, top = "", name = ""] = /^(\w+)(?:\.NAME)?\.(\w+)$/.exec(path) ?? [];
    const { description } = config[top] ?? { description: "…" };
    const isNamed = description.includes("…") || new RegExp(`\\b${name}\\b`).test(description);
    assert.ok(isNamed, `Name "${name}" in the description of ${top} in Pulumi.yaml and test/stacks/Pulumi.yaml.`);
  }
});

// When a release is made, the keys that are new in it go on saying since when: only those of the first one need not.
test("a key that the first release did not have says since when it exists", () => {
  const first = new Set(read("test/tools/reference/keys-0.1.0.txt").trim().split("\n"));
  for (const { path, schema: key } of keys)
    assert.equal(
      / Since \d+\.\d+\.\d+\.$/.test(key.description ?? ""),
      !first.has(path),
      `${path}: say since when a new key exists, with the next version as third argument of doc()`,
    );
});

type Holder = Record<string, unknown>;
const exampleOf = (path: string, choices: readonly string[]): unknown =>
  structuredClone(
    keys.find((key) => key.path === path && key.choices.every((each) => choices.includes(each)))?.schema.examples?.[0],
  );
/** Other keys that an alternative requires. */
const required: Readonly<Record<string, Holder>> = {
  "cluster.kind: existing": { context: "kind-shop" },
  "edge.kind: ingress": { className: "contour" },
  "services.NAME.scratch.NAME.memory": { size: "1Gi" },
  "edge.trustedProxies": { className: "contour" }, // Not allowed for Google's classes, whose proxies are known.
  "cluster.endpoint.kind: ip": { authorizedNetworks: { office: "203.0.113.0/24" } },
};

/** The key that must not be set together with this one. */
const excludes: Readonly<Record<string, string>> = {
  "dns.create": "zone",
  "services.NAME.build": "image",
  "proxy.build": "image",
  "registry.immutableTags": "keep",
  "services.NAME.health.grpc": "path",
  "services.NAME.health.tcp": "path",
  "services.NAME.health.exec": "path",
  "services.NAME.sidecars.NAME.health.grpc": "path",
  "services.NAME.sidecars.NAME.health.tcp": "path",
  "services.NAME.sidecars.NAME.health.exec": "path",
  "services.NAME.files.NAME.text": "from",
  "services.NAME.files.NAME.secret": "from",
  "services.NAME.routes[].versions[].cookie": "header",
};

/** A value of the top-level key with this key's example in it. The keys above have their own examples. */
function valueWith({ path, choices, schema: key }: Key): unknown {
  const parts = path.replaceAll("[]", ".[]").split(".");
  const [top = ""] = parts;
  const root: Holder = { [top]: exampleOf(top, []) };
  let holder = root;
  for (const [index, part] of parts.entries()) {
    const here = parts
      .slice(0, index + 1)
      .join(".")
      .replaceAll(".[]", "[]");
    const name = part === "[]" ? "0" : part === "NAME" ? (Object.keys(holder)[0] ?? "example") : part;
    Reflect.deleteProperty(holder, excludes[here] ?? "");
    if (index === parts.length - 1) {
      holder[name] = structuredClone(key.examples?.[0]);
      break;
    }
    if (typeof holder[name] !== "object") holder[name] = exampleOf(here, choices) ?? { ...required[path] };
    for (const choice of choices) {
      const [, parent, discriminator = "", value] = /^(.*)\.(\w+): (.*)$/.exec(choice) ?? [];
      if (parent === here && (holder[name] as Holder)[discriminator] !== value)
        holder[name] = { [discriminator]: value, ...required[choice], ...required[path] };
    }
    holder = holder[name] as Holder;
  }
  return root[top];
}

test("the example of every key is valid", () => {
  for (const key of keys) {
    const top = key.path.split(/[.[]/)[0] as keyof typeof schema.shape;
    const value = valueWith(key);
    const { error } = schema.shape[top].safeParse(value);
    assert.equal(error, undefined, `${key.path} (${key.choices.join()}): ${JSON.stringify(value)}\n${String(error)}`);
  }
});

const validate = new Ajv({
  strict: false,
  allErrors: true,
  formats: { "date-time": true, cidrv4: true, cidrv6: true },
}).compile(stackFileSchema());
/** Paths at which an editor would show an error. */
const wrong = (document: unknown): string[] =>
  validate(document) ? [] : (validate.errors ?? []).map(({ instancePath }) => instancePath);

test("the stack files are valid, and name the schema in their first line", () => {
  for (const stack of ["local", "staging", "production"]) {
    const text = read(`Pulumi.${stack}.yaml`, stacksDir);
    assert.match(text, /^# yaml-language-server: \$schema=config\.schema\.json\n/);
    assert.deepEqual(wrong(parse(text)), [], stack);
  }
});

test("the schema finds an unknown key, a wrong type, a wrong value and a key outside config; it accepts encrypted secrets", () => {
  const staging = parse(read("Pulumi.staging.yaml", stacksDir)) as { config: Holder };
  const { services, ...rest } = staging.config;
  const full = { ...rest, "gke-microservices:services": services };
  assert.deepEqual(wrong({ config: full, encryptionsalt: "v1:…" }), []);
  assert.deepEqual(wrong({ config: { ...full, secrets: { hoge: { KEY: { secure: "…" } } } } }), []);
  const service = (changes: Holder) => ({ config: { ...rest, services: { hoge: { image: "a/b:1", ...changes } } } });
  assert.deepEqual(
    wrong({
      config: { ...rest, services: { hoge: { image: "a/b:1" }, jobs: { like: "hoge", args: null, env: { A: null } } } },
    }),
    [],
  );
  assert.ok(wrong({ config: { ...rest, services: { hoge: { port: 1 } } } }).includes("/config/services/hoge"));
  assert.ok(wrong(service({ healthPaht: "/readyz" })).includes("/config/services/hoge"));
  assert.ok(wrong(service({ port: "8080" })).includes("/config/services/hoge/port"));
  assert.ok(wrong(service({ replicas: 0 })).includes("/config/services/hoge/replicas"));
  assert.ok(wrong({ config: { ...rest, servces: {} } }).includes("/config"));
  assert.ok(wrong({ ...staging, "gke-microservices:services": services }).includes(""));
});

test("the defaults that the reference gives for a route are those of nginx.conf", () => {
  const conf = read("nginx/nginx.conf");
  const written = (pattern: RegExp) => pattern.exec(conf)?.[1];
  const description = (name: string) =>
    keys.find(({ path }) => path.endsWith(`routes[].${name}`))?.schema.description ?? "";
  const body = /Without it: (\d+), and no limit with gRPC\.$/.exec(description("maxBodyMb"))?.[1];
  assert.equal(body, "10");
  assert.equal(body, written(/^ {4}client_max_body_size (\d+)m;$/m));
  const timeout = /Without it: (\d+), /.exec(description("timeoutSeconds"))?.[1];
  assert.equal(timeout, "35");
  assert.equal(timeout, written(/^ {4}proxy_read_timeout (\d+)s;$/m));
  const header = /Without it: (\d+)\. /.exec(description("maxResponseHeaderKb"))?.[1];
  assert.equal(header, "16");
  assert.equal(header, written(/^ {4}proxy_buffer_size (\d+)k;$/m));
});
