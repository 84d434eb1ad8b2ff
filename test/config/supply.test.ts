/** The config of images and of the services' Google roles. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fullKey } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";

const projectDir = join(import.meta.dirname, "../..");

const service = { image: "registry.example.com/hoge:1.4.2", routes: [{ path: "/" }] };
const onGoogle = {
  "gcp:project": "acme-staging",
  "gcp:region": "asia-northeast1",
  [fullKey("domain")]: "shop.example.com",
};

function settingsWith(config: Record<string, unknown>) {
  const own = Object.entries(config).map(([key, value]) => [fullKey(key), JSON.stringify(value)] as const);
  return checkConfig({ ...onGoogle, ...Object.fromEntries(own) }, "test", projectDir).settings;
}
const withRoles = (...roles: unknown[]) => ({ services: { hoge: { ...service, roles } } });

test("roles of every form are accepted", () => {
  const roles = [
    "roles/pubsub.publisher",
    "roles/cloudsql.client",
    "roles/browser",
    "projects/acme-staging/roles/orders.reader_2",
    "organizations/123456789/roles/ordersReader",
  ];
  assert.deepEqual(settingsWith(withRoles(...roles)).services["hoge"]?.roles, roles);
});

const malformed = /services\.hoge\.roles\[0\]\n.* must be a Google role: roles\/pubsub\.publisher, projects\/PROJECT/;
const basic =
  /services\.hoge\.roles\[0\]\n.* is a basic role, which reaches everything in the project; name the predef/;
const refused: [string, Record<string, unknown>, RegExp][] = [
  ["a role without its prefix", withRoles("pubsub.publisher"), malformed],
  ["a role with a blank", withRoles("roles/pubsub publisher"), malformed],
  ["a role that ends in a dot", withRoles("roles/pubsub."), malformed],
  ["a custom role of an invalid project", withRoles("projects/A_B/roles/reader"), malformed],
  ["a custom role of an organization by its name", withRoles("organizations/acme/roles/reader"), malformed],
  ["a member instead of a role", withRoles("serviceAccount:a@b.iam.gserviceaccount.com"), malformed],
  ["the basic role owner", withRoles("roles/owner"), basic],
  ["the basic role editor", withRoles("roles/editor"), basic],
  ["the basic role viewer", withRoles("roles/viewer"), basic],
  ["the newer basic role admin", withRoles("roles/admin"), basic],
  [
    "a role twice",
    withRoles("roles/pubsub.publisher", "roles/pubsub.publisher"),
    /services\.hoge\.roles\n.*must name each role once/,
  ],
  [
    "roles without GKE",
    {
      ...withRoles("roles/pubsub.publisher"),
      cluster: { kind: "existing", context: "somewhere" },
      edge: { kind: "ingress", className: "contour" },
      registry: { kind: "node" },
    },
    /services\.hoge\.roles\n.*needs cluster\.kind gke, not existing.*; remove the roles/,
  ],
  [
    "keep with immutable tags",
    { services: { hoge: service }, registry: { kind: "artifact-registry", keep: 5, immutableTags: true } },
    /[\w-]+:registry\n.*has keep, which can delete nothing where immutableTags is true.*; remove one/,
  ],
  [
    "zero images to keep",
    { services: { hoge: service }, registry: { kind: "artifact-registry", keep: 0 } },
    /registry\.keep\n.*0 must be at least 1/,
  ],
];
for (const [what, config, message] of refused)
  test(`refused: ${what}`, () => {
    assert.throws(() => settingsWith(config), message);
  });

test("by default images are scanned, tags may move, and the component decides how many to keep", () => {
  const location = { project: "acme-staging", region: "asia-northeast1" };
  const registryOf = (registry?: object) => settingsWith({ services: { hoge: service }, registry }).registry;
  assert.deepEqual(registryOf(), { kind: "artifact-registry", ...location, scan: true, immutableTags: false });
  const chosen = { kind: "artifact-registry", scan: false, keep: 5, immutableTags: false };
  assert.deepEqual(registryOf(chosen), { ...chosen, ...location });
});

test("an existing cluster has no registry of the stack: its nodes pull images, or already have them", () => {
  const config = {
    domain: "shop.example.com",
    cluster: { kind: "existing", context: "kind-shop" },
    edge: { kind: "ingress", className: "nginx" },
    proxy: { image: "registry.example.com/nginx-proxy:1" },
    services: { hoge: service },
  };
  const raw = Object.entries(config).map(([key, value]) => [
    fullKey(key),
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const { registry } = checkConfig(Object.fromEntries(raw) as Record<string, string>, "test", projectDir).settings;
  assert.deepEqual(registry, { kind: "node" });
});
