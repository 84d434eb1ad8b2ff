/**
 * The engine identifies resources by URN. Under a new name or type without an alias, it creates a resource and then
 * deletes the old one: in a cluster, that deletes the object that it has just taken over. To accept a change, add the
 * alias, or an entry in `removed`. Then rewrite the file with UPDATE=1.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { aliasUrn } from "../../tools/stack/registrations.ts";
import { mockPulumi, settled, type Recorded } from "../../tools/testing/mocks.ts";
import { record } from "../../tools/testing/recorded.ts";

const image = "registry.example.com/apps/a:1";
const rich = {
  edge: { kind: "gateway", armor: {}, cdn: {} },
  tls: { mode: "managed", wildcard: true },
  dns: { create: true, wildcard: true },
  proxy: { metrics: { byService: true }, wildcards: { subdomain: { allow: ["preview-*"] } } },
  services: {
    orders: { image, routes: [{ path: "/shop.v1.Orders/", protocol: "grpc" }], roles: ["roles/pubsub.publisher"] },
    web: { image, routes: [{ path: "/" }, { host: "www.example.org" }], calls: ["orders"], replicas: 1 },
  },
};
const stacks = {
  staging: () => record("staging"),
  production: () => record("production"),
  local: () => record("local"),
  "staging, with all that a Gateway has": () => record("staging", rich),
};

/** Resources that a release no longer has, and why their deletion is safe in a running stack. */
const removed: Readonly<Record<string, string>> = Object.fromEntries(
  // 0.3.0: each flow has a policy of its own. Those are created first, and allow the same.
  ["hoge", "web", "orders", "nginx-proxy"].map((name) => [
    `gke-microservices:index:NetworkPolicies$kubernetes:networking.k8s.io/v1:NetworkPolicy network-policies-${name}-flows`,
    "its flows have other policies",
  ]),
);

/** Types from the parent down, and the name. */
const known = (urn: string) => urn.split("::").slice(2).join(" ");

/** URNs of before that no resource has, neither as its own nor as an alias. */
function lost(before: readonly string[], resources: readonly Recorded[]): string[] {
  const kept = new Set(
    resources.flatMap((one) => [one.urn, ...one.aliases.map((alias) => aliasUrn(alias, one))].map(known)),
  );
  return before.filter((urn) => !kept.has(urn) && !(urn in removed));
}

test("every resource keeps its type, its parents and its name, or has the old ones as an alias", async () => {
  const file = join(import.meta.dirname, "urns.json");
  const before = JSON.parse(readFileSync(file, "utf8")) as Record<string, string[]>;
  const found: Record<string, string[]> = {};
  for (const [stack, evaluated] of Object.entries(stacks)) {
    const { recording } = await evaluated();
    found[stack] = recording.resources.map(({ urn }) => known(urn)).sort();
    assert.deepEqual(
      lost(before[stack] ?? [], recording.resources),
      [],
      `${stack}: give the new resource the old name as an alias; rewriting the file does not help a running stack`,
    );
  }
  if (process.env["UPDATE"] !== undefined) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  const written = JSON.parse(readFileSync(file, "utf8")) as typeof found;
  const added = Object.entries(found).flatMap(([stack, urns]) =>
    urns.filter((urn) => !(written[stack] ?? []).includes(urn)).map((urn) => `${stack}: ${urn}`),
  );
  const rewrite = `Write urns.json with: UPDATE=1 npm test -- test/program/urns.test.ts\nNew in it:\n${added.join("\n")}`;
  assert.ok(isDeepStrictEqual(found, written), rewrite);
});

test("a rename without an alias is found, by name, type and parent", async () => {
  const recording = await mockPulumi();
  class Part extends pulumi.ComponentResource {
    constructor(name: string, type: string, child: string, aliases: pulumi.Alias[] = []) {
      super(`test:index:${type}`, name);
      new k8s.core.v1.ServiceAccount(child, {}, { parent: this, aliases });
    }
  }
  new Part("one", "Part", "new", [{ name: "old" }]);
  new Part("two", "Other", "moved", [{ parent: "urn:pulumi:test::gke-microservices::test:index:Part::two" }]);
  await settled();
  const type = "kubernetes:core/v1:ServiceAccount";
  assert.deepEqual(lost([`test:index:Part$${type} old`, `test:index:Part$${type} moved`], recording.resources), []);
  const other = [`test:index:Part$${type} other`, `test:index:Part$kubernetes:core/v1:Secret new`];
  assert.deepEqual(lost(other, recording.resources), other);
});
