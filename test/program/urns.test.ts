/**
 * The engine identifies resources by URN. A new name or type makes every running stack recreate the resource, unless it
 * has the old one as an alias. To accept a change, add the alias, then rewrite the file with UPDATE=1.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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

/** Types from the parent down, and the name. */
const known = (urn: string) => urn.split("::").slice(2).join(" ");

test("every resource keeps its type, its parents and its name", async () => {
  const file = join(import.meta.dirname, "urns.json");
  const found: Record<string, string[]> = {};
  for (const [stack, evaluated] of Object.entries(stacks)) {
    const { recording } = await evaluated();
    found[stack] = recording.resources.map(({ urn }) => known(urn)).sort();
  }
  if (process.env["UPDATE"] !== undefined) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  assert.deepEqual(found, JSON.parse(readFileSync(file, "utf8")));
});
