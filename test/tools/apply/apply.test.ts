/** In which order a changed stack is applied; a script plays kubectl. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { apply } from "../../../tools/apply/apply.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { folder, installKubectl, program } from "./kubectlScript.ts";

const calls = join(folder, "calls");
installKubectl(
  "*--dry-run=server*) cat",
  `*" apply "*) cat >> ${calls}; echo >> ${calls}`,
  `*) echo '{"kind":"List","items":[]}'`,
);

const object = (apiVersion: string, kind: string, name: string) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "apps" },
});

test("objects of the edge are applied after what they refer to", async () => {
  const objects = [
    object("v1", "Secret", "ingress-tls-2"),
    object("networking.k8s.io/v1", "Ingress", "edge"),
    object("gateway.networking.k8s.io/v1", "HTTPRoute", "edge"),
    object("v1", "Service", "nginx-proxy-grpc"),
  ];
  const kinds = ["Secret", "Ingress.networking.k8s.io", "HTTPRoute.gateway.networking.k8s.io", "Service"];
  const target = { kubectl: program, context: "apply.test" };
  const changes = await apply(target, { namespace: "apps", kinds, objects: [] }, objects, 1, () => undefined);
  assert.deepEqual(changes, {
    applied: objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    pruned: [],
  });
  const applied = readFileSync(calls, "utf8")
    .trim()
    .split("\n")
    .map((call) => (JSON.parse(call) as { items: { kind: string }[] }).items.map(({ kind }) => kind));
  assert.deepEqual(applied, [
    ["Secret", "Service"],
    ["Ingress", "HTTPRoute"],
  ]);
});

const namespace = (stack: string | undefined) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "apps", ...(stack !== undefined && { labels: { "gke-microservices/stack": stack } }) },
});
const applyOver = (found: string | undefined, ours: string | undefined) => {
  const live = { namespace: "apps", kinds: ["Secret"], objects: [namespace(found)] };
  const target = { kubectl: program, context: "apply.test" };
  return apply(target, live, [namespace(ours)], 1, () => undefined);
};

test("a namespace of another stack is refused before anything is applied", async () => {
  writeFileSync(calls, "");
  await assert.rejects(applyOver("shop.staging", "shop.local"), (error) => {
    assert.ok(error instanceof Problem);
    assert.match(error.message, /The namespace apps belongs to the stack shop\.staging/);
    assert.match(error.fix, /kubectl label namespace apps gke-microservices\/stack-/);
    return true;
  });
  assert.equal(readFileSync(calls, "utf8"), "");
});

test("the stack's own namespace is taken, and one without a label", async () => {
  for (const [found, ours] of [
    ["shop.local", "shop.local"],
    [undefined, "shop.local"],
    ["shop.local", undefined],
  ])
    await applyOver(found, ours);
});
