/** In which order a changed stack is applied; a script plays kubectl. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { apply } from "../../../tools/apply/apply.ts";
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
